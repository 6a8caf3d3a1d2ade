import { type Batch } from '../batch.ts';
import { type Activity } from './activity.ts';

/** Which parts of an activity a subscriber receives. */
export interface ActivityView {
  payloads: boolean;
  /** Whether the API key has the scope ADMIN: it also receives network addresses and the data of direct messages. */
  isAdmin: boolean;
}

/**
 * Activities that happened together. Each view of all of them is made once, so that the subscribers with the same view share the
 * execution.
 */
export class ActivityBatch {
  readonly activities: Batch<Activity>;
  #dataLength: number | undefined;
  readonly #views = new Map<string, Batch<Activity>>();

  constructor(activities: Batch<Activity>) {
    this.activities = activities;
  }

  /** The size of all data, in characters of JSON. Most batches are delivered at once, so it is counted on demand. */
  get dataLength(): number {
    return (this.#dataLength ??= this.activities.reduce(
      (sum, { data }) => sum + (data === undefined ? 0 : JSON.stringify(data).length),
      0,
    ));
  }

  /** The activities at these indexes. A subscription with a low rate receives a few of many, so only those are made. */
  view(view: ActivityView, indexes: readonly number[]): Batch<Activity> {
    if (indexes.length < this.activities.length)
      return indexes.flatMap((index) => {
        const activity = this.activities[index];
        return activity ? [visibleIn(view, activity)] : [];
      });
    const key = `${view.payloads} ${view.isAdmin}`;
    const whole = this.#views.get(key) ?? this.activities.map((activity) => visibleIn(view, activity));
    this.#views.set(key, whole);
    return whole;
  }
}

/** The activity as a subscriber with this view receives it. */
export function visibleIn({ payloads, isAdmin }: ActivityView, activity: Activity): Activity {
  return {
    ...activity,
    // No other call lets an API key read a direct message. Only messages in a channel have one.
    data: payloads && (isAdmin || activity.channelId !== undefined) ? activity.data : undefined,
    address: isAdmin ? activity.address : undefined,
  };
}
