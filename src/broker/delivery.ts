import { type Batch } from '../batch.ts';
import { notFound, SignalboxError } from '../errors.ts';
import { type BrokerListener, type Published } from './broker.ts';
import { createSliceQueue } from '../slices.ts';
import { type Appended } from './log.ts';
import { channelOf, type Draft, type Message } from './message.ts';
import { type Signal } from './signal.ts';

/** A publish that waits for its outcome. */
export interface PendingPublish {
  readonly draft: Draft;
  /** See `Broker.publish`. */
  readonly isStale: (() => boolean) | undefined;
  resolve(published: Published): void;
  reject(error: Error): void;
}

/** The listeners of this node, and what is delivered to them. */
export interface Delivery {
  /** Adds a listener until the returned value is disposed. */
  listen(listener: BrokerListener): Disposable;
  /**
   * Delivers messages in log order, after all earlier calls; consecutive messages of one address form a batch. Undefined if
   * all are delivered, otherwise a promise that resolves then: many batches are delivered in slices.
   * @param onDelivered receives each batch and, for each message, the number of connections it was delivered to
   */
  deliver(
    messages: readonly Message[],
    onDelivered?: (batch: Batch<Message>, connections: readonly number[]) => void,
  ): Promise<void> | undefined;
  /** Like `deliver`, for publishes, each of which is acknowledged once its message is delivered. */
  settle(publishes: readonly PendingPublish[], outcomes: readonly Appended[]): Promise<void> | undefined;
  /** Whether this node may deliver at this moment; what is delivered nevertheless counts as missed. */
  mayDeliver(): boolean;
  /** Applies a signal; resolves to the number of affected connections. */
  control(signal: Signal): Promise<number>;
  /** See `BrokerListener.reset`. */
  reset(): void;
  /**
   * Resets the listeners if messages were not delivered while the node was suspended. The next delivery does it, too. Call this
   * regularly, because the next message may be far away.
   */
  resetIfMissed(): void;
}

/**
 * @param onFault receives what a listener throws
 * @param mayDeliver whether this node may deliver at this moment. Default: always
 */
export function createDelivery(
  onFault: (error: unknown) => void,
  mayDeliver: () => boolean = () => true,
): Delivery {
  const listeners = new Set<BrokerListener>();
  /** Whether messages were not delivered while the node was suspended. Their subscribers must read them from the log. */
  let hasMissed = false;

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

  const reset = () => notifyListeners((listener) => listener.reset?.());

  function resetIfMissed(): void {
    if (!hasMissed || !mayDeliver()) return;
    hasMissed = false;
    reset();
  }

  const queue = createSliceQueue(onFault);

  /** Returns, for each message, the number of connections it was delivered to. */
  function fanOut(batch: Batch<Message>): number[] {
    const connections = batch.map(() => 0);
    if (!mayDeliver()) {
      hasMissed ||= batch.some(({ logged }) => logged !== null);
      return connections;
    }
    // Before this batch: a subscriber that received it would have a cursor after the missed messages.
    resetIfMissed();
    notifyListeners(({ deliver }) =>
      deliver?.(batch).forEach((count, index) => (connections[index] = (connections[index] ?? 0) + count)),
    );
    return connections;
  }

  return {
    listen(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
    deliver(messages, onDelivered) {
      let batch: Message[] = [];
      let bytes = 0;
      const deliverBatch = () => {
        const complete = batch;
        if (complete.length > 0)
          queue.add(() => {
            const connections = fanOut(complete);
            onDelivered?.(complete, connections);
          });
        batch = [];
        bytes = 0;
      };
      for (const message of messages) {
        if (!fitsBatch(batch, bytes, message)) deliverBatch();
        batch.push(message);
        bytes += Buffer.byteLength(JSON.stringify(message.data));
      }
      deliverBatch();
      return queue.run();
    },
    settle(publishes, outcomes) {
      let batch: Message[] = [];
      let publishers: PendingPublish[] = [];
      let bytes = 0;
      const deliverBatch = () => {
        const complete = batch;
        const acknowledged = publishers;
        if (complete.length > 0)
          queue.add(() => {
            const connections = fanOut(complete);
            complete.forEach((message, index) =>
              acknowledged[index]?.resolve({
                message,
                repeated: false,
                connections: connections[index] ?? 0,
              }),
            );
          });
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
        else if (appended?.outcome === 'CHANNEL_DELETED') publish.reject(channelDeleted(publish.draft));
        else
          publish.reject(
            new SignalboxError('CONFLICT', 'The idempotency key was already used for a different message.'),
          );
      });
      deliverBatch();
      return queue.run();
    },
    mayDeliver,
    reset,
    resetIfMissed,
    async control(signal) {
      let affectedConnections = 0;
      const pending: Promise<number>[] = [];
      notifyListeners((listener) => {
        const affected = listener.applySignal?.(signal) ?? 0;
        if (typeof affected === 'number') affectedConnections += affected;
        else pending.push(affected);
      });
      // Each join of a channel sends a signal, and most listeners apply it synchronously.
      if (pending.length === 0) return affectedConnections;
      for (const result of await Promise.allSettled(pending)) {
        if (result.status === 'fulfilled') affectedConnections += result.value;
        else onFault(result.reason);
      }
      return affectedConnections;
    },
  };
}

/** The error of a publish whose channel was deleted before the message was published. */
export const channelDeleted = ({ address }: Draft): SignalboxError =>
  notFound('channel', channelOf(address) ?? '');

/** The signals of a change of rows; see `Announce`. */
export function signalsOf(signals: Signal | readonly Signal[] | undefined): readonly Signal[] {
  if (signals === undefined) return [];
  return 'kind' in signals ? [signals] : signals;
}

/** Sends signals in order; resolves to the number of connections that they affected. */
export async function controlAll(
  control: (signal: Signal) => Promise<number>,
  signals: readonly Signal[],
): Promise<number> {
  const affected = await Promise.all(signals.map(control));
  return affected.reduce((sum, connections) => sum + connections, 0);
}

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

/** Rejects a publish because the rights of its publisher have changed while it waited. */
export class RightsChanged extends Error {}

/** The publishes that may still be appended; rejects the others. */
export function rejectStale(publishes: readonly PendingPublish[]): PendingPublish[] {
  return publishes.filter(({ isStale, reject }) => {
    if (!isStale?.()) return true;
    reject(new RightsChanged());
    return false;
  });
}
