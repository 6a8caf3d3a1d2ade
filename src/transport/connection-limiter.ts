import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { RateLimit } from '../rate-limit.ts';

/** Limits the number of connections (WebSocket and SSE) and the rate of connects, for each network address and in total. */
export interface ConnectionLimiter {
  /**
   * Counts a connection. Call `release` once for each successful `acquire`.
   * @throws RATE_LIMITED when the address connects too often, UNAVAILABLE when there are too many connections
   */
  acquire(address: string): void;
  release(address: string): void;
}

export function createConnectionLimiter(config: Config, clock: Clock): ConnectionLimiter {
  const rate = new RateLimit(clock, config.connectsPerSecond, 'connects from this address');
  const countByAddress = new Map<string, number>();
  let total = 0;

  return {
    acquire(address) {
      rate.take(address);
      const count = countByAddress.get(address) ?? 0;
      if (total >= config.maxConnections || count >= config.maxConnectionsPerAddress) {
        throw new SignalboxError(
          'UNAVAILABLE',
          'There are too many connections, from this address or in total. Try again later.',
        );
      }
      total++;
      countByAddress.set(address, count + 1);
    },
    release(address) {
      total--;
      const count = (countByAddress.get(address) ?? 1) - 1;
      if (count > 0) countByAddress.set(address, count);
      else countByAddress.delete(address);
    },
  };
}
