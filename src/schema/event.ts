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
  description: 'Why an event happened.',
  values: {
    UNSUBSCRIBED: { description: 'The membership was ended.' },
    NOT_ALLOWED: { description: 'The token’s role or grants, or the channel’s type, no longer allow it.' },
    BANNED: { description: 'The token was banned from the channel.' },
    DELETED: { description: 'The channel was deleted.' },
    RETENTION: { description: 'Some of what was said is no longer kept.' },
    POSITION_LOST: { description: 'The cursor is not of this log: nobody can say what was missed.' },
    CLIENT_LEFT: { description: 'The client went.' },
    CONNECTION_LOST: { description: 'The socket broke or stopped answering.' },
    TOKEN_EXPIRED: { description: 'The token has expired.' },
    TOKEN_REVOKED: { description: 'The token was revoked.' },
    KEY_ENDED: { description: 'The key that let it in was revoked or replaced.' },
    DISCONNECTED: { description: 'A moderator or a backend ended the connection; `note` may say why.' },
    SLOW_CONSUMER: { description: 'The client did not read fast enough; resume with the last cursor.' },
    DRAINING: { description: 'The service is restarting; resume with the last cursor.' },
  } as const,
});

const EventRef = builder.interfaceRef<Event>('Event').implement({
  description: 'What `events` yields. Fields of the same name have the same type in every event.',
  resolveType: (event) => event.type,
  fields: (t) => ({ at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }) }),
});

builder.objectRef<EventOf<'Connected'>>('Connected').implement({
  description: 'The first event, always: what this connection may hear as of now.',
  interfaces: [EventRef],
  fields: (t) => ({
    connection: t.field({
      type: ConnectionRef,
      description: 'This connection.',
      resolve: ({ connection }) => connection.asMember(),
    }),
    token: t.expose('token', {
      type: TokenRef,
      nullable: true,
      description: 'Its token; null for API keys and anonymous callers.',
    }),
    channels: t.expose('channels', {
      type: [ChannelRef],
      description: 'The channels that are heard, with their state.',
    }),
    cursor: t.field({
      type: 'Cursor',
      description:
        'The given `since` on a resumed start, the head of the log on a fresh one: storing it is always safe.',
      resolve: ({ connection, position }, _, { domain }) =>
        domain.cursors.format(connection.projectId, position),
    }),
  }),
});

builder.objectRef<EventOf<'ChannelAvailable'>>('ChannelAvailable').implement({
  description: 'From now on a channel is heard: the token was subscribed to it, or allowed to hear it.',
  interfaces: [EventRef],
  fields: (t) => ({
    channel: t.expose('channel', { type: ChannelRef, description: 'The channel, with its state.' }),
  }),
});

builder.objectRef<EventOf<'ChannelUnavailable'>>('ChannelUnavailable').implement({
  description: 'From now on a channel is not heard any more.',
  interfaces: [EventRef],
  fields: (t) => ({
    channel: t.expose('channel', { type: ChannelRef, description: 'The channel as it was last seen.' }),
    reason: t.expose('reason', { type: EventReasonEnum, description: 'Why.' }),
  }),
});

builder.objectRef<EventOf<'ChannelMessage'>>('ChannelMessage').implement({
  description: 'Something was said in a channel.',
  interfaces: [EventRef],
  fields: (t) => ({ message: t.expose('message', { type: MessageRef, description: 'What was said.' }) }),
});

builder.objectRef<EventOf<'DirectMessage'>>('DirectMessage').implement({
  description: 'Something was said to this token, its identity or this connection.',
  interfaces: [EventRef],
  fields: (t) => ({ message: t.expose('message', { type: MessageRef, description: 'What was said.' }) }),
});

builder.objectRef<EventOf<'ChannelStateUpdated'>>('ChannelStateUpdated').implement({
  description: 'The state of a channel was changed.',
  interfaces: [EventRef],
  fields: (t) => ({
    channel: t.expose('channel', { type: ChannelRef, description: 'The channel, with its new state.' }),
  }),
});

builder.objectRef<EventOf<'TokenUpdated'>>('TokenUpdated').implement({
  description: 'The token was changed: role, grants, state, data or expiry.',
  interfaces: [EventRef],
  fields: (t) => ({
    token: t.expose('token', { type: TokenRef, nullable: true, description: 'The token as it is now.' }),
  }),
});

builder.objectRef<EventOf<'TokenExpiring'>>('TokenExpiring').implement({
  description:
    'The token expires soon: get a new credential and call `reauthenticate`, or have the backend extend it.',
  interfaces: [EventRef],
  fields: (t) => ({ expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When.' }) }),
});

builder.objectRef<EventOf<'Gap'>>('Gap').implement({
  description:
    'Something was said since the given cursor and is gone. What follows is complete again; reload what you show.',
  interfaces: [EventRef],
  fields: (t) => ({
    reason: t.expose('reason', { type: EventReasonEnum, description: 'RETENTION or POSITION_LOST.' }),
    channels: t.expose('channels', { type: [ChannelRef], description: 'The channels that it concerns.' }),
    directMessages: t.exposeBoolean('directMessages', {
      description: 'Whether it concerns direct messages.',
    }),
  }),
});

builder.objectRef<EventOf<'PresenceChanged'>>('PresenceChanged').implement({
  description: 'Someone joined, left or changed in a channel; only with `presence: true`.',
  interfaces: [EventRef],
  fields: (t) => ({
    presence: t.expose('presence', { type: PresenceEventRef, description: 'What happened.' }),
  }),
});

builder.objectRef<EventOf<'Restricted' | 'RestrictionLifted'>>('Restricted').implement({
  description: 'The token was muted or banned.',
  interfaces: [EventRef],
  fields: (t) => ({
    restriction: t.expose('restriction', { type: RestrictionRef, description: 'What holds from now on.' }),
  }),
});

builder.objectRef<EventOf<'Restricted' | 'RestrictionLifted'>>('RestrictionLifted').implement({
  description: 'A mute or a ban was lifted. One that lapses by itself is not told of.',
  interfaces: [EventRef],
  fields: (t) => ({
    restriction: t.expose('restriction', { type: RestrictionRef, description: 'What held until now.' }),
  }),
});

builder.objectRef<EventOf<'Disconnecting'>>('Disconnecting').implement({
  description: 'The last event: the connection is about to be closed.',
  interfaces: [EventRef],
  fields: (t) => ({
    reason: t.expose('reason', { type: EventReasonEnum, description: 'Why.' }),
    note: t.exposeString('note', {
      nullable: true,
      description: 'What whoever ended it lets its bearer know.',
    }),
  }),
});

builder.subscriptionFields((t) => ({
  events: t.field({
    type: EventRef,
    description:
      'The inbox: everything this connection may hear, as one stream with one cursor. `Connected` comes first; then what was said since `since` in the channels that the token is subscribed to and directly to it, as far as it may hear it now; then what happens. For any caller; without a token there are no channels. To hear a channel that the token is not subscribed to, see `messages`. Throws BAD_USER_INPUT when `since` is no cursor.',
    args: {
      since: t.arg({ type: 'Cursor', description: 'Resume after this cursor. Absent: from now on.' }),
      presence: t.arg.boolean({
        description: 'Whether to yield `PresenceChanged` for those channels too. False by default.',
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
