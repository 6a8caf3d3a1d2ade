import { setImmediate as nextTurn } from 'node:timers/promises';

/** Time that one turn of the event loop spends on long work, in milliseconds. Several long tasks may share a turn. */
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
 *   if (slices.shouldYield()) await slices.nextTurn();
 * }
 */
export class Slices {
  #startedAt = performance.now();
  #items = 0;

  /** Counts one item of work. Returns whether the slice has used its share of the turn: 8 ms or 64 items. */
  shouldYield(): boolean {
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
  const runSlice = () => {
    while (done < items.length) {
      try {
        work(items[done++] as T);
      } catch (error) {
        onFault(error);
      }
      if (slices.shouldYield()) break;
    }
    return done === items.length;
  };
  const finishLater = async () => {
    do await slices.nextTurn();
    while (!runSlice());
  };
  return runSlice() ? undefined : finishLater();
}

/** Works that are done in the order in which they were added, in slices of 8 ms. */
export interface SliceQueue {
  add(work: () => void): void;
  /**
   * Does the works that were added: the first ones at once, unless earlier works still wait, and the others in later turns.
   * Undefined if all are done, otherwise a promise that resolves then.
   */
  run(): Promise<void> | undefined;
}

/** @param onFault receives what a work throws; the works after it are done nevertheless */
export function createSliceQueue(onFault: (error: unknown) => void): SliceQueue {
  let waiting: (() => void)[] = [];
  let running: Promise<void> | undefined;

  function runSlice(): void {
    const startedAt = performance.now();
    let done = 0;
    while (done < waiting.length) {
      try {
        waiting[done++]?.();
      } catch (error) {
        onFault(error);
      }
      if (performance.now() - startedAt >= SLICE_MS) break;
    }
    waiting = waiting.slice(done);
  }

  async function runLater(): Promise<void> {
    while (waiting.length > 0) {
      await nextTurn();
      runSlice();
    }
    running = undefined;
  }

  return {
    add: (work) => void waiting.push(work),
    run() {
      if (!running) {
        runSlice();
        if (waiting.length > 0) running = runLater();
      }
      return running;
    },
  };
}

/**
 * Divides work that arrives all at once, such as the close of thousands of sockets, among turns of the event loop. Unlike
 * `Slices`, it is shared: the tasks of many callers wait in one queue, in the order in which they arrived.
 *
 * @example
 * await turns.take();
 */
export class TurnQueue {
  readonly #max: number;
  /** The weight that starts in one turn while tasks wait. It adapts so that a turn takes about 8 ms. */
  #perTurn = 1;
  /** The weight that has started in this turn. */
  #started = 0;
  #startedAt = 0;
  #waiting: { weight: number; start: () => void }[] = [];
  #isScheduled = false;

  /** @param max the weight that starts in one turn at most, if the tasks are fast */
  constructor(max: number) {
    this.#max = max;
  }

  /** Undefined if a task of this weight may start now; otherwise resolves when it may. */
  take(weight = 1): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#started < this.#max) {
      this.#started += weight;
      this.#schedule();
      return undefined;
    }
    return new Promise((start) => {
      this.#waiting.push({ weight, start });
      this.#schedule();
    });
  }

  /** Resolves when all tasks that have arrived so far have started. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0) await nextTurn();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#beginTurn());
  }

  #beginTurn(): void {
    this.#isScheduled = false;
    // Includes the work that the tasks of the last turn did in promises.
    const took = performance.now() - this.#startedAt;
    if (took > SLICE_MS) this.#perTurn = Math.max(1, this.#perTurn / 2);
    else this.#perTurn = Math.min(this.#max, this.#perTurn * 2);
    this.#started = 0;
    this.#startedAt = performance.now();
    let count = 0;
    while (count < this.#waiting.length && this.#started < this.#perTurn)
      this.#started += this.#waiting[count++]?.weight ?? 0;
    for (const { start } of this.#waiting.splice(0, count)) start();
    if (count > 0) this.#schedule();
  }
}
