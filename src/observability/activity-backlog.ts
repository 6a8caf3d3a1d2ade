import { type ActivityBatch } from './activity-batch.ts';

/** Activities of a project that wait for a subscriber at most: as many as pass in a burst. */
export const MAX_WAITING = 2000;
/** The data of the activities that wait for a subscriber at most, in characters of JSON. */
export const MAX_WAITING_DATA = 1024 * 1024;

/**
 * The batches that wait for a subscriber who reads too slowly. The oldest are dropped first, so that the backlogs of all subscribers of a
 * project hold the same batches, and take together as much memory as one.
 */
export class ActivityBacklog {
  #batches: ActivityBatch[] = [];

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  add(batch: ActivityBatch): void {
    this.#batches.push(batch);
  }

  /** Removes the oldest batch. */
  take(): ActivityBatch | undefined {
    return this.#batches.shift();
  }

  clear(): void {
    this.#batches = [];
  }

  /** Drops the oldest batches while too much waits, and returns them. The newest batch stays. */
  shorten(): ActivityBatch[] {
    let count = 0;
    let data = 0;
    const first = this.#batches.findLastIndex((batch) => {
      count += batch.activities.length;
      data += batch.dataLength;
      return count > MAX_WAITING || data > MAX_WAITING_DATA;
    });
    return this.#batches.splice(0, Math.min(first + 1, this.#batches.length - 1));
  }
}
