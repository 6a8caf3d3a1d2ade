import {
  type AnyMessage,
  type EventMap,
  type EventName,
  type Message,
  type MessageListeners,
} from '../message.ts';
import { type AbortSignalLike } from '../runtime.ts';
import { type ChannelMember } from './members.ts';
import { type ChannelSnapshot } from './snapshot.ts';
import { type TypingUser } from './typing.ts';

/** Which page of the history to read. */
export interface HistoryOptions {
  /** The number of messages: 1–100, 50 by default. */
  readonly limit?: number;
  /** Only messages before this cursor. */
  readonly before?: string;
}

/** A page of the history, oldest message first. */
export interface History<Events extends EventMap> {
  readonly messages: readonly AnyMessage<Events>[];
  /** Pass it as `before` to read the page before this one; undefined when there is none. */
  readonly before: string | undefined;
}

/** Options of `Channel.messages`. */
export interface MessagesOptions {
  /** Begin after this cursor. */
  readonly since?: string;
  /** Begin with the newest messages of the history: 1–100. Mutually exclusive with `since`. */
  readonly last?: number;
  /** Ends the iteration. */
  readonly signal?: AbortSignalLike;
}

/** Options of `Channel.publish`. */
export interface PublishOptions {
  /** Whether to skip the log: delivered to live connections only. Not queued: rejects with OFFLINE without a connection. */
  readonly ephemeral?: boolean;
}

/** A channel of a client. `client.channel(id)` returns the same object as long as it is in use or referred to. */
export interface Channel<Events extends EventMap> extends MessageListeners<Events> {
  readonly id: string;
  /**
   * Publishes a message and resolves once the service has kept it. While there is no connection, the message is queued.
   * It is never published twice. Failures need not be handled: the snapshot of the channel shows them, with `retry()`.
   *
   * @throws SignalboxError with a code of the service, OUTBOX_FULL, OUTBOX_EXPIRED, OFFLINE or ENDED
   */
  publish<Event extends EventName<Events>>(
    event: Event,
    data: Events[Event],
    options?: PublishOptions,
  ): Promise<Message<Events[Event], Event>>;
  /** Reads a page of the history. */
  history(options?: HistoryOptions): Promise<History<Events>>;
  /** Yields messages, each once and in order, also across reconnects. Throws POSITION_LOST when some are lost. */
  messages(options?: MessagesOptions): AsyncGenerator<AnyMessage<Events>, void>;
  /** The state of the channel; undefined until it is known. */
  readonly state: unknown;
  readonly presence: {
    /** Users that are present, while the channel is shown (see `subscribe`). */
    readonly members: readonly ChannelMember[];
    /** Sets the presence state of this connection, in all its channels. It is set again after each reconnect. */
    set(state: unknown): void;
  };
  readonly typing: {
    readonly users: readonly TypingUser[];
    /** Call it at each key press; it is throttled and ends by itself. */
    start(): void;
    /** Ends it at once. */
    stop(): void;
  };
  /**
   * Shows the channel: loads the newest page, members and state, and keeps them up to date until the returned function
   * is called. `listener` is called after each change of `getSnapshot()`.
   *
   * @param options.history the number of messages to load: 1–100, 50 by default
   */
  subscribe(listener: () => void, options?: { readonly history?: number }): () => void;
  /** What a page shows: the same object until something changes. */
  getSnapshot(): ChannelSnapshot<Events>;
  /**
   * Loads the page before the oldest loaded message. Does nothing when there is none.
   *
   * @param limit the number of messages: 1–100, 50 by default
   */
  loadOlder(limit?: number): Promise<void>;
}
