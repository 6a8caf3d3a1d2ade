import { type Batch } from '../batch.ts';
import { type Activity } from './activity.ts';

/** Which parts of an activity a subscriber receives. */
export interface ActivityView {
  payloads: boolean;
  /** Whether the API key has the scope ADMIN: it also receives network addresses and the data of direct messages. */
  isAdmin: boolean;
}

/** Activities that happened together. Each view is made once, so that the subscribers with the same view share the execution. */
export class ActivityBatch {
  readonly activities: Batch<Activity>;
  readonly #views = new Map<string, Batch<Activity>>();

  constructor(activities: Batch<Activity>) {
    this.activities = activities;
  }

  view({ payloads, isAdmin }: ActivityView): Batch<Activity> {
    const key = `${payloads} ${isAdmin}`;
    const view =
      this.#views.get(key) ??
      this.activities.map((activity) => ({
        ...activity,
        // No other call lets an API key read a direct message. Only messages in a channel have one.
        data: payloads && (isAdmin || activity.channelId !== undefined) ? activity.data : undefined,
        address: isAdmin ? activity.address : undefined,
      }));
    this.#views.set(key, view);
    return view;
  }
}
