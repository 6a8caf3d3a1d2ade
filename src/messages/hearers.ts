import { type Broker } from '../broker/broker.ts';
import { type Address, type Message } from '../broker/message.ts';
import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type Run } from '../run.ts';

/** Hears the messages of some addresses on behalf of a connection. */
export interface Hearer {
  readonly connection: Connection;
  /** Takes the messages, but for the first ones that it knows already: returns how many. Must neither wait nor throw. */
  offer(run: Run<Message>): number;
}

/** Who hears which address: the index between the broker and the streams. */
export interface Hearers extends Disposable {
  add(projectId: string, address: Address, hearer: Hearer): void;
  remove(projectId: string, address: Address, hearer: Hearer): void;
}

export function createHearers({
  broker,
  clock,
  onFault,
}: {
  broker: Broker;
  clock: Clock;
  onFault: (error: unknown) => void;
}): Hearers {
  const byAddress = new Map<string, Set<Hearer>>();
  /** Runs so far. */
  let handed = 0;

  /** One pass over the hearers for all of the run: with thousands of them, to look at each is what it costs. */
  function messages(run: Run<Message>): number[] {
    const reach = new Reach(++handed, run.length);
    const [first] = run;
    const hearers = first && byAddress.get(keyOf(first.projectId, first.address));
    if (!hearers) return reach.counts();
    const now = clock.now();
    for (const hearer of hearers) {
      const { connection } = hearer;
      try {
        // The timers that end a connection or what it may do may be late; what it may hear is not a matter of timers.
        if (now >= connection.reviewAt) {
          connection.review();
          if (!hearers.has(hearer)) continue;
        }
        if (!connection.isOpen(now)) continue;
        reach.add(connection, hearer.offer(run));
      } catch (error) {
        onFault(error);
      }
    }
    return reach.counts();
  }

  const listening = broker.listen({ messages });

  return {
    add(projectId, address, hearer) {
      const key = keyOf(projectId, address);
      const hearers = byAddress.get(key);
      if (hearers) hearers.add(hearer);
      else byAddress.set(key, new Set([hearer]));
    },
    remove(projectId, address, hearer) {
      const key = keyOf(projectId, address);
      const hearers = byAddress.get(key);
      if (hearers?.delete(hearer) && hearers.size === 0) byAddress.delete(key);
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}

const keyOf = (projectId: string, address: Address) => `${projectId}\n${address}`;

/** How many connections each message of a run reached; one that it reaches by two subscriptions counts once. */
class Reach {
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
    if (connection.reachedBy !== this.#run) {
      connection.reachedBy = this.#run;
      connection.reachedFrom = this.#length;
    }
    const before = connection.reachedFrom;
    if (from >= before) return;
    connection.reachedFrom = from;
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
