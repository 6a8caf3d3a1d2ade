import { type IncomingMessage } from 'node:http';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { RateLimit } from '../rate-limit.ts';

/** Lets connections in, so many at a time and a second, by network address and in all. */
export interface ConnectionLimiter {
  /** The network address of whoever asks, as far as trusted proxies tell. */
  addressOf(request: IncomingMessage): string;
  /** Takes a place. @throws RATE_LIMITED, or UNAVAILABLE when there is none. */
  acquire(address: string): void;
  /** Gives a place back; to be called once for each that was taken. */
  release(address: string): void;
}

export function createConnectionLimiter(config: Config, clock: Clock): ConnectionLimiter {
  const rate = new RateLimit(clock, config.connectsPerSecond, 'connects from your address');
  const inside = new Map<string, number>();
  let all = 0;

  return {
    addressOf(request) {
      const direct = request.socket.remoteAddress ?? '';
      if (config.trustedProxies === 0) return direct;
      // The last entries were appended by proxies that we trust, each naming who came to it.
      const named = String(request.headers['x-forwarded-for'] ?? '').split(',');
      return named.at(-config.trustedProxies)?.trim() || direct;
    },
    acquire(address) {
      rate.take(address);
      const here = inside.get(address) ?? 0;
      if (all >= config.maxConnections || here >= config.maxConnectionsPerAddress) {
        throw new SignalboxError(
          'UNAVAILABLE',
          'There are too many connections, from your address or in all.',
        );
      }
      all++;
      inside.set(address, here + 1);
    },
    release(address) {
      all--;
      const left = (inside.get(address) ?? 1) - 1;
      if (left > 0) inside.set(address, left);
      else inside.delete(address);
    },
  };
}
