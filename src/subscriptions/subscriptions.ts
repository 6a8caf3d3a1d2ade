import { type Broker } from '../broker/broker.ts';
import { type Message } from '../broker/message.ts';
import { type PresenceChange } from '../broker/signal.ts';
import { type Access } from '../channels/access.ts';
import { type Channel } from '../channels/channel.ts';
import { type Memberships } from '../channels/memberships.ts';
import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type Cursors } from '../messages/cursor.ts';
import { type Presence } from '../presence/presence.ts';
import { openChannelMessages, type ChannelMessagesOptions } from './channel-messages.ts';
import { openChannelState } from './channel-state.ts';
import { openDirectMessages } from './direct-messages.ts';
import { type EventStream } from './event-stream.ts';
import { type Event } from './event.ts';
import { openInbox, type InboxOptions } from './inbox.ts';
import { openPresence } from './presence-changes.ts';
import { type DeliveryRecorder } from '../connections/reception.ts';
import { createSharedEvents } from './shared-events.ts';
import { createSignalRouter } from './signal-router.ts';
import { createSubscriberIndex } from './subscriber-index.ts';

/**
 * The sources of all GraphQL subscriptions, one method each. A stream never outlives its connection, and ends with an
 * error as soon as the caller of the connection may no longer receive its events.
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

export interface SubscriptionsDeps {
  broker: Broker;
  access: Access;
  memberships: Memberships;
  presence: Presence;
  cursors: Cursors;
  clock: Clock;
  /** Called with the project and the number of messages of each replayed page, for metrics. */
  replayed: (projectId: string, count: number) => void;
  /** Called with the project of each `Gap` event, for metrics. */
  gap: (projectId: string) => void;
  recorder: DeliveryRecorder;
  onFault: (error: unknown) => void;
}

export function createSubscriptions(baseDeps: SubscriptionsDeps): Subscriptions {
  const { broker, clock, recorder, onFault } = baseDeps;
  const subscriberIndex = createSubscriberIndex({ broker, clock, recorder, onFault });
  const signalRouter = createSignalRouter({ broker, onFault });
  const deps = { ...baseDeps, subscriberIndex, signalRouter, sharedEvents: createSharedEvents(clock) };
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
