import type Database from 'better-sqlite3';
import { SignalboxError } from '../errors.ts';

/** How long a write waits for another program's lock, in milliseconds. It blocks the event loop, so it is short. */
const BUSY_TIMEOUT_MS = 40;
/** While another program holds the lock: time between two attempts to take it, in milliseconds. */
const RETRY_INTERVAL_MS = 25;
/** How long `untilUnlocked` waits for the lock, in milliseconds. */
const MAX_WAIT_MS = 2000;
/** A successful attempt to write is valid for this long, in milliseconds. */
const PROBE_INTERVAL_MS = 1000;

/** Whether rows can be written at this moment. */
export interface WriteGuard extends Disposable {
  /**
   * Runs `work`, which uses the database. While another program holds the write lock, writes fail without waiting for it.
   * @throws UNAVAILABLE when the database cannot be read or written; other errors unchanged
   */
  run<T>(work: () => T): T;
  /** A function that calls `work` as `run` does, without a closure for each call. */
  guarded<A extends unknown[], T>(work: (...args: A) => T): (...args: A) => T;
  /**
   * Why rows cannot be written, for operators; undefined when they can be. Tries to write, at most once a second.
   */
  problem(): string | undefined;
  /**
   * Undefined while no other program holds the write lock. Otherwise resolves when it is free, and after 2 seconds in any
   * case.
   */
  untilUnlocked(): Promise<void> | undefined;
}

export function createWriteGuard(sqlite: Database.Database): WriteGuard {
  let problem: string | undefined;
  /** When `tryToWrite` last ran, on the monotonic clock. */
  let probedAt = Number.NEGATIVE_INFINITY;
  let unlocked: Promise<void> | undefined;
  let isClosed = false;

  sqlite.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);

  function guarded<A extends unknown[], T>(work: (...args: A) => T): (...args: A) => T {
    return (...args) => {
      try {
        return work(...args);
      } catch (error) {
        throw translate(error);
      }
    };
  }

  /** Remembers an error that the environment of the database causes. */
  function translate(error: unknown): unknown {
    const translated = asUnavailable(error);
    if (!translated) return error;
    problem = translated.message;
    if (isStoreLocked(translated)) waitForLock();
    return translated;
  }

  /** Writes the header of the database, because a lock alone does not show that the disk has space. */
  function tryToWrite(): void {
    if (isClosed || sqlite.inTransaction) return;
    probedAt = performance.now();
    try {
      sqlite.transaction(() => sqlite.pragma('user_version = 0')).immediate();
      problem = undefined;
    } catch (error) {
      problem = asUnavailable(error)?.message ?? `The store cannot be written: ${String(error)}`;
    }
  }

  /** Polls for the lock in turns of the event loop. Waiting inside SQLite would block every other request. */
  function waitForLock(): void {
    unlocked ??= (async () => {
      sqlite.pragma('busy_timeout = 0');
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS).unref());
        if (isClosed) return;
        tryToWrite();
        if (problem !== LOCKED) break;
      }
      sqlite.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    })().finally(() => (unlocked = undefined));
  }

  return {
    run: (work) => guarded(work)(),
    guarded,
    problem() {
      if (performance.now() - probedAt > PROBE_INTERVAL_MS) tryToWrite();
      return problem;
    },
    untilUnlocked() {
      if (!unlocked) return undefined;
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, MAX_WAIT_MS)));
      return Promise.race([unlocked, deadline]).finally(() => clearTimeout(timer));
    },
    [Symbol.dispose]() {
      isClosed = true;
    },
  };
}

const LOCKED = 'Another program holds the write lock of the store. Nothing was changed; try again.';

const SENTENCES: readonly (readonly [prefix: string, sentence: string])[] = [
  ['SQLITE_BUSY', LOCKED],
  ['SQLITE_LOCKED', LOCKED],
  ['SQLITE_FULL', 'The disk of the store has no space left. Nothing was changed; try again later.'],
  ['SQLITE_READONLY', 'The store cannot be written. Nothing was changed; try again later.'],
  ['SQLITE_CANTOPEN', 'The store cannot be opened. Nothing was changed; try again later.'],
  ['SQLITE_IOERR', 'The disk of the store reports an error. Nothing was changed; try again later.'],
  ['SQLITE_NOMEM', 'The service has no memory left for the store. Nothing was changed; try again later.'],
  ['SQLITE_CORRUPT', 'The store is damaged. The operator can find the damage with “signalbox check”.'],
  ['SQLITE_NOTADB', 'The store is damaged. The operator can find the damage with “signalbox check”.'],
];

/** Translates an error of SQLite that its environment causes (a lock, the disk, damage) and not the statement. */
function asUnavailable(error: unknown): SignalboxError | undefined {
  if (error instanceof SignalboxError) return error.code === 'UNAVAILABLE' ? error : undefined;
  const code = sqliteCodeOf(error);
  const sentence = SENTENCES.find(([prefix]) => code?.startsWith(prefix))?.[1];
  return sentence === undefined ? undefined : new SignalboxError('UNAVAILABLE', sentence, { cause: error });
}

/** Whether an error says that another program holds the write lock: the same write may succeed in a moment. */
export function isStoreLocked(error: unknown): boolean {
  return error instanceof SignalboxError && error.code === 'UNAVAILABLE' && error.message === LOCKED;
}

/** Libraries wrap the errors of SQLite, so the code may be that of a cause. */
function sqliteCodeOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && current.code.startsWith('SQLITE_'))
      return current.code;
  }
  return undefined;
}
