import { type PresenceChange } from '../broker/signal.ts';
import { SignalboxError } from '../errors.ts';
import { builder } from './builder.ts';
import { ConnectionRef } from './connection.ts';

const PresenceChangeEnum = builder.enumType('PresenceChange', {
  description: 'What happened to a member of a channel.',
  values: {
    JOINED: { description: 'It hears the channel from now on.' },
    LEFT: { description: 'It no longer does; `leaveReason` says why.' },
    UPDATED: { description: 'What it shows has changed.' },
  } as const,
});

const LeaveReasonEnum = builder.enumType('LeaveReason', {
  description: 'Why a connection is no longer in a channel.',
  values: {
    LEFT: { description: 'It unsubscribed, was unsubscribed, or went of its own accord.' },
    CONNECTION_LOST: { description: 'Its socket broke or stopped answering.' },
    EXPIRED: { description: 'Its token expired.' },
    REVOKED: { description: 'Its token was revoked.' },
    NOT_ALLOWED: { description: 'Its role, its grants or the type of the channel changed.' },
    DISCONNECTED: { description: 'A moderator or a backend ended the connection.' },
    SLOW_CONSUMER: { description: 'It did not read fast enough.' },
    DRAINING: { description: 'Its node is shutting down.' },
    LEASE_LAPSED: { description: 'Its node died without a word.' },
  } as const,
});

export const PresenceEventRef = builder.objectRef<PresenceChange>('PresenceEvent').implement({
  description: 'A change of who is in a channel.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    change: t.expose('change', { type: PresenceChangeEnum, description: 'What happened.' }),
    channel: t.exposeID('channelId', { description: 'The channel’s id.' }),
    member: t.expose('member', { type: ConnectionRef, description: 'The connection, as others may see it.' }),
    leaveReason: t.expose('reason', {
      type: LeaveReasonEnum,
      nullable: true,
      description: 'Why it left; null otherwise.',
    }),
  }),
});

builder.mutationFields((t) => ({
  setPresence: t.field({
    type: ConnectionRef,
    description:
      'Sets what this connection shows to others in the channels it is in. Over a live socket; counts as a publish. Throws RATE_LIMITED, BAD_USER_INPUT over plain HTTP, PAYLOAD_TOO_LARGE beyond 1 KiB by default.',
    args: { state: t.arg({ type: 'JSON', description: 'What to show; null: nothing.' }) },
    resolve(_, { state }, { connection, domain }) {
      if (!connection) throw new SignalboxError('BAD_USER_INPUT', 'setPresence needs a live socket.');
      return domain.presence.setState(connection, state ?? null);
    },
  }),
}));

builder.subscriptionFields((t) => ({
  presence: t.field({
    type: PresenceEventRef,
    description:
      'Who joins, leaves and changes what it shows in a channel, from now on. For whoever may PRESENCE there. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND.',
    args: { channel: t.arg.id({ required: true, description: 'The channel’s id.' }) },
    subscribe: async (_, { channel }, context) =>
      context.domain.subscriptions.presence(await context.connect(), channel),
    resolve: (change) => change,
  }),
}));
