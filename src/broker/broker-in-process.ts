import { SignalboxError } from '../errors.ts';
import { type Batch } from '../batch.ts';
import { type Broker, type BrokerListener, type Published } from './broker.ts';
import { type Leases } from './leases.ts';
import { type Appended, type Log } from './log.ts';
import { type Draft, type Message } from './message.ts';
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

  /** What happened cannot be taken back: a listener that fails takes nothing from the others, nor from whoever published. */
  function tell(hand: (listener: BrokerListener) => void): void {
    for (const listener of listeners) {
      try {
        hand(listener);
      } catch (error) {
        onFault(error);
      }
    }
  }

  /** How many connections each of them reached. */
  function fanOut(run: Batch<Message>): number[] {
    const reached = run.map(() => 0);
    tell(({ deliver }) =>
      deliver?.(run).forEach((count, index) => (reached[index] = (reached[index] ?? 0) + count)),
    );
    return reached;
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
        { cause },
      );
      for (const { reject } of batch) reject(error);
      return;
    }
    settle(batch, outcomes);
  }

  /** In the order of the log: what follows each other at one address is handed on together. */
  function settle(batch: readonly Waiting[], outcomes: readonly Appended[]): void {
    let run: Message[] = [];
    let publishers: Waiting[] = [];
    let bytes = 0;
    const handOn = () => {
      const reached = run.length > 0 ? fanOut(run) : [];
      run.forEach((message, index) =>
        publishers[index]?.resolve({ message, repeated: false, connections: reached[index] ?? 0 }),
      );
      run = [];
      publishers = [];
      bytes = 0;
    };
    batch.forEach((publish, index) => {
      const appended = outcomes[index];
      if (appended?.outcome === 'APPENDED') {
        if (!continues(run, bytes, appended.message)) handOn();
        run.push(appended.message);
        publishers.push(publish);
        bytes += publish.draft.bytes;
      } else if (appended?.outcome === 'REPEATED')
        publish.resolve({ message: appended.message, repeated: true, connections: 0 });
      else
        publish.reject(new SignalboxError('CONFLICT', 'This idempotency key was used for another message.'));
    });
    handOn();
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
    async control(signal: Signal) {
      let felt = 0;
      tell((listener) => (felt += listener.applySignal?.(signal) ?? 0));
      return felt;
    },
    leases,
    async [Symbol.asyncDispose]() {
      if (waiting.length > 0) flush();
    },
  };
}

/** Messages handed on together at most: beyond, it is cheaper for nobody, and waits longer for everybody. */
const MAX_RUN = 64;
/** Of their data: what is made of a run is made, and sent, as one. */
const MAX_RUN_BYTES = 64 * 1024;

/** Whether a message may be handed on with those before it. */
function continues(run: Batch<Message>, bytes: number, { projectId, address, logged }: Message): boolean {
  const before = run.at(-1);
  return (
    before?.projectId === projectId &&
    before.address === address &&
    (before.logged === null) === (logged === null) &&
    run.length < MAX_RUN &&
    bytes < MAX_RUN_BYTES
  );
}
