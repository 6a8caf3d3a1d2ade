import { Slices } from '../slices.ts';
import { type NodeRegistration } from './node-registration.ts';
import { SIGNAL_KINDS, type Signal } from './signal.ts';
import { SIGNALS_PER_PAGE, type createSignalStore, type StoredSignal } from './signal-store.ts';

/** A signal of another node that has taken effect here. */
export interface AppliedSignal {
  readonly sequence: number;
  /** The registration of the node that sent it. */
  readonly node: string;
  /** The number of connections that it affected, once all of them were notified. */
  readonly affecting: Promise<number>;
}

export interface SignalReaderOptions {
  signalStore: ReturnType<typeof createSignalStore>;
  registration: NodeRegistration;
  /** The number of the last signal when the node was registered. */
  through: number;
  /** Applies a signal to this node: it takes effect at once; resolves to the number of affected connections. */
  apply: (signal: Signal) => Promise<number>;
  /** Drops everything that was derived from rows, because a signal was missed or is not known. */
  reset: () => void;
  /** Called after signals up to `through` have taken effect. */
  onApplied: (through: number, applied: readonly AppliedSignal[]) => void;
}

/** Far more than the announcements that wait at the same time. */
const MAX_UNCLAIMED = 10_000;

/** Reads the signals of all nodes, its own too, and applies them in their order. */
export class SignalReader {
  readonly #options: SignalReaderOptions;
  #appliedThrough: number;
  #polling: Promise<boolean> | undefined;
  /** The number of connections that the signals of this node have affected here, until it is claimed. */
  readonly #affecting = new Map<number, Promise<number>>();

  constructor(options: SignalReaderOptions) {
    this.#options = options;
    this.#appliedThrough = options.through;
  }

  /** All signals up to this number have taken effect. */
  get through(): number {
    return this.#appliedThrough;
  }

  /** Applies signals that were not read from the store, if they follow the last applied one. Otherwise `poll` reads them. */
  applyNext(signals: readonly StoredSignal[]): void {
    if (signals[0]?.sequence === this.#appliedThrough + 1) this.#apply(signals);
  }

  /**
   * Reads and applies all signals that are there now. Shares a read that has not begun yet; one that has begun may be too
   * early. Resolves to whether the node is registered.
   */
  async poll(): Promise<boolean> {
    await this.#polling?.catch(() => undefined);
    this.#polling ??= this.#read().finally(() => (this.#polling = undefined));
    return this.#polling;
  }

  /** The number of connections of this node that its own signals have affected. */
  async claim(first: number, last: number): Promise<number> {
    let connections = 0;
    for (let sequence = first; sequence <= last; sequence++) {
      connections += (await this.#affecting.get(sequence)) ?? 0;
      this.#affecting.delete(sequence);
    }
    return connections;
  }

  async #read(): Promise<boolean> {
    const { signalStore, registration } = this.#options;
    const slices = new Slices();
    for (;;) {
      const sentAt = performance.now();
      const { id } = registration;
      const before = this.#appliedThrough;
      const { head, signals, isRegistered } = await signalStore.readAfter(before, id);
      const [first] = signals;
      // The database was set back, or the signals in between are no longer kept.
      if (
        head < before ||
        (first ? first.sequence > this.#appliedThrough + 1 : head > this.#appliedThrough)
      ) {
        this.#appliedThrough = first ? first.sequence - 1 : head;
        this.#options.reset();
      }
      for (let from = 0; from < signals.length; from += SIGNALS_PER_SLICE) {
        this.#apply(signals.slice(from, from + SIGNALS_PER_SLICE));
        if (slices.shouldYield()) await slices.nextTurn();
      }
      if (signals.length === SIGNALS_PER_PAGE) continue;
      if (isRegistered && id === registration.id) registration.confirm(sentAt);
      return isRegistered;
    }
  }

  #apply(signals: readonly StoredSignal[]): void {
    const applied: AppliedSignal[] = [];
    for (const { sequence, node, signal } of signals) {
      if (sequence <= this.#appliedThrough) continue;
      this.#appliedThrough = sequence;
      if (!SIGNAL_KINDS.has(signal.kind)) this.#options.reset();
      const affecting = this.#options.apply(signal);
      if (node.startsWith(`${this.#options.registration.nodeId}.`)) this.#remember(sequence, affecting);
      else applied.push({ sequence, node, affecting });
    }
    this.#options.onApplied(this.#appliedThrough, applied);
  }

  #remember(sequence: number, affecting: Promise<number>): void {
    this.#affecting.set(sequence, affecting);
    // An announcement whose answer was lost never claims.
    const [oldest] = this.#affecting.keys();
    if (oldest !== undefined && this.#affecting.size > MAX_UNCLAIMED) this.#affecting.delete(oldest);
  }
}

/** A signal can affect thousands of connections, which apply it in slices of their own. */
const SIGNALS_PER_SLICE = 8;
