import { SignalboxError } from '../errors.ts';
import { type Batch } from '../batch.ts';
import { isStoreLocked } from '../store/write-guard.ts';
import { type Broker, type BrokerListener, type Published } from './broker.ts';
import { type Leases } from './leases.ts';
import { type Appended, type Log } from './log.ts';
import { type Draft, type Message } from './message.ts';
import { type Signal } from './signal.ts';

interface PendingPublish {
  draft: Draft;
  resolve(published: Published): void;
  reject(error: Error): void;
}

/**
 * See Broker. Implements the broker for a single process: the log is a database table, and listeners are functions. All
 * publishes of one turn of the event loop are appended in one transaction, then delivered, then acknowledged.
 */
export function createInProcessBroker({
  log,
  leases,
  onFault,
}: {
  log: Log;
  leases: Leases;
  onFault: (error: unknown) => void;
}): Broker {
  const listeners = new Set<BrokerListener>();
  let pending: PendingPublish[] = [];

  /** The append is committed by now, so a listener that throws must not affect other listeners or the publisher. */
  function notifyListeners(notify: (listener: BrokerListener) => void): void {
    for (const listener of listeners) {
      try {
        notify(listener);
      } catch (error) {
        onFault(error);
      }
    }
  }

  /** Returns, for each message, the number of connections it was delivered to. */
  function fanOut(batch: Batch<Message>): number[] {
    const connections = batch.map(() => 0);
    notifyListeners(({ deliver }) =>
      deliver?.(batch).forEach((count, index) => (connections[index] = (connections[index] ?? 0) + count)),
    );
    return connections;
  }

  /** Attempts to append in a row that failed because another program held the write lock of the store. */
  let lockedAttempts = 0;

  /** Waits outside of the event loop's turn: other requests are answered while another program writes. */
  function retryLater(publishes: PendingPublish[]): void {
    pending = [...publishes, ...pending];
    setTimeout(flush, LOCK_RETRY_MS, { isLast: false });
  }

  function flush({ isLast } = { isLast: false }): void {
    const publishes = pending;
    pending = [];
    let outcomes: Appended[];
    try {
      outcomes = log.append(publishes.map(({ draft }) => draft));
      lockedAttempts = 0;
    } catch (cause) {
      const mayRetry = !isLast && publishes.length <= MAX_WAITING_PUBLISHES;
      if (mayRetry && isStoreLocked(cause) && lockedAttempts++ < MAX_LOCKED_ATTEMPTS)
        return retryLater(publishes);
      lockedAttempts = 0;
      const error = new SignalboxError(
        'UNAVAILABLE',
        'The message log cannot be written. Nothing was published; try again.',
        { cause },
      );
      for (const { reject } of publishes) reject(error);
      return;
    }
    settle(publishes, outcomes);
  }

  /** Delivers and acknowledges in log order; consecutive messages of one address form a batch. */
  function settle(publishes: readonly PendingPublish[], outcomes: readonly Appended[]): void {
    let batch: Message[] = [];
    let publishers: PendingPublish[] = [];
    let bytes = 0;
    const deliverBatch = () => {
      const connections = batch.length > 0 ? fanOut(batch) : [];
      batch.forEach((message, index) =>
        publishers[index]?.resolve({ message, repeated: false, connections: connections[index] ?? 0 }),
      );
      batch = [];
      publishers = [];
      bytes = 0;
    };
    publishes.forEach((publish, index) => {
      const appended = outcomes[index];
      if (appended?.outcome === 'APPENDED') {
        if (!fitsBatch(batch, bytes, appended.message)) deliverBatch();
        batch.push(appended.message);
        publishers.push(publish);
        bytes += publish.draft.bytes;
      } else if (appended?.outcome === 'REPEATED')
        publish.resolve({ message: appended.message, repeated: true, connections: 0 });
      else
        publish.reject(
          new SignalboxError('CONFLICT', 'The idempotency key was already used for a different message.'),
        );
    });
    deliverBatch();
  }

  return {
    publish: (draft) =>
      new Promise((resolve, reject) => {
        // setImmediate runs after all socket reads of this turn, so publishes from all sockets share one transaction.
        if (pending.push({ draft, resolve, reject }) === 1) setImmediate(flush);
      }),
    head: async (projectId) => log.head(projectId),
    positionAt: async (projectId, sequence) => log.positionAt(projectId, sequence),
    holds: async (projectId, position) => log.holds(projectId, position),
    read: async (request) => log.read(request),
    readBack: async (projectId, address, range, limit) => log.readBack(projectId, address, range, limit),
    trimmedThrough: async (projectId, address) => log.trimmedThrough(projectId, address),
    expiredThrough: async (projectId, address, bounds, after) =>
      log.expiredThrough(projectId, address, bounds, after),
    listen(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
    async control(signal: Signal) {
      const affected: Promise<number>[] = [];
      notifyListeners((listener) => affected.push(Promise.resolve(listener.applySignal?.(signal) ?? 0)));
      let affectedConnections = 0;
      for (const result of await Promise.allSettled(affected)) {
        if (result.status === 'fulfilled') affectedConnections += result.value;
        else onFault(result.reason);
      }
      return affectedConnections;
    },
    leases,
    async [Symbol.asyncDispose]() {
      if (pending.length > 0) flush({ isLast: true });
    },
  };
}

/** Time between two attempts to append while another program holds the write lock of the store, in milliseconds. */
const LOCK_RETRY_MS = 25;
/** After this many attempts (2 seconds), the publishes fail with UNAVAILABLE. */
const MAX_LOCKED_ATTEMPTS = 80;
/** Publishes that may wait for the lock. */
const MAX_WAITING_PUBLISHES = 10_000;

/** Larger batches save little per message and delay delivery. */
const MAX_BATCH_MESSAGES = 64;
/** Size of all `data` in a batch. The results of a batch are built and sent as one unit, so their size must be bounded. */
const MAX_BATCH_BYTES = 64 * 1024;

/** Whether a message may join the batch: same project, same address, both logged or both ephemeral, and room left. */
function fitsBatch(batch: Batch<Message>, bytes: number, { projectId, address, logged }: Message): boolean {
  const last = batch.at(-1);
  return (
    last?.projectId === projectId &&
    last.address === address &&
    (last.logged === null) === (logged === null) &&
    batch.length < MAX_BATCH_MESSAGES &&
    bytes < MAX_BATCH_BYTES
  );
}
