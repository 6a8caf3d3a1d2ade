import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type TurnQueue } from '../slices.ts';
import { type Sink, type Source } from '../subscriptions/event-stream.ts';
import { ActivityBacklog } from './activity-backlog.ts';
import { visibleIn, type ActivityBatch, type ActivityView } from './activity-batch.ts';
import { ActivityBudget } from './activity-budget.ts';
import {
  requireActivityRights,
  selects,
  type ActivityFilter,
  type ActivityRights,
} from './activity-filter.ts';
import { type Activity, type ActivityKind } from './activity.ts';
import { TRAFFIC } from './recent-activities.ts';

/** Activities that one subscription receives on average per second; a burst of twice this number passes. */
export const ACTIVITIES_PER_SECOND = 1000;
/** How long after activities were skipped their number is delivered. */
export const SKIP_NOTICE_MS = 1000;
/** Past activities with which a subscription begins at most. */
export const MAX_RECENT = 200;
/** Past activities that count as one delivery: as many as are delivered together later. */
const RECENT_PER_DELIVERY = 50;

export interface ActivityListenerOptions extends ActivityFilter {
  payloads: boolean;
  /** Messages, presence changes and changes of connections that the subscription receives on average per second. */
  perSecond: number;
  /** The number of the newest activities with which the subscription begins, up to `MAX_RECENT`. */
  recent: number;
}

export interface ActivityListenerDeps {
  clock: Clock;
  /** Adds the listener to those that receive activities, until the returned value is disposed. */
  listen: (listener: ActivityListener) => Disposable;
  /** Called once, when the subscription has ended. */
  stopped: (listener: ActivityListener) => void;
  /** The newest activities up to now that pass the filter, the oldest first. */
  recent: (listener: ActivityListener, limit: number, passes: (activity: Activity) => boolean) => Activity[];
  /** Divides the deliveries to all listeners among turns of the event loop. */
  turns: TurnQueue;
}

/**
 * One subscription to activities. What a reader has no room for waits in a bounded backlog. The oldest activities that exceed it
 * are skipped, and so are those beyond the rate; their number is delivered once a second.
 */
export class ActivityListener implements Source<Activity> {
  readonly #deps: ActivityListenerDeps;
  readonly #connection: Connection;
  readonly #options: ActivityListenerOptions;
  readonly #rights: ActivityRights;
  readonly #budget: ActivityBudget;
  readonly #trafficBudget: ActivityBudget;
  readonly #backlog = new ActivityBacklog();
  #sink: Sink<Activity> | undefined;
  #listening: Disposable | undefined;
  #isDelivering = false;
  #skipped = 0;
  #noticeTimer: Disposable | undefined;

  /** @throws as `requireActivityRights` */
  constructor(deps: ActivityListenerDeps, connection: Connection, options: ActivityListenerOptions) {
    this.#deps = deps;
    this.#connection = connection;
    this.#options = options;
    this.#rights = requireActivityRights(connection.caller, options);
    this.#budget = new ActivityBudget(deps.clock, ACTIVITIES_PER_SECOND);
    this.#trafficBudget = new ActivityBudget(deps.clock, options.perSecond);
  }

  get projectId(): string {
    return this.#connection.projectId;
  }

  get isOperator(): boolean {
    return this.#rights.isOperator;
  }

  start(sink: Sink<Activity>): void {
    this.#sink = sink;
    const { recent } = this.#options;
    const turn = recent > 0 ? this.#deps.turns.take(Math.ceil(recent / RECENT_PER_DELIVERY)) : undefined;
    if (turn) void turn.then(() => this.#begin());
    else this.#begin();
  }

  /** The past and the beginning of what follows it are one step, so that nothing falls in between and nothing comes twice. */
  #begin(): void {
    if (!this.#sink) return;
    this.#listening = this.#deps.listen(this);
    const { recent } = this.#options;
    if (recent === 0) return;
    const passes = (activity: Activity) => selects(this.#options, this.#rights, activity);
    const activities = this.#deps.recent(this, recent, passes);
    const sink = this.#openSink();
    if (!sink || activities.length === 0) return;
    sink.deliver(activities.map((activity) => visibleIn(this.#view(), activity)));
  }

  /** Delivers the batches: the first ones now, unless they have to wait for their turn or for the reader. */
  async deliver(batches: readonly ActivityBatch[]): Promise<void> {
    for (const batch of batches) this.#backlog.add(batch);
    if (this.#isDelivering) return this.#skipOldest();
    this.#isDelivering = true;
    try {
      while (!this.#backlog.isEmpty) {
        const turn = this.#deps.turns.take();
        if (turn) await turn;
        const room = this.#sink?.whenWritable();
        if (room) {
          this.#skipOldest();
          await room;
        }
        const batch = this.#backlog.take();
        if (batch) this.#deliverBatch(batch);
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  /** The rights of an API key never change, and its connections close when it ends. */
  reauthorize(): void {}

  stop(): void {
    this.#sink = undefined;
    this.#backlog.clear();
    this.#listening?.[Symbol.dispose]();
    this.#noticeTimer?.[Symbol.dispose]();
    this.#deps.stopped(this);
  }

  #deliverBatch(batch: ActivityBatch): void {
    const sink = this.#openSink();
    if (!sink) return;
    const selected = this.#select(batch);
    if (selected.length === 0) return;
    const passed = selected.filter((index) => this.#take(batch.activities[index]?.kind));
    this.#skip(selected.length - passed.length);
    if (passed.length === 0) return;
    sink.deliver(batch.view(this.#view(), passed));
  }

  /** The sink, if the connection may still receive something. */
  #openSink(): Sink<Activity> | undefined {
    const connection = this.#connection;
    const now = this.#deps.clock.now();
    if (now >= connection.nextDueAt) connection.applyDue();
    return connection.isOpen(now) ? this.#sink : undefined;
  }

  #view(): ActivityView {
    return { payloads: this.#options.payloads, isAdmin: this.#rights.isAdmin };
  }

  /** The indexes of the activities that the subscription asks for and may see. */
  #select({ activities }: ActivityBatch): number[] {
    const selected: number[] = [];
    activities.forEach((activity, index) => {
      if (selects(this.#options, this.#rights, activity)) selected.push(index);
    });
    return selected;
  }

  /** Skips the oldest of the waiting activities, if too many wait. */
  #skipOldest(): void {
    for (const batch of this.#backlog.shorten()) this.#skip(this.#select(batch).length);
  }

  #take(kind: ActivityKind | undefined): boolean {
    const isTraffic = kind !== undefined && TRAFFIC.has(kind);
    return (!isTraffic || this.#trafficBudget.take()) && this.#budget.take();
  }

  #skip(count: number): void {
    if (count === 0 || !this.#sink) return;
    this.#skipped += count;
    this.#noticeTimer ??= this.#deps.clock.after(SKIP_NOTICE_MS, () => this.#deliverNotice());
  }

  /** Delivers the number of skipped activities, once the subscriber reads again. */
  #deliverNotice(): void {
    this.#noticeTimer = undefined;
    if (!this.#sink) return;
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
