import { SignalboxError } from '../errors.ts';
import { type Broker, type BrokerListener, type Published } from './broker.ts';
import { type Leases } from './leases.ts';
import { type Appended, type Log } from './log.ts';
import { type Draft } from './message.ts';
import { type Signal } from './signal.ts';

interface Waiting {
  draft: Draft;
  resolve(published: Published): void;
  reject(error: Error): void;
}

/**
 * See Broker. One process: the log is a table, listeners are functions. All that is published in one turn of the
 * event loop is appended in one transaction, then fanned out, then acknowledged.
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
  let waiting: Waiting[] = [];

  function tell(hand: (listener: BrokerListener) => number): number {
    let connections = 0;
    for (const listener of listeners) {
      try {
        connections += hand(listener);
      } catch (error) {
        // It was committed: one listener that fails takes nothing from the others, nor from whoever published.
        onFault(error);
      }
    }
    return connections;
  }

  function flush(): void {
    const batch = waiting;
    waiting = [];
    let outcomes: Appended[];
    try {
      outcomes = log.append(batch.map(({ draft }) => draft));
    } catch (cause) {
      const error = new SignalboxError(
        'UNAVAILABLE',
        'The log cannot be written now; nothing was published.',
      );
      error.cause = cause;
      for (const { reject } of batch) reject(error);
      return;
    }
    outcomes.forEach((appended, index) => {
      const publish = batch[index];
      if (publish) settle(publish, appended);
    });
  }

  function settle({ resolve, reject }: Waiting, appended: Appended): void {
    if (appended.outcome === 'CONFLICT') {
      reject(new SignalboxError('CONFLICT', 'This idempotency key was used for another message.'));
      return;
    }
    const { message } = appended;
    const repeated = appended.outcome === 'REPEATED';
    resolve({ message, repeated, connections: repeated ? 0 : tell((listener) => listener.message(message)) });
  }

  return {
    publish: (draft) =>
      new Promise((resolve, reject) => {
        // The check phase comes after every socket that had something to say in this turn has said it.
        if (waiting.push({ draft, resolve, reject }) === 1) setImmediate(flush);
      }),
    head: async (projectId) => log.head(projectId),
    read: async (request) => log.read(request),
    readBack: async (projectId, address, range, limit) => log.readBack(projectId, address, range, limit),
    trimmedThrough: async (projectId, address) => log.trimmedThrough(projectId, address),
    listen(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
    control: async (signal: Signal) => tell((listener) => listener.signal(signal)),
    leases,
    async [Symbol.asyncDispose]() {
      if (waiting.length > 0) flush();
    },
  };
}
