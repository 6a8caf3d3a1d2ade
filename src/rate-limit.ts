import { type Clock } from './clock.ts';
import { SignalboxError } from './errors.ts';

/**
 * Token buckets by key: `perSecond` on average, bursts of twice that. Our own, because it must run on the
 * injected clock, answer without a turn of the event loop, and hold no more keys than were used lately.
 */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #what: string;
  #recent = new Map<string, Bucket>();
  #older = new Map<string, Bucket>();
  #turnedAt = 0;

  constructor(clock: Clock, perSecond: number, what: string) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#what = what;
  }

  /** @throws RATE_LIMITED with `retryAfterSeconds`, and takes nothing, when `key` has used up its share. */
  take(key: string): void {
    const now = this.#clock.now();
    const burst = this.#perSecond * 2;
    const bucket = this.#find(key, now) ?? { left: burst, at: now };
    // A clock that is set back fills nothing, and takes nothing away.
    const elapsedMs = Math.max(0, now - bucket.at);
    bucket.left = Math.min(burst, bucket.left + (elapsedMs / 1000) * this.#perSecond);
    bucket.at = now;
    this.#recent.set(key, bucket);
    if (bucket.left < 1) {
      const retryAfterSeconds = Math.ceil((1 - bucket.left) / this.#perSecond);
      throw new SignalboxError(
        'RATE_LIMITED',
        `Too many ${this.#what}: at most ${this.#perSecond} a second.`,
        {
          retryAfterSeconds,
        },
      );
    }
    bucket.left -= 1;
  }

  /** A bucket is full again after two seconds, so two generations of that age hold every one that matters. */
  #find(key: string, now: number): Bucket | undefined {
    if (Math.abs(now - this.#turnedAt) > 2000) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#turnedAt = now;
    }
    return this.#recent.get(key) ?? this.#older.get(key);
  }
}

interface Bucket {
  left: number;
  at: number;
}
