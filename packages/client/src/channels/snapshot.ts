import { type SignalboxError } from '../errors.ts';
import { type AnyMessage, type EventMap, type EventName } from '../message.ts';
import { type ChannelMember } from './members.ts';
import { type TypingUser } from './typing.ts';

/** A published message, or one of this client that is on its way. */
export type TimelineEntry<Events extends EventMap> = {
  [Event in EventName<Events>]: {
    /** Stays the same from the call of `publish` to the published message: a key for lists. */
    readonly key: string;
    readonly state: 'queued' | 'sending' | 'failed' | 'published';
    readonly event: Event;
    readonly data: Events[Event];
    /** The published message; undefined while the entry is on its way. */
    readonly message: Extract<AnyMessage<Events>, { event: Event }> | undefined;
    /** Whether this client published it. */
    readonly isOwn: boolean;
    /** RFC 3339: when it was published, or written. */
    readonly at: string;
    /** In `failed`: why. */
    readonly error: SignalboxError | undefined;
    /** In `failed`: publishes it again. */
    retry(): void;
    /** In `failed`: removes it. */
    discard(): void;
  };
}[EventName<Events>];

/** Everything that a page shows of a channel. A new object after each change, so that it can be compared by identity. */
export interface ChannelSnapshot<Events extends EventMap> {
  readonly messages: readonly TimelineEntry<Events>[];
  /** The state of the channel; undefined until it is known. */
  readonly state: unknown;
  /** The version of the state; 0 until it is known. */
  readonly version: number;
  readonly members: readonly ChannelMember[];
  readonly typing: readonly TypingUser[];
  readonly hasOlder: boolean;
  readonly isLoading: boolean;
  /** Why the channel cannot be received now, for example FORBIDDEN. */
  readonly error: SignalboxError | undefined;
}
