import { type PresenceChange } from '../broker/signal.ts';
import { SignalboxError } from '../errors.ts';
import { builder } from './builder.ts';
import { ConnectionRef } from './connection.ts';

const PresenceChangeEnum = builder.enumType('PresenceChange', {
  description: 'How the presence of a member of a channel changed.',
  values: {
    JOINED: { description: 'The connection subscribed to the channel.' },
    LEFT: { description: 'The connection left the channel; `leaveReason` tells why.' },
    UPDATED: { description: 'The presence state of the connection changed.' },
  } as const,
});

const LeaveReasonEnum = builder.enumType('LeaveReason', {
  description: 'Why a connection left a channel.',
  values: {
    LEFT: { description: 'The connection unsubscribed, was unsubscribed, or was closed by the client.' },
    CONNECTION_LOST: { description: 'The socket failed or stopped answering pings.' },
    EXPIRED: { description: 'The token expired.' },
    REVOKED: { description: 'The token was revoked, or the key of its credential is no longer valid.' },
    NOT_ALLOWED: {
      description:
        'The token was banned from the channel, or its role, its grants or the type of the channel no longer allow SUBSCRIBE.',
    },
    DISCONNECTED: { description: 'A moderator or a backend ended the connection.' },
    SLOW_CONSUMER: { description: 'The client did not read fast enough.' },
    DRAINING: { description: 'The node is shutting down, or has lost its database.' },
    LEASE_LAPSED: { description: 'The node of the connection crashed and its lease expired.' },
  } as const,
});

export const PresenceEventRef = builder.objectRef<PresenceChange>('PresenceEvent').implement({
  description: 'A change of the presence of a channel.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When the change happened.' }),
    change: t.expose('change', { type: PresenceChangeEnum, description: 'The kind of change.' }),
    channel: t.exposeID('channelId', { description: 'The id of the channel.' }),
    member: t.expose('member', { type: ConnectionRef, description: 'The connection.' }),
    leaveReason: t.expose('reason', {
      type: LeaveReasonEnum,
      nullable: true,
      description: 'Why the connection left; null for other changes.',
    }),
  }),
});

builder.mutationFields((t) => ({
  setPresence: t.field({
    type: ConnectionRef,
    description:
      'Sets the presence state of the calling connection, which the other members of its channels see. A channel shows the state only while the connection may PUBLISH there: a muted token, a SUBSCRIBER or a GUEST stays present with the state null. Requires a live connection and counts as a publish; null is always allowed. Throws FORBIDDEN or UNAUTHENTICATED when the connection is in channels and may PUBLISH in none of them, RATE_LIMITED, BAD_USER_INPUT over plain HTTP, PAYLOAD_TOO_LARGE beyond 1 KiB by default.',
    args: { state: t.arg({ type: 'JSON', description: 'The new presence state; null: none.' }) },
    resolve(_, { state }, { connection, domain }) {
      if (!connection)
        throw new SignalboxError(
          'BAD_USER_INPUT',
          'setPresence needs a live connection. Call it over the WebSocket.',
        );
      return domain.presence.setState(connection, state ?? null);
    },
  }),
}));

builder.subscriptionFields((t) => ({
  presence: t.field({
    type: PresenceEventRef,
    description:
      'Joins, leaves and changes of presence state in a channel, from now on. For callers that may PRESENCE. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND.',
    args: { channel: t.arg.id({ required: true, description: 'The id of the channel.' }) },
    subscribe: async (_, { channel }, context) =>
      context.domain.subscriptions.presence(await context.connect(), channel),
    resolve: (change) => change,
  }),
}));
