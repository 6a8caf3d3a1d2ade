import { SignalboxError } from '../errors.ts';
import { type PostgresStore } from '../store/store.ts';
import { type Broker } from './broker.ts';
import { signalsOf } from './delivery.ts';
import { type NodeRegistration } from './node-registration.ts';
import { createSignalAcks } from './signal-acks.ts';
import { SignalReader } from './signal-reader.ts';
import { createSignalStore, SIGNALS_PER_REMOVAL } from './signal-store.ts';
import { type Signal } from './signal.ts';
import { type Wire } from './wire.ts';

/** Time between two reads of new signals, in milliseconds. It bounds how late a signal takes effect whose hint was lost. */
const LOOK_INTERVAL_MS = 250;
const CLEAN_UP_INTERVAL_MS = 60_000;
/** How long connections stay open while the node is suspended, in milliseconds. Their clients then go to another node. */
const CLOSE_AFTER_MS = 15_000;

/** The kinds of payloads: the number of a new signal, and a signal about no row. */
const SIGNALS = 'signals';
const UNKEPT_SIGNAL = 'signal';

/** Signals about no row. They are not kept, so a node that is cut off misses them. */
const UNKEPT: ReadonlySet<string> = new Set<Signal['kind']>(['PRESENCE_CHANGED', 'CONNECTION_MESSAGE']);

/** Sends signals to all nodes through a table of the database, so that none is lost. */
export interface ControlLog
  extends Pick<Broker, 'control' | 'announce' | 'problem' | 'untilLive'>, AsyncDisposable {
  /** The number of the last signal that this node has applied. */
  readonly through: number;
  /** Applies all signals that there are now. @throws UNAVAILABLE when they cannot be read */
  catchUp(): Promise<void>;
}

export interface ControlLogOptions {
  store: PostgresStore;
  /** The registration of this node, which the control log renews and, where necessary, makes again. */
  registration: NodeRegistration;
  /** The number of the last signal when the node was registered. */
  through: number;
  /** Carries hints and confirmations. Without it, the nodes look for both. */
  wire?: Wire | undefined;
  /** Applies a signal to this node: it takes effect at once; resolves to the number of affected connections. */
  apply: (signal: Signal) => Promise<number>;
  /** Drops everything that was derived from rows, and closes the connections. */
  reset: () => void;
  /** Called before and after each look. */
  onLook: () => void;
  /** Called when the node was registered in another history of the database, before it continues. */
  onHistoryChanged?: () => void;
  /** Called after the node was registered again, under another id. */
  onRegistered: () => Promise<void>;
  onFenced: (nodes: readonly string[]) => void;
  onFault: (error: unknown) => void;
  /** How long connections stay open while the node is suspended, in milliseconds. Default: 15 seconds. */
  closeAfterMs?: number;
  /** Time between two removals of expired signals, in milliseconds. Default: a minute. */
  cleanUpIntervalMs?: number;
}

/**
 * The signals of all nodes, in the order in which they were committed. A signal is written in the transaction of the rows that
 * it tells of; every node reads the table, its own signals too, applies them and confirms that. An announcement resolves when
 * every node with a lease has confirmed its signals, or was fenced: then it can deliver and append nothing any more.
 */
export function createControlLog(options: ControlLogOptions): ControlLog {
  const { store, registration, wire, apply, onFault } = options;
  const { closeAfterMs = CLOSE_AFTER_MS, cleanUpIntervalMs = CLEAN_UP_INTERVAL_MS } = options;
  const signalStore = createSignalStore(store);
  const acks = createSignalAcks({ registration, wire, onFenced: options.onFenced });
  const reader = new SignalReader({
    signalStore,
    registration,
    through: options.through,
    apply,
    reset: options.reset,
    onApplied: acks.confirm,
  });
  let noted = 0;
  let cleanUpAt = performance.now() + cleanUpIntervalMs;
  let looking: Promise<void> | undefined;
  let cleaningUp: Promise<void> | undefined;
  let isClosed = false;

  async function look(): Promise<void> {
    let isRegistered = true;
    const { confirmed } = acks;
    if (registration.isDue() || confirmed > noted) {
      isRegistered = await registration.renew(confirmed);
      noted = confirmed;
    }
    isRegistered &&= await reader.poll();
    if (!isRegistered && !isClosed) {
      const { history } = registration;
      await registration.register();
      if (registration.history !== history) options.onHistoryChanged?.();
      await options.onRegistered();
      await reader.poll();
    }
    if (performance.now() < cleanUpAt) return;
    cleanUpAt = performance.now() + cleanUpIntervalMs;
    // Not awaited: the next look renews the lease.
    cleaningUp ??= removeExpired()
      .catch(reportFault)
      .finally(() => (cleaningUp = undefined));
  }

  async function removeExpired(): Promise<void> {
    while (!isClosed && (await signalStore.removeExpired(registration.id)) === SIGNALS_PER_REMOVAL);
  }

  /** The store reports that the database cannot be reached, and the next poll follows soon: report every other error. */
  function reportFault(error: unknown): void {
    if (!(error instanceof SignalboxError) || error.code !== 'UNAVAILABLE') onFault(error);
  }

  /** When the node was suspended; undefined while it may deliver. */
  let suspendedAt: number | undefined;
  function observe(): void {
    options.onLook();
    const now = performance.now();
    if (registration.holds()) suspendedAt = undefined;
    else if (suspendedAt === undefined) suspendedAt = now;
    else if (now > suspendedAt + closeAfterMs) {
      suspendedAt = now;
      options.reset();
    }
  }

  function tick(): void {
    observe();
    looking ??= look()
      .catch(reportFault)
      .finally(() => {
        looking = undefined;
        observe();
      });
  }
  const ticks = setInterval(tick, LOOK_INTERVAL_MS).unref();
  tick();

  const subscriptions = [
    wire?.listen(SIGNALS, (last) => {
      if (typeof last === 'number' && last > reader.through) reader.poll().catch(reportFault);
    }),
    wire?.listen(UNKEPT_SIGNAL, (signal) => {
      if (isUnkept(signal) && registration.holds()) apply(signal).catch(onFault);
    }),
    wire?.onGap(() => void reader.poll().catch(reportFault)),
  ];

  const announce: ControlLog['announce'] = async (write, signalOf) => {
    const { id } = registration;
    const { result, signals, written } = await store.transaction(async (transaction) => {
      const changed = await write(transaction);
      const told = signalsOf(signalOf(changed));
      return {
        result: changed,
        signals: told,
        written: told.length > 0 ? await signalStore.append(transaction, id, told) : undefined,
      };
    });
    if (!written) return { result, connections: 0 };
    const { last, nodes } = written;
    const first = last - signals.length + 1;
    reader.applyNext(signals.map((signal, index) => ({ sequence: first + index, node: id, signal })));
    wire?.send(SIGNALS, last);
    const collected = acks.collect(nodes, first, last);
    // Wait for both: with Promise.all, the rejection of the second would have no handler.
    const [own, others] = await Promise.allSettled([applyOwn(first, last), collected]);
    if (own.status === 'rejected') throw own.reason;
    if (others.status === 'rejected') throw others.reason;
    return { result, connections: own.value + others.value };
  };

  const problemOf = () => (registration.holds() ? undefined : (registration.clockProblem() ?? SUSPENDED));

  async function askAgain(): Promise<void> {
    const before = looking;
    tick();
    await looking;
    // A look that had begun before the pause tells of that moment.
    if (before && problemOf() !== undefined) {
      tick();
      await looking;
    }
    const problem = problemOf();
    if (problem !== undefined) throw new SignalboxError('UNAVAILABLE', problem);
  }

  async function applyOwn(first: number, last: number): Promise<number> {
    while (reader.through < last && !isClosed) await reader.poll();
    return reader.claim(first, last);
  }

  return {
    announce,
    get through() {
      return reader.through;
    },
    async catchUp() {
      await reader.poll();
    },
    async control(signal) {
      if (UNKEPT.has(signal.kind)) {
        wire?.send(UNKEPT_SIGNAL, signal);
        return apply(signal);
      }
      const { connections } = await announce(
        async () => undefined,
        () => signal,
      );
      return connections;
    },
    problem: problemOf,
    untilLive: () => (registration.holds() ? undefined : askAgain()),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      clearInterval(ticks);
      for (const subscription of subscriptions) subscription?.[Symbol.dispose]();
      acks[Symbol.dispose]();
      await looking;
      await cleaningUp;
      await registration.remove().catch(reportFault);
    },
  };
}

const SUSPENDED =
  'The node is suspended: it could not reach the database in time, and delivers and accepts nothing until it can. Try again later.';

function isUnkept(payload: unknown): payload is Signal {
  const kind = (payload as { kind?: unknown } | null)?.kind;
  return typeof kind === 'string' && UNKEPT.has(kind);
}
