import { type Broker } from '../broker/broker.ts';
import { type Address, type Message } from '../broker/message.ts';
import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type DeliveryRecorder } from '../connections/reception.ts';
import { type Batch } from '../batch.ts';
import { flatKey } from '../flat-key.ts';
import { Multimap } from '../multimap.ts';

/** Receives the messages at some addresses on behalf of a connection. */
export interface Subscriber {
  readonly connection: Connection;
  /**
   * Receives a batch. Returns how many messages at the start of the batch the subscriber already has; those are not
   * delivered again. Must neither block nor throw.
   */
  deliver(batch: Batch<Message>): number;
}

/** The subscribers of each address. Delivers the batches of the broker to them. */
export interface SubscriberIndex extends Disposable {
  /** The number of the last batch that was delivered, from 1. */
  readonly lastBatch: number;
  add(projectId: string, address: Address, subscriber: Subscriber): void;
  remove(projectId: string, address: Address, subscriber: Subscriber): void;
}

export function createSubscriberIndex({
  broker,
  clock,
  recorder,
  onFault,
}: {
  broker: Broker;
  clock: Clock;
  recorder: DeliveryRecorder;
  onFault: (error: unknown) => void;
}): SubscriberIndex {
  const byAddress = new Multimap<Subscriber>();
  let batchCount = 0;

  /** Visits each subscriber once per batch: with thousands of subscribers, the visits dominate the cost of delivery. */
  function deliver(batch: Batch<Message>): number[] {
    const deliveries = new DeliveryCount(++batchCount, batch.length);
    recorder.delivered(batch, batchCount);
    const [first] = batch;
    if (!first) return deliveries.counts();
    const key = flatKey(first.projectId, first.address);
    const now = clock.now();
    /** A subscriber that is removed and added again while it applies what is due is the last one of the iteration too. */
    let visited: Set<Subscriber> | undefined;
    for (const subscriber of byAddress.live(key)) {
      const { connection } = subscriber;
      if (visited?.has(subscriber)) continue;
      try {
        // Timers apply expiries too but can fire late, and nothing may be delivered after an expiry.
        if (now >= connection.nextDueAt) {
          (visited ??= new Set()).add(subscriber);
          connection.applyDue();
          if (!byAddress.has(key, subscriber)) continue;
        }
        if (!connection.isOpen(now)) continue;
        deliveries.add(connection, subscriber.deliver(batch));
      } catch (error) {
        onFault(error);
      }
    }
    return deliveries.counts();
  }

  const subscription = broker.listen({ deliver });

  return {
    get lastBatch() {
      return batchCount;
    },
    add(projectId, address, subscriber) {
      byAddress.add(flatKey(projectId, address), subscriber);
    },
    remove(projectId, address, subscriber) {
      byAddress.delete(flatKey(projectId, address), subscriber);
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

/**
 * Counts the connections that each message of a batch was delivered to. A connection with several subscriptions counts
 * once. Because a subscriber receives a suffix of the batch, only the changes from one message to the next are stored.
 */
class DeliveryCount {
  /** A sequence number, not the batch: connections remember it, and a reference would keep the batch alive. */
  readonly #batchNumber: number;
  readonly #length: number;
  /** For each message, the number of connections minus the number for the previous message. */
  readonly #differences: number[];

  constructor(batchNumber: number, length: number) {
    this.#batchNumber = batchNumber;
    this.#length = length;
    this.#differences = Array.from({ length }, () => 0);
  }

  /** @param from the index of the first message that was delivered to the connection */
  add(connection: Connection, from: number): void {
    if (connection.lastCountedBatch !== this.#batchNumber) {
      connection.lastCountedBatch = this.#batchNumber;
      connection.firstCountedIndex = this.#length;
    }
    const before = connection.firstCountedIndex;
    if (from >= before) return;
    connection.firstCountedIndex = from;
    this.#change(from, 1);
    if (before < this.#length) this.#change(before, -1);
  }

  #change(index: number, by: number): void {
    this.#differences[index] = (this.#differences[index] ?? 0) + by;
  }

  counts(): number[] {
    let connections = 0;
    return this.#differences.map((difference) => (connections += difference));
  }
}
