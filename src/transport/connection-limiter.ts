import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { unavailable, type SignalboxError } from '../errors.ts';
import { RateLimit } from '../rate-limit.ts';

/** Limits the number of connections (WebSocket and SSE) and the rate of connects, for each network address and in total. */
export interface ConnectionLimiter {
  /**
   * Counts a connection. Release its slot when the connection closes.
   *
   * A share of all slots is reserved for API keys. The caller of a WebSocket is unknown before `connection_init`, so when the
   * other slots are taken, a WebSocket gets a reserved slot until then. If all slots are taken, a newer WebSocket evicts
   * such a WebSocket: the oldest one of the same address, else the oldest one of all.
   * @throws RATE_LIMITED when the address connects too often, UNAVAILABLE when there are too many connections
   */
  acquire(address: string, options: AcquireOptions): ConnectionSlot;
}

export interface AcquireOptions {
  /** Whether the caller has an API key. Undefined: the caller is not known yet; call `confirm` when it is. */
  isApiKey?: boolean;
  /** Is called when the connection has to make room; close it then. */
  onEvicted?: () => void;
}

/** The slot of one connection among the limited number of connections. */
export interface ConnectionSlot {
  /**
   * Call once, when the caller of the connection is known.
   * @throws UNAVAILABLE when only reserved slots are left and the caller has no API key
   */
  confirm(isApiKey: boolean): void;
  /** Only the first call counts. */
  release(): void;
}

/**
 * UNRESERVED: a token, an anonymous caller, or a caller that is not known yet, on a slot that is not reserved.
 * UNCONFIRMED: on a reserved slot until its caller is known.
 */
type SlotState = 'UNRESERVED' | 'UNCONFIRMED' | 'API_KEY' | 'RELEASED';

class Slot implements ConnectionSlot {
  readonly #slots: Slots;
  readonly address: string;
  /** Dropped once it is not needed: its closure holds the request of the upgrade, which is 2 KB for each connection. */
  onEvicted: (() => void) | undefined;
  state: SlotState = 'RELEASED';

  constructor(slots: Slots, address: string, onEvicted: (() => void) | undefined) {
    this.#slots = slots;
    this.address = address;
    this.onEvicted = onEvicted;
  }

  confirm(isApiKey: boolean): void {
    const { state } = this;
    if (state === 'RELEASED') throw tooManyConnections();
    this.onEvicted = undefined;
    if (isApiKey) this.#slots.move(this, 'API_KEY');
    else if (state === 'UNCONFIRMED') {
      if (!this.#slots.hasUnreserved) throw tooManyConnections();
      this.#slots.move(this, 'UNRESERVED');
    }
  }

  release(): void {
    this.#slots.move(this, 'RELEASED');
  }
}

/** All slots, by their state and by the address of their connection. */
class Slots {
  readonly #max: number;
  readonly #maxUnreserved: number;
  readonly #counts: Record<SlotState, number> = { UNRESERVED: 0, UNCONFIRMED: 0, API_KEY: 0, RELEASED: 0 };
  readonly #countByAddress = new Map<string, number>();
  /** Oldest first. */
  readonly #unconfirmed = new Set<Slot>();

  constructor(max: number, reservedPercent: number) {
    this.#max = max;
    this.#maxUnreserved = max - Math.floor((max * reservedPercent) / 100);
  }

  get hasAny(): boolean {
    const { UNRESERVED, UNCONFIRMED, API_KEY } = this.#counts;
    return UNRESERVED + UNCONFIRMED + API_KEY < this.#max;
  }

  get hasUnreserved(): boolean {
    return this.#counts.UNRESERVED < this.#maxUnreserved;
  }

  countOf(address: string): number {
    return this.#countByAddress.get(address) ?? 0;
  }

  move(slot: Slot, to: SlotState): void {
    const { state: from, address } = slot;
    if (from === to) return;
    this.#counts[from]--;
    this.#counts[to]++;
    if (from === 'UNCONFIRMED') this.#unconfirmed.delete(slot);
    if (to === 'UNCONFIRMED') this.#unconfirmed.add(slot);
    if (from === 'RELEASED') this.#countByAddress.set(address, this.countOf(address) + 1);
    if (to === 'RELEASED') {
      const count = this.countOf(address) - 1;
      if (count > 0) this.#countByAddress.set(address, count);
      else this.#countByAddress.delete(address);
    }
    slot.state = to;
  }

  /** One address can displace the connections of others only while it has none on a reserved slot itself. */
  evictFor(address: string): void {
    let evicted: Slot | undefined;
    for (const slot of this.#unconfirmed) {
      evicted ??= slot;
      if (slot.address !== address) continue;
      evicted = slot;
      break;
    }
    if (!evicted) return;
    this.move(evicted, 'RELEASED');
    evicted.onEvicted?.();
  }
}

export function createConnectionLimiter(
  config: Pick<
    Config,
    'connectsPerSecond' | 'maxConnections' | 'maxConnectionsPerAddress' | 'reservedConnectionsPercent'
  >,
  clock: Clock,
): ConnectionLimiter {
  const rate = new RateLimit(clock, config.connectsPerSecond, 'connects from this address');
  const slots = new Slots(config.maxConnections, config.reservedConnectionsPercent);

  return {
    acquire(address, { isApiKey, onEvicted }) {
      rate.take(address);
      if (slots.countOf(address) >= config.maxConnectionsPerAddress) throw tooManyConnections();
      if (isApiKey === false && !slots.hasUnreserved) throw tooManyConnections();
      if (!slots.hasAny) slots.evictFor(address);
      if (!slots.hasAny) throw tooManyConnections();
      const slot = new Slot(slots, address, onEvicted);
      if (isApiKey) slots.move(slot, 'API_KEY');
      else slots.move(slot, slots.hasUnreserved ? 'UNRESERVED' : 'UNCONFIRMED');
      return slot;
    },
  };
}

export function tooManyConnections(): SignalboxError {
  return unavailable('There are too many connections, from this address or in total. Try again later.');
}
