import { type Clock } from './clock.ts';
import { SignalboxError } from './errors.ts';

/**
 * Token buckets by key: `perSecond` on average, with bursts of twice that number. Implemented here because the limit must
 * use the injected clock, decide synchronously, and keep recently used keys only.
 *
 * @example
 * const publishes = new RateLimit(clock, 50, 'publishes by this token');
 * publishes.take(token.id); // throws RATE_LIMITED: Too many publishes by this token: at most 50 a second.
 */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #noun: string;
  #recent = new Map<string, Bucket>();
  #older = new Map<string, Bucket>();
  #rotatedAt = 0;

  /** @param noun the limited action in the plural, for the error message */
  constructor(clock: Clock, perSecond: number, noun: string) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#noun = noun;
  }

  /**
   * Takes from the bucket of `key`. A full bucket gives any amount: what exceeds it is a debt of at most the size of the
   * bucket, which refills first.
   * @param amount default: 1
   * @throws RATE_LIMITED with `retryAfterSeconds` when the bucket holds less
   */
  take(key: string, amount = 1): void {
    const bucket = this.require(key, amount);
    bucket.tokens = Math.max(-this.#perSecond * 2, bucket.tokens - amount);
  }

  /**
   * Throws where `take` would, and takes nothing. For an action that several limits must allow.
   * @throws RATE_LIMITED with `retryAfterSeconds` when the bucket holds less
   */
  require(key: string, amount = 1): { tokens: number } {
    const now = this.#clock.now();
    const burst = this.#perSecond * 2;
    const bucket = this.#find(key, now) ?? { tokens: burst, updatedAt: now };
    // A clock that is set back neither fills nor drains a bucket.
    const elapsedMs = Math.max(0, now - bucket.updatedAt);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs / 1000) * this.#perSecond);
    bucket.updatedAt = now;
    this.#recent.set(key, bucket);
    const needed = Math.min(amount, burst);
    if (bucket.tokens < needed) {
      const retryAfterSeconds = Math.ceil((needed - bucket.tokens) / this.#perSecond);
      throw new SignalboxError(
        'RATE_LIMITED',
        `Too many ${this.#noun}: at most ${this.#perSecond} a second.`,
        { retryAfterSeconds },
      );
    }
    return bucket;
  }

  /** A bucket is full again after four seconds, so two generations of that age hold every bucket that is not full. */
  #find(key: string, now: number): Bucket | undefined {
    if (Math.abs(now - this.#rotatedAt) > 4000) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#rotatedAt = now;
    }
    return this.#recent.get(key) ?? this.#older.get(key);
  }
}

interface Bucket {
  tokens: number;
  /** Milliseconds since 1970. */
  updatedAt: number;
}
