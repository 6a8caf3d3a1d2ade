import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type Sink, type Source } from '../subscriptions/event-stream.ts';
import { type ActivityBatch } from './activity-batch.ts';
import {
  requireActivityRights,
  selects,
  type ActivityFilter,
  type ActivityRights,
} from './activity-filter.ts';
import { type Activity } from './activity.ts';

/** Activities that one subscription receives on average per second; a burst of twice this number passes. */
export const ACTIVITIES_PER_SECOND = 1000;
/** How long after activities were skipped the subscriber is told, if none follows that tells it earlier. */
export const SKIP_NOTICE_MS = 1000;

export interface ActivityListenerOptions extends ActivityFilter {
  payloads: boolean;
}

export interface ActivityListenerDeps {
  clock: Clock;
  /** Adds the listener to those that receive activities, until the returned value is disposed. */
  listen: (listener: ActivityListener) => Disposable;
}

/**
 * One subscription to activities. Nothing waits for a reader that is too slow, or for activities beyond the rate: they are
 * skipped, and the subscriber is told how many they were before it receives anything else.
 */
export class ActivityListener implements Source<Activity> {
  readonly #deps: ActivityListenerDeps;
  readonly #connection: Connection;
  readonly #options: ActivityListenerOptions;
  readonly #rights: ActivityRights;
  #sink: Sink<Activity> | undefined;
  #listening: Disposable | undefined;
  #budget = 2 * ACTIVITIES_PER_SECOND;
  #refilledAt: number;
  #skipped = 0;
  #noticeTimer: Disposable | undefined;

  /** @throws as `requireActivityRights` */
  constructor(deps: ActivityListenerDeps, connection: Connection, options: ActivityListenerOptions) {
    this.#deps = deps;
    this.#connection = connection;
    this.#options = options;
    this.#rights = requireActivityRights(connection.caller, options);
    this.#refilledAt = deps.clock.monotonic();
  }

  get projectId(): string {
    return this.#connection.projectId;
  }

  get isOperator(): boolean {
    return this.#rights.isOperator;
  }

  start(sink: Sink<Activity>): void {
    this.#sink = sink;
    this.#listening = this.#deps.listen(this);
  }

  deliver(batch: ActivityBatch): void {
    const connection = this.#connection;
    const now = this.#deps.clock.now();
    if (now >= connection.nextDueAt) connection.applyDue();
    const sink = this.#sink;
    if (!sink || !connection.isOpen(now)) return;
    const isSelected = (activity: Activity) => selects(this.#options, this.#rights, activity);
    const selected = batch.activities.filter(isSelected).length;
    if (selected === 0) return;
    if (sink.whenWritable() !== undefined || !this.#take(selected)) return this.#skip(selected);
    const view = batch.view({ payloads: this.#options.payloads, isAdmin: this.#rights.isAdmin });
    const wanted = selected === view.length ? view : view.filter(isSelected);
    sink.deliver(this.#skipped === 0 ? wanted : [this.#takeNotice(), ...wanted]);
  }

  /** The rights of an API key never change, and its connections close when it ends. */
  reauthorize(): void {}

  stop(): void {
    this.#sink = undefined;
    this.#listening?.[Symbol.dispose]();
    this.#noticeTimer?.[Symbol.dispose]();
  }

  #take(count: number): boolean {
    const now = this.#deps.clock.monotonic();
    const refill = ((now - this.#refilledAt) * ACTIVITIES_PER_SECOND) / 1000;
    this.#budget = Math.min(2 * ACTIVITIES_PER_SECOND, this.#budget + refill);
    this.#refilledAt = now;
    if (this.#budget < count) return false;
    this.#budget -= count;
    return true;
  }

  #skip(count: number): void {
    this.#skipped += count;
    this.#noticeTimer ??= this.#deps.clock.after(SKIP_NOTICE_MS, () => this.#deliverNotice());
  }

  /** Delivers the number of skipped activities, unless a delivery has included it, once the subscriber reads again. */
  #deliverNotice(): void {
    this.#noticeTimer = undefined;
    if (this.#skipped === 0 || !this.#sink) return;
    if (this.#sink.whenWritable() === undefined) this.#sink.deliver([this.#takeNotice()]);
    else this.#noticeTimer = this.#deps.clock.after(SKIP_NOTICE_MS, () => this.#deliverNotice());
  }

  #takeNotice(): Activity {
    const count = this.#skipped;
    this.#skipped = 0;
    return {
      at: this.#deps.clock.now(),
      kind: 'SKIPPED',
      action: 'skipped',
      projectId: this.projectId,
      count,
    };
  }
}
