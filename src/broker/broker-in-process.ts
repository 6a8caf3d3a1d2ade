import { SignalboxError } from '../errors.ts';
import { isStoreLocked } from '../store/write-guard.ts';
import { type RowWriter } from '../store/write.ts';
import { type Broker } from './broker.ts';
import { controlAll, createDelivery, rejectStale, signalsOf, type PendingPublish } from './delivery.ts';
import { type Leases } from './leases.ts';
import { type Appended, type Log } from './log.ts';
import { NO_OTHER_NODES } from './nodes.ts';

/**
 * See Broker. Implements the broker for a single process: the log is a database table, and listeners are functions. All
 * publishes of one turn of the event loop are appended in one transaction, then delivered, then acknowledged.
 */
export function createInProcessBroker({
  log,
  rows,
  leases,
  onFault,
}: {
  log: Log;
  rows: RowWriter;
  leases: Leases;
  onFault: (error: unknown) => void;
}): Broker {
  const { listen, control, settle } = createDelivery(onFault);
  let pending: PendingPublish[] = [];
  /** Defined while messages of an earlier append are being delivered. Publishes wait, so undelivered messages never pile up. */
  let delivering: Promise<void> | undefined;

  /** Attempts to append in a row that failed because another program held the write lock of the store. */
  let lockedAttempts = 0;

  /** Waits outside of the event loop's turn: other requests are answered while another program writes. */
  function retryLater(publishes: PendingPublish[]): void {
    pending = [...publishes, ...pending];
    setTimeout(flush, LOCK_RETRY_MS, { isLast: false });
  }

  function flush({ isLast } = { isLast: false }): void {
    const taken = isLast ? pending : pending.slice(0, MAX_APPENDED);
    pending = pending.slice(taken.length);
    const publishes = rejectStale(taken);
    let outcomes: Appended[];
    try {
      outcomes = log.append(publishes.map(({ draft }) => draft));
      lockedAttempts = 0;
    } catch (cause) {
      const mayRetry = !isLast && publishes.length + pending.length <= MAX_WAITING_PUBLISHES;
      if (mayRetry && isStoreLocked(cause) && lockedAttempts++ < MAX_LOCKED_ATTEMPTS)
        return retryLater(publishes);
      lockedAttempts = 0;
      const error = new SignalboxError(
        'UNAVAILABLE',
        'The message log cannot be written. The message was not published; try again.',
        { cause },
      );
      for (const { reject } of publishes) reject(error);
      if (pending.length > 0) scheduleFlush();
      return;
    }
    delivering = settle(publishes, outcomes)?.then(() => {
      delivering = undefined;
      if (pending.length > 0) flush();
    });
    if (!delivering && pending.length > 0) scheduleFlush();
  }

  /** setImmediate runs after all socket reads of this turn, so publishes from all sockets share one transaction. */
  function scheduleFlush(): void {
    setImmediate(() => {
      if (!delivering) flush();
    });
  }

  return {
    publish: (draft, isStale) =>
      new Promise((resolve, reject) => {
        if (pending.push({ draft, isStale, resolve, reject }) === 1) scheduleFlush();
      }),
    head: async (projectId) => log.head(projectId),
    positionAt: async (projectId, sequence) => log.positionAt(projectId, sequence),
    holds: async (projectId, position) => log.holds(projectId, position),
    read: async (request) => log.read(request),
    readBack: async (projectId, address, range, limit) => log.readBack(projectId, address, range, limit),
    trimmedThrough: async (projectId, address) => log.trimmedThrough(projectId, address),
    expiredThrough: async (projectId, address, bounds, after) =>
      log.expiredThrough(projectId, address, bounds, after),
    listen,
    // This process is the only one that publishes.
    follow: async () => NOTHING_TO_FOLLOW,
    control,
    // No transaction is needed, and no row for the signal: a process that ends in between takes its sockets and caches with it.
    async announce(write, signalOf) {
      const result = await write(rows);
      return { result, connections: await controlAll(control, signalsOf(signalOf(result))) };
    },
    leases,
    nodes: NO_OTHER_NODES,
    problem: () => undefined,
    warning: () => undefined,
    untilLive: () => undefined,
    async [Symbol.asyncDispose]() {
      await delivering;
      if (pending.length > 0) flush({ isLast: true });
      await delivering;
    },
  };
}

const NOTHING_TO_FOLLOW: Disposable = { [Symbol.dispose]: () => undefined };

/** Messages that one transaction appends, so that it ends within a slice of the event loop's turn. */
const MAX_APPENDED = 512;
/** Time between two attempts to append while another program holds the write lock of the store, in milliseconds. */
const LOCK_RETRY_MS = 25;
/** After this many attempts (2 seconds), the publishes fail with UNAVAILABLE. */
const MAX_LOCKED_ATTEMPTS = 80;
/** Publishes that may wait for the lock. */
const MAX_WAITING_PUBLISHES = 10_000;
