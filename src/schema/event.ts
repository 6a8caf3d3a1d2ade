import { type Event } from '../subscriptions/event.ts';
import { builder, nullToUndefined } from './builder.ts';
import { ChannelRef } from './channel.ts';
import { ConnectionRef } from './connection.ts';
import { MessageRef } from './message.ts';
import { RestrictionRef } from './moderation.ts';
import { PresenceEventRef } from './presence.ts';
import { TokenRef } from './token.ts';

type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;

const EventReasonEnum = builder.enumType('EventReason', {
  description:
    'The reason of a `Disconnecting`, `ChannelUnavailable` or `Gap` event. ChannelUnavailable: UNSUBSCRIBED, NOT_ALLOWED, BANNED, DELETED. Gap: RETENTION, POSITION_LOST, MEMBERSHIP. Disconnecting: all other values.',
  values: {
    UNSUBSCRIBED: { description: 'The membership was ended by `unsubscribeToken`.' },
    NOT_ALLOWED: {
      description:
        'The role or the grants of the token, or the type of the channel, no longer allow SUBSCRIBE.',
    },
    BANNED: { description: 'The token was banned from the channel.' },
    DELETED: { description: 'The channel was deleted.' },
    RETENTION: { description: 'The log no longer holds some of the messages.' },
    POSITION_LOST: {
      description: 'The cursor does not belong to this log, so the missed messages are unknown.',
    },
    MEMBERSHIP: {
      description:
        'Messages were published after the cursor and before the membership of the token began. The inbox does not show them.',
    },
    CLIENT_LEFT: { description: 'The client closed the connection.' },
    CONNECTION_LOST: { description: 'The socket failed or stopped answering pings.' },
    TOKEN_EXPIRED: { description: 'The token has expired.' },
    TOKEN_REVOKED: { description: 'The token was revoked.' },
    KEY_ENDED: { description: 'The key that authenticated the connection was revoked or replaced.' },
    DISCONNECTED: { description: 'A moderator or a backend ended the connection; `note` may give a reason.' },
    SLOW_CONSUMER: { description: 'The client did not read fast enough; resume with the last cursor.' },
    DRAINING: {
      description: 'The service is restarting, or has lost its database; resume with the last cursor.',
    },
  } as const,
});

const EventRef = builder.interfaceRef<Event>('Event').implement({
  description:
    'An event of the `events` subscription. Fields of the same name have the same type in every event.',
  resolveType: (event) => event.type,
  fields: (t) => ({ at: t.expose('at', { type: 'DateTime', description: 'When the event happened.' }) }),
});

builder.objectRef<EventOf<'Connected'>>('Connected').implement({
  description: 'Always the first event: the channels that the connection receives now.',
  interfaces: [EventRef],
  fields: (t) => ({
    connection: t.field({
      type: ConnectionRef,
      description: 'The connection itself.',
      resolve: ({ connection }) => connection.asMember(),
    }),
    token: t.expose('token', {
      type: TokenRef,
      nullable: true,
      description: 'The token of the connection; null for API keys and anonymous callers.',
    }),
    channels: t.expose('channels', {
      type: [ChannelRef],
      description: 'The channels that the connection receives, with their state.',
    }),
    cursor: t.field({
      type: 'Cursor',
      description:
        'The given `since` when the client resumes, the head of the log otherwise. Storing this cursor is always safe.',
      resolve: ({ connection, position }, _, { domain }) =>
        domain.cursors.format(connection.projectId, position),
    }),
    resumed: t.exposeBoolean('resumed', {
      description:
        'Whether the events after the given `since` follow. False on a fresh start, and when the position of `since` is lost: then reload what you display.',
    }),
  }),
});

builder.objectRef<EventOf<'ChannelAvailable'>>('ChannelAvailable').implement({
  description:
    'The connection now receives a channel: the token was subscribed to the channel, or was allowed to SUBSCRIBE again.',
  interfaces: [EventRef],
  fields: (t) => ({
    channel: t.expose('channel', { type: ChannelRef, description: 'The channel with its state.' }),
  }),
});

builder.objectRef<EventOf<'ChannelUnavailable'>>('ChannelUnavailable').implement({
  description: 'The connection no longer receives a channel.',
  interfaces: [EventRef],
  fields: (t) => ({
    channel: t.expose('channel', {
      type: ChannelRef,
      description: 'The channel as the connection last saw it.',
    }),
    reason: t.expose('reason', { type: EventReasonEnum, description: 'The reason.' }),
  }),
});

builder.objectRef<EventOf<'ChannelMessage'>>('ChannelMessage').implement({
  description: 'A message was published to a channel.',
  interfaces: [EventRef],
  fields: (t) => ({ message: t.expose('message', { type: MessageRef, description: 'The message.' }) }),
});

builder.objectRef<EventOf<'DirectMessage'>>('DirectMessage').implement({
  description: 'A message was published directly to the token, to its identity or to the connection.',
  interfaces: [EventRef],
  fields: (t) => ({ message: t.expose('message', { type: MessageRef, description: 'The message.' }) }),
});

builder.objectRef<EventOf<'ChannelStateUpdated'>>('ChannelStateUpdated').implement({
  description: 'The state of a channel changed.',
  interfaces: [EventRef],
  fields: (t) => ({
    channel: t.expose('channel', { type: ChannelRef, description: 'The channel with its new state.' }),
  }),
});

builder.objectRef<EventOf<'TokenUpdated'>>('TokenUpdated').implement({
  description: 'The role, grants, state, connection data or expiry of the token changed.',
  interfaces: [EventRef],
  fields: (t) => ({
    token: t.expose('token', {
      type: TokenRef,
      nullable: true,
      description: 'The token with its new values.',
    }),
  }),
});

builder.objectRef<EventOf<'TokenExpiring'>>('TokenExpiring').implement({
  description:
    'The token expires soon. Fetch a new credential and call `reauthenticate`. Extending the token with `updateToken` also keeps this connection open, but a later reconnect needs a credential with the new expiry.',
  interfaces: [EventRef],
  fields: (t) => ({
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the token expires.' }),
  }),
});

builder.objectRef<EventOf<'Gap'>>('Gap').implement({
  description:
    'Messages after the given cursor may be missing; `reason` tells why. The events after this one are complete again: reload the listed channels.',
  interfaces: [EventRef],
  fields: (t) => ({
    reason: t.expose('reason', {
      type: EventReasonEnum,
      description: 'RETENTION, POSITION_LOST or MEMBERSHIP.',
    }),
    channels: t.expose('channels', {
      type: [ChannelRef],
      description:
        'The channels to reload: those with missing messages, or all channels when the position is lost.',
    }),
    directMessages: t.exposeBoolean('directMessages', {
      description: 'Whether direct messages were missed.',
    }),
  }),
});

builder.objectRef<EventOf<'PresenceChanged'>>('PresenceChanged').implement({
  description:
    'A member joined, left or changed its presence state in a channel; only with `presence: true`.',
  interfaces: [EventRef],
  fields: (t) => ({
    presence: t.expose('presence', { type: PresenceEventRef, description: 'The change.' }),
  }),
});

builder.objectRef<EventOf<'Restricted' | 'RestrictionLifted'>>('Restricted').implement({
  description: 'The token was muted or banned.',
  interfaces: [EventRef],
  fields: (t) => ({
    restriction: t.expose('restriction', {
      type: RestrictionRef,
      description: 'The mute or ban that applies from now on.',
    }),
  }),
});

builder.objectRef<EventOf<'Restricted' | 'RestrictionLifted'>>('RestrictionLifted').implement({
  description: 'A mute or a ban was lifted. The expiry of a mute or ban is not announced.',
  interfaces: [EventRef],
  fields: (t) => ({
    restriction: t.expose('restriction', {
      type: RestrictionRef,
      description: 'The mute or ban that no longer applies.',
    }),
  }),
});

builder.objectRef<EventOf<'Disconnecting'>>('Disconnecting').implement({
  description: 'The last event: the service is about to close the connection.',
  interfaces: [EventRef],
  fields: (t) => ({
    reason: t.expose('reason', { type: EventReasonEnum, description: 'The reason.' }),
    note: t.exposeString('note', {
      nullable: true,
      description: 'A note of the moderator or backend that ended the connection.',
    }),
  }),
});

builder.subscriptionFields((t) => ({
  events: t.field({
    type: EventRef,
    description:
      'The inbox: all messages and changes for the connection, as one stream with one cursor. The first event is `Connected`. Then the service replays the messages that were published since `since` to the channels of the token and directly to the token, as far as the token may receive them now. Then it delivers new events. For any caller; a connection without a token has no channels. To receive a channel without a membership, use `messages`. Throws BAD_USER_INPUT when `since` is not a cursor, UNAUTHENTICATED when the project accepts neither anonymous callers nor guests, RATE_LIMITED when the token has left and joined channels too often, and LIMIT_EXCEEDED when the connection, the token or the project has too many distinct subscription operations.',
    args: {
      since: t.arg({
        type: 'Cursor',
        description:
          'Replay all events after this cursor first. Absent: the `since` of `connection_init`, or start now.',
      }),
      presence: t.arg.boolean({
        description: 'Whether to yield `PresenceChanged` for these channels, too. False by default.',
      }),
    },
    subscribe: async (_, { since, presence }, context) =>
      context.domain.subscriptions.events(await context.connect(), {
        since: nullToUndefined(since),
        presence: presence ?? false,
      }),
    resolve: (event) => event,
  }),
}));
