import { type Clock } from '../clock.ts';
import { ActivityBatch } from './activity-batch.ts';
import { type Activity } from './activity.ts';

/** How long an activity waits at most for those that follow it. */
export const GATHER_MS = 100;
/** Activities that are gathered at most; then they are delivered at once. */
const MAX_GATHERED = 1000;
/** Activities that are delivered in one turn of the event loop: enough to share one write, too few to make the turn long. */
const CHUNK = 50;

/**
 * Gathers the activities of a project, so that a busy one costs each subscriber ten executions and writes per second instead of
 * one for each activity. After a pause, an activity is delivered at once.
 */
export class ActivityGatherer implements Disposable {
  readonly #clock: Clock;
  readonly #deliver: (chunks: readonly ActivityBatch[]) => void;
  #gathered: Activity[] = [];
  #flushedAt = -Infinity;
  #timer: Disposable | undefined;

  constructor(clock: Clock, deliver: (chunks: readonly ActivityBatch[]) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  add(activities: readonly Activity[]): void {
    for (const activity of activities) this.#gathered.push(activity);
    const rest = this.#flushedAt + GATHER_MS - this.#clock.monotonic();
    if (rest <= 0 || this.#gathered.length >= MAX_GATHERED) this.flush();
    else this.#timer ??= this.#clock.after(rest, () => this.flush());
  }

  /** Delivers what was gathered. */
  flush(): void {
    this[Symbol.dispose]();
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    this.#gathered = [];
    this.#flushedAt = this.#clock.monotonic();
    const chunks: ActivityBatch[] = [];
    for (let start = 0; start < gathered.length; start += CHUNK)
      chunks.push(new ActivityBatch(gathered.slice(start, start + CHUNK)));
    this.#deliver(chunks);
  }

  /** Cancels the timer. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
