import { type LocksLike } from './environment.ts';

/** A part of a storage that no other tab uses. */
export interface Part {
  readonly number: number;
  /** What the part has under the key of the outbox; null: no messages. */
  readonly outbox: string | null;
  /** Lets other tabs have it. */
  release(): void;
}

export interface PartOptions {
  /** The prefix of the names of the locks. */
  readonly name: string;
  /** Reads what a part has under the key of the outbox. */
  readOutbox(part: number): Promise<string | null>;
}

/** Tabs that have a part at once. */
const MAX_PARTS = 16;
/** How long the choice of another tab is waited for: one that the browser froze meanwhile would hold up all others. */
const MAX_WAIT_MS = 2_000;
/** The whole storage, where there are no locks. */
const UNDIVIDED: Part = { number: 0, outbox: null, release: () => undefined };

interface Host {
  readonly navigator?: { readonly locks?: LocksLike };
  readonly AbortController: new () => { readonly signal: { readonly aborted: boolean }; abort(): void };
  setTimeout(action: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

// The packages are compiled without the types of browsers.
const host = globalThis as unknown as Host;

/** Takes the first free part with messages, else the first free one. Null: the tab gets none. */
export const choosePart = (options: PartOptions): Promise<Part | null> =>
  choose(options, (free) => free.find(({ outbox }) => outbox !== null) ?? free[0]);

/**
 * Takes a part for a page that the browser restored, with its messages in memory: the former one unless another tab has used
 * it meanwhile, else one without messages.
 *
 * @param former its number; undefined: the page had none
 * @param outbox what the page has stored under the key of the outbox
 */
export const chooseRestoredPart = (
  options: PartOptions,
  former: number | undefined,
  outbox: string | null,
): Promise<Part | null> =>
  choose(
    options,
    (free) =>
      free.find((part) => part.number === former && part.outbox === outbox) ??
      free.find((part) => part.outbox === null),
  );

async function choose(
  { name, readOutbox }: PartOptions,
  select: (free: readonly Part[]) => Part | undefined,
): Promise<Part | null> {
  const locks = host.navigator?.locks;
  if (!locks) return UNDIVIDED;
  let chosen: Part | undefined;
  const waiting = new host.AbortController();
  const timer = host.setTimeout(() => waiting.abort(), MAX_WAIT_MS);
  try {
    // One tab at a time, because it holds every free part meanwhile.
    await locks.request(name, { signal: waiting.signal }, async () => {
      const free: Part[] = [];
      for (let number = 0; number < MAX_PARTS; number++) {
        const release = await hold(locks, `${name}#${number}`);
        if (release) free.push({ number, outbox: await readOutbox(number).catch(() => null), release });
      }
      chosen = select(free);
      for (const part of free) if (part !== chosen) part.release();
    });
    return chosen ?? null;
  } catch {
    // A browser may forbid locks as it forbids the storage.
    return waiting.signal.aborted ? null : UNDIVIDED;
  } finally {
    host.clearTimeout(timer);
  }
}

/** Holds a lock until the returned function is called. Undefined when it is held by another tab. */
const hold = (locks: LocksLike, name: string) =>
  new Promise<(() => void) | undefined>((resolve, reject) => {
    locks
      .request(name, { ifAvailable: true }, (lock) =>
        lock === null ? resolve(undefined) : new Promise<void>((release) => resolve(release)),
      )
      .catch(reject);
  });
