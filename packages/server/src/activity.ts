import {
  type ActivityKind,
  FollowActivityDocument,
  type FollowActivitySubscription,
} from './generated/operations.ts';
import { type Follow, type StreamOptions } from './transport/follow.ts';

/** Something that happened in the project. Fields that do not apply to the `action` are null. */
export type Activity = FollowActivitySubscription['activity'];

/** Selects activities. Absent fields select all that the API key may see. */
export interface ActivityFilter {
  /** Only these kinds. `SKIPPED` always comes. */
  kinds?: ActivityKind[] | undefined;
  channel?: string | undefined;
  /** Only what is about this token, or done by it. */
  token?: string | undefined;
  identity?: string | undefined;
  /** Whether to include the data of messages and presence states. Default: false. */
  payloads?: boolean | undefined;
  /** Messages, presence changes and changes of connections per second, on average: from 1 to 1,000. Default: 1,000. */
  perSecond?: number | undefined;
  /**
   * The number of newest past activities with which the loop begins, the oldest of them first, without their data: from 0 to 200.
   * `replayed` is true for them. Default: 0.
   */
  recent?: number | undefined;
}

/** The call `signalbox.activity`. */
export function createActivity(follow: Follow) {
  /**
   * Yields the activities of the project from now on, after the newest past ones if `recent` is set, until the loop is left or `signal`
   * is aborted. A stream that is lost is opened again. Nothing is replayed then: an activity of the kind `SKIPPED` with the action `stream.resumed` and no `count`
   * stands where activities may be missing.
   *
   * @throws SignalboxError UNAUTHENTICATED, FORBIDDEN, LIMIT_EXCEEDED, BAD_USER_INPUT; a retryable error only if the first
   *   stream cannot be opened with `retries` repetitions
   */
  return async function* (
    { recent, ...filter }: ActivityFilter = {},
    options?: StreamOptions,
  ): AsyncGenerator<Activity, void, undefined> {
    const { kinds, channel, token, identity, payloads, perSecond } = filter;
    const later = { kinds, channel, token, identity, payloads, perSecond };
    // What a stream that is opened again would begin with was yielded, at least in part.
    const stream = follow(FollowActivityDocument, { ...later, recent }, { ...options, later });
    for await (const event of stream) yield event === 'resumed' ? resumed() : event.activity;
  };
}

/** Stands where activities may be missing, as the service does it for those that it skips. */
const resumed = (): Activity => ({
  ...{ at: new Date().toISOString(), kind: 'SKIPPED', action: 'stream.resumed', count: null },
  ...{ actor: null, subject: null, channel: null, token: null, identity: null, connection: null },
  ...{ code: null, reason: null, sentence: null, field: null, address: null },
  ...{ message: null, event: null, data: null, replayed: false },
});
