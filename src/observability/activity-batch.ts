import { type Batch } from '../batch.ts';
import { type Activity } from './activity.ts';

/** Which parts of an activity a subscriber receives. */
export interface ActivityView {
  payloads: boolean;
  addresses: boolean;
}

/** Activities that happened together. Each view is made once, so that the subscribers with the same view share the execution. */
export class ActivityBatch {
  readonly activities: Batch<Activity>;
  readonly #views = new Map<string, Batch<Activity>>();

  constructor(activities: Batch<Activity>) {
    this.activities = activities;
  }

  view({ payloads, addresses }: ActivityView): Batch<Activity> {
    const key = `${payloads} ${addresses}`;
    const view =
      this.#views.get(key) ??
      this.activities.map((activity) => ({
        ...activity,
        data: payloads ? activity.data : undefined,
        address: addresses ? activity.address : undefined,
      }));
    this.#views.set(key, view);
    return view;
  }
}
