import { type Clock } from '../clock.ts';

/** A number per second; a burst of twice this number passes. */
export class ActivityBudget {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #left: number;
  #refilledAt: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#left = 2 * perSecond;
    this.#refilledAt = clock.monotonic();
  }

  take(): boolean {
    const now = this.#clock.monotonic();
    this.#left = Math.min(
      2 * this.#perSecond,
      this.#left + ((now - this.#refilledAt) * this.#perSecond) / 1000,
    );
    this.#refilledAt = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
