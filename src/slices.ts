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

/**
 * Does `work` for each item in order: for the first items at once, for the others in slices. Returns undefined if all are
 * done, otherwise a promise that resolves then. An item that throws does not stop the others.
 * @param onFault receives what `work` throws
 */
export function inSlices<T>(
  items: readonly T[],
  work: (item: T) => void,
  onFault: (error: unknown) => void,
): Promise<void> | undefined {
  const slices = new Slices();
  let done = 0;
  const isFinished = () => {
    while (done < items.length) {
      try {
        work(items[done++] as T);
      } catch (error) {
        onFault(error);
      }
      if (slices.isUsedUp()) break;
    }
    return done === items.length;
  };
  const finishLater = async () => {
    do await slices.nextTurn();
    while (!isFinished());
  };
  return isFinished() ? undefined : finishLater();
}
