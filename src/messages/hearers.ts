import { type Broker } from '../broker/broker.ts';
import { type Address, type Message } from '../broker/message.ts';
import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';

/** Hears the messages of some addresses on behalf of a connection. */
export interface Hearer {
  readonly connection: Connection;
  /** Whether it takes the message. Must neither wait nor throw. */
  offer(message: Message): boolean;
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

  function message(message: Message): number {
    const hearers = byAddress.get(keyOf(message.projectId, message.address));
    if (!hearers) return 0;
    const now = clock.now();
    let connections = 0;
    for (const hearer of hearers) {
      const { connection } = hearer;
      // The timers that end a connection or what it may do may be late; what it may hear is not a matter of timers.
      if (now >= connection.reviewAt) {
        connection.review();
        if (!hearers.has(hearer)) continue;
      }
      if (!connection.isOpen(now)) continue;
      try {
        if (!hearer.offer(message) || connection.reachedBy === message) continue;
        connection.reachedBy = message;
        connections++;
      } catch (error) {
        onFault(error);
      }
    }
    return connections;
  }

  const listening = broker.listen({ message, signal: () => 0 });

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
