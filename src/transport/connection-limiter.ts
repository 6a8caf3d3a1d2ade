import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { unavailable, type SignalboxError } from '../errors.ts';
import { RateLimit } from '../rate-limit.ts';

/** Limits the number of connections (WebSocket and SSE) and the rate of connects, for each network address and in total. */
export interface ConnectionLimiter {
  /**
   * Counts a connection. Release its place when the connection closes.
   *
   * A share of all places is reserved for API keys. The caller of a WebSocket is unknown before `connection_init`, so when the
   * other places are taken, a WebSocket gets a reserved place until then. If all places are taken, a newer WebSocket evicts
   * such a WebSocket: the oldest one of the same address, else the oldest one of all.
   * @throws RATE_LIMITED when the address connects too often, UNAVAILABLE when there are too many connections
   */
  acquire(address: string, options: AcquireOptions): ConnectionPlace;
}

export interface AcquireOptions {
  /** Whether the caller has an API key. Undefined: the caller is not known yet; call `confirm` when it is. */
  isApiKey?: boolean;
  /** Is called when the connection has to make room; close it then. */
  onEvicted?: () => void;
}

/** The place of one connection among the limited number of connections. */
export interface ConnectionPlace {
  /**
   * Call once, when the caller of the connection is known.
   * @throws UNAVAILABLE when only reserved places are left and the caller has no API key
   */
  confirm(isApiKey: boolean): void;
  /** Only the first call counts. */
  release(): void;
}

/**
 * UNRESERVED: a token, an anonymous caller, or a caller that is not known yet, on a place that is not reserved.
 * UNCONFIRMED: on a reserved place until its caller is known.
 */
type PlaceState = 'UNRESERVED' | 'UNCONFIRMED' | 'API_KEY' | 'RELEASED';

class Place implements ConnectionPlace {
  readonly #places: Places;
  readonly address: string;
  /** Dropped once it is not needed: its closure holds the request of the upgrade, which is 2 KB for each connection. */
  onEvicted: (() => void) | undefined;
  state: PlaceState = 'RELEASED';

  constructor(places: Places, address: string, onEvicted: (() => void) | undefined) {
    this.#places = places;
    this.address = address;
    this.onEvicted = onEvicted;
  }

  confirm(isApiKey: boolean): void {
    const { state } = this;
    if (state === 'RELEASED') throw tooManyConnections();
    this.onEvicted = undefined;
    if (isApiKey) this.#places.move(this, 'API_KEY');
    else if (state === 'UNCONFIRMED') {
      if (!this.#places.hasUnreserved) throw tooManyConnections();
      this.#places.move(this, 'UNRESERVED');
    }
  }

  release(): void {
    this.#places.move(this, 'RELEASED');
  }
}

/** All places, by their state and by the address of their connection. */
class Places {
  readonly #max: number;
  readonly #maxUnreserved: number;
  readonly #counts: Record<PlaceState, number> = { UNRESERVED: 0, UNCONFIRMED: 0, API_KEY: 0, RELEASED: 0 };
  readonly #countByAddress = new Map<string, number>();
  /** Oldest first. */
  readonly #unconfirmed = new Set<Place>();

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

  move(place: Place, to: PlaceState): void {
    const { state: from, address } = place;
    if (from === to) return;
    this.#counts[from]--;
    this.#counts[to]++;
    if (from === 'UNCONFIRMED') this.#unconfirmed.delete(place);
    if (to === 'UNCONFIRMED') this.#unconfirmed.add(place);
    if (from === 'RELEASED') this.#countByAddress.set(address, this.countOf(address) + 1);
    if (to === 'RELEASED') {
      const count = this.countOf(address) - 1;
      if (count > 0) this.#countByAddress.set(address, count);
      else this.#countByAddress.delete(address);
    }
    place.state = to;
  }

  /** One address can displace the connections of others only while it has none on a reserved place itself. */
  evictFor(address: string): void {
    let evicted: Place | undefined;
    for (const place of this.#unconfirmed) {
      evicted ??= place;
      if (place.address !== address) continue;
      evicted = place;
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
  const places = new Places(config.maxConnections, config.reservedConnectionsPercent);

  return {
    acquire(address, { isApiKey, onEvicted }) {
      rate.take(address);
      if (places.countOf(address) >= config.maxConnectionsPerAddress) throw tooManyConnections();
      if (isApiKey === false && !places.hasUnreserved) throw tooManyConnections();
      if (!places.hasAny) places.evictFor(address);
      if (!places.hasAny) throw tooManyConnections();
      const place = new Place(places, address, onEvicted);
      if (isApiKey) places.move(place, 'API_KEY');
      else places.move(place, places.hasUnreserved ? 'UNRESERVED' : 'UNCONFIRMED');
      return place;
    },
  };
}

export function tooManyConnections(): SignalboxError {
  return unavailable('There are too many connections, from this address or in total. Try again later.');
}
