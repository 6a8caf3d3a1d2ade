import { SignalboxError } from '../errors.ts';
import { Slices } from '../slices.ts';
import { type PostgresStore } from '../store/store.ts';
import { type Broker } from './broker.ts';
import { signalsOf } from './delivery.ts';
import { type Signal } from './signal.ts';
import { createSignalStore, SIGNALS_PER_PAGE, type StoredSignal } from './signal-store.ts';

/** Time between two looks for signals, in milliseconds. It bounds how late a signal takes effect whose hint was lost. */
const POLL_MS = 250;
const CLEAN_UP_MS = 60_000;

/** Signals that tell of no row. They are not kept, so a node that is cut off misses them. */
const UNKEPT: ReadonlySet<Signal['kind']> = new Set<Signal['kind']>([
  'PRESENCE_CHANGED',
  'CONNECTION_SIGNALLED',
]);

/** Sends signals through a table of the database, so that none is lost. */
export interface ControlLog extends Pick<Broker, 'control' | 'announce'>, AsyncDisposable {}

/**
 * The signals of all nodes, in the order in which they were committed. A signal is written in the transaction of the rows that
 * it tells of. Every node reads the table, its own signals too: one whose answer was lost is applied all the same.
 */
export function createControlLog({
  store,
  nodeId,
  apply,
  onFault,
}: {
  store: PostgresStore;
  nodeId: string;
  /** Applies a signal to this node: it takes effect at once; resolves to the number of affected connections. */
  apply: (signal: Signal) => Promise<number>;
  onFault: (error: unknown) => void;
}): ControlLog {
  const signalStore = createSignalStore(store);
  /** What applying the signals of this node has affected, until `announce` asks for it. */
  const affected = new Map<number, Promise<number>>();
  /** All signals up to this number have taken effect; undefined until the first read. */
  let through: number | undefined;
  let polling: Promise<void> | undefined;
  let isClosed = false;

  function applyNext({ sequence, node, signal }: StoredSignal): void {
    if (through !== undefined && sequence <= through) return;
    const affecting = apply(signal);
    through = sequence;
    if (node !== nodeId) return;
    affected.set(sequence, affecting);
    // An announcement whose answer was lost never asks.
    const [oldest] = affected.keys();
    if (oldest !== undefined && affected.size > MAX_UNCLAIMED) affected.delete(oldest);
  }

  async function readNew(): Promise<void> {
    through ??= await signalStore.head();
    const slices = new Slices();
    for (let hasMore = true; hasMore && !isClosed;) {
      const { signals } = await signalStore.readAfter(through);
      for (const stored of signals) {
        applyNext(stored);
        if (slices.shouldYield()) await slices.nextTurn();
      }
      hasMore = signals.length === SIGNALS_PER_PAGE;
    }
  }

  /** Reads and applies what is new; shares a read that has not begun yet, because one that has begun may be too early. */
  async function poll(): Promise<void> {
    await polling?.catch(() => undefined);
    polling ??= readNew().finally(() => (polling = undefined));
    await polling;
  }

  let cleanUpAt = performance.now() + CLEAN_UP_MS;
  async function look(): Promise<void> {
    await poll();
    if (performance.now() < cleanUpAt) return;
    cleanUpAt = performance.now() + CLEAN_UP_MS;
    await signalStore.removeExpired();
  }

  const looks = setInterval(() => void look().catch(reportFault), POLL_MS).unref();

  /** That the database is away is reported by the store; the next look comes soon. */
  function reportFault(error: unknown): void {
    if (!(error instanceof SignalboxError) || error.code !== 'UNAVAILABLE') onFault(error);
  }

  async function countAffected(first: number, last: number): Promise<number> {
    let connections = 0;
    for (let sequence = first; sequence <= last; sequence++) {
      connections += (await affected.get(sequence)) ?? 0;
      affected.delete(sequence);
    }
    return connections;
  }

  const announce: ControlLog['announce'] = async (write, signalOf) => {
    // Before the first signal, so that none before it counts as unknown.
    if (through === undefined) await poll();
    const { result, signals, last } = await store.transaction(async (transaction) => {
      const written = await write(transaction);
      const told = signalsOf(signalOf(written));
      return {
        result: written,
        signals: told,
        last: told.length > 0 ? await signalStore.append(transaction, nodeId, told) : 0,
      };
    });
    if (signals.length === 0) return { result, connections: 0 };
    const first = last - signals.length + 1;
    if (through === first - 1)
      signals.forEach((signal, index) => applyNext({ sequence: first + index, node: nodeId, signal }));
    while (through !== undefined && through < last && !isClosed) await poll();
    return { result, connections: await countAffected(first, last) };
  };

  return {
    announce,
    async control(signal) {
      if (UNKEPT.has(signal.kind)) return apply(signal);
      const { connections } = await announce(
        async () => undefined,
        () => signal,
      );
      return connections;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      clearInterval(looks);
      await polling?.catch(() => undefined);
    },
  };
}

/** Far more than the announcements that wait at the same time. */
const MAX_UNCLAIMED = 10_000;
