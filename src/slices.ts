import { setImmediate as nextTurn } from 'node:timers/promises';

/** Time that one turn of the event loop spends on long work, in milliseconds. Several long works may share a turn. */
export const SLICE_MS = 8;
/** Items of one slice, so that tests see several slices on a machine of any speed. */
const MAX_ITEMS = 64;

/**
 * Divides long work among turns of the event loop, so that sockets, timers and publishes are served in between.
 *
 * @example
 * const slices = new Slices();
 * for (const pair of pairs) {
 *   await subscribe(pair);
 *   if (slices.isUsedUp()) await slices.nextTurn();
 * }
 */
export class Slices {
  #startedAt = performance.now();
  #items = 0;

  /** Counts one item of work. Returns whether this turn has spent its share: 8 ms or 64 items. */
  isUsedUp(): boolean {
    return ++this.#items >= MAX_ITEMS || performance.now() - this.#startedAt >= SLICE_MS;
  }

  /** Resolves in the next turn of the event loop, in which a new slice begins. */
  async nextTurn(): Promise<void> {
    await nextTurn();
    this.#startedAt = performance.now();
    this.#items = 0;
  }
}
