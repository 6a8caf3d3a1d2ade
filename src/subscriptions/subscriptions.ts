import { type Message } from '../broker/message.ts';
import { type PresenceChange } from '../broker/signal.ts';
import { type Channel } from '../channels/channel.ts';
import { type Connection } from '../connections/connection.ts';
import { openChannelMessages, type ChannelMessagesOptions } from './channel-messages.ts';
import { openChannelState } from './channel-state.ts';
import { openDirectMessages } from './direct-messages.ts';
import { type EventStream } from './event-stream.ts';
import { type Event } from './event.ts';
import { createSharedEvents, openInbox, type InboxDeps, type InboxOptions } from './inbox.ts';
import { openPresence } from './presence-changes.ts';
import { createSignalRouter } from './signal-router.ts';
import { createSubscriberIndex } from './subscriber-index.ts';

/**
 * Every GraphQL subscription, one method each. A stream lives no longer than its connection, and ends with an error
 * as soon as the connection's caller may no longer receive it.
 */
export interface Subscriptions extends Disposable {
  /** See `openInbox`. */
  events(connection: Connection, options: InboxOptions): Promise<EventStream<Event>>;
  /** See `openChannelMessages`. */
  messages(
    connection: Connection,
    channelId: string,
    options: ChannelMessagesOptions,
  ): Promise<EventStream<Message>>;
  /** See `openDirectMessages`. */
  directMessages(
    connection: Connection,
    options: { since?: string | undefined },
  ): Promise<EventStream<Message>>;
  /** See `openChannelState`. */
  channelState(connection: Connection, channelId: string): Promise<EventStream<Channel>>;
  /** See `openPresence`. */
  presence(connection: Connection, channelId: string): Promise<EventStream<PresenceChange>>;
}

export type SubscriptionsDeps = Omit<InboxDeps, 'subscriberIndex' | 'signalRouter' | 'shared'> & {
  onFault: (error: unknown) => void;
};

export function createSubscriptions(given: SubscriptionsDeps): Subscriptions {
  const { broker, clock, onFault } = given;
  const subscriberIndex = createSubscriberIndex({ broker, clock, onFault });
  const signalRouter = createSignalRouter({ broker, onFault });
  const deps: InboxDeps = { ...given, subscriberIndex, signalRouter, shared: createSharedEvents(clock) };
  return {
    events: (connection, options) => openInbox(deps, connection, options),
    messages: (connection, channelId, options) => openChannelMessages(deps, connection, channelId, options),
    directMessages: (connection, options) => openDirectMessages(deps, connection, options),
    channelState: (connection, channelId) => openChannelState(deps, connection, channelId),
    presence: (connection, channelId) => openPresence(deps, connection, channelId),
    [Symbol.dispose]() {
      signalRouter[Symbol.dispose]();
      subscriberIndex[Symbol.dispose]();
    },
  };
}
