import { type Broker } from '../broker/broker.ts';
import { type Address, type Message } from '../broker/message.ts';
import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type Batch } from '../batch.ts';

/** Hears the messages of some addresses on behalf of a connection. */
export interface Subscriber {
  readonly connection: Connection;
  /** Takes the messages, but for the first ones that it knows already: returns how many. Must neither wait nor throw. */
  deliver(run: Batch<Message>): number;
}

/** Who hears which address: the index between the broker and the streams. */
export interface SubscriberIndex extends Disposable {
  add(projectId: string, address: Address, subscriber: Subscriber): void;
  remove(projectId: string, address: Address, subscriber: Subscriber): void;
}

export function createSubscriberIndex({
  broker,
  clock,
  onFault,
}: {
  broker: Broker;
  clock: Clock;
  onFault: (error: unknown) => void;
}): SubscriberIndex {
  const byAddress = new Map<string, Set<Subscriber>>();
  /** Runs so far. */
  let handed = 0;

  /** One pass over the subscribers for all of the run: with thousands of them, to look at each is what it costs. */
  function deliver(run: Batch<Message>): number[] {
    const deliveries = new DeliveryCount(++handed, run.length);
    const [first] = run;
    const subscribers = first && byAddress.get(keyOf(first.projectId, first.address));
    if (!subscribers) return deliveries.counts();
    const now = clock.now();
    for (const subscriber of subscribers) {
      const { connection } = subscriber;
      try {
        // The timers that end a connection or what it may do may be late; what it may hear is not a matter of timers.
        if (now >= connection.nextDueAt) {
          connection.applyDue();
          if (!subscribers.has(subscriber)) continue;
        }
        if (!connection.isOpen(now)) continue;
        deliveries.add(connection, subscriber.deliver(run));
      } catch (error) {
        onFault(error);
      }
    }
    return deliveries.counts();
  }

  const listening = broker.listen({ deliver });

  return {
    add(projectId, address, subscriber) {
      const key = keyOf(projectId, address);
      const subscribers = byAddress.get(key);
      if (subscribers) subscribers.add(subscriber);
      else byAddress.set(key, new Set([subscriber]));
    },
    remove(projectId, address, subscriber) {
      const key = keyOf(projectId, address);
      const subscribers = byAddress.get(key);
      if (subscribers?.delete(subscriber) && subscribers.size === 0) byAddress.delete(key);
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}

const keyOf = (projectId: string, address: Address) => `${projectId}\n${address}`;

/** How many connections each message of a run reached; one that it reaches by two subscriptions counts once. */
class DeliveryCount {
  /** A number, for a connection that remembers the run would hold it. */
  readonly #run: number;
  readonly #length: number;
  /** At each message: how many connections more, or fewer, than at the one before it. */
  readonly #steps: number[];

  constructor(run: number, length: number) {
    this.#run = run;
    this.#length = length;
    this.#steps = Array.from({ length }, () => 0);
  }

  /** @param from the first message that the connection was reached by, of those that are left. */
  add(connection: Connection, from: number): void {
    if (connection.countedBatch !== this.#run) {
      connection.countedBatch = this.#run;
      connection.countedFrom = this.#length;
    }
    const before = connection.countedFrom;
    if (from >= before) return;
    connection.countedFrom = from;
    this.#step(from, 1);
    if (before < this.#length) this.#step(before, -1);
  }

  #step(at: number, by: number): void {
    this.#steps[at] = (this.#steps[at] ?? 0) + by;
  }

  counts(): number[] {
    let connections = 0;
    return this.#steps.map((step) => (connections += step));
  }
}
