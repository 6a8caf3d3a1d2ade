import { MAX_TEXT_LENGTH } from '../names.ts';
import { type Restriction } from '../tokens/restriction.ts';
import { MAX_RESTRICTIONS } from '../tokens/restrictions.ts';
import { builder, nullToUndefined } from './builder.ts';
import { RestrictionKindEnum } from './enums.ts';
import { relayConnection, forwardArgs, toRelayConnection, toPageRequest } from './paging.ts';

export const RestrictionRef = builder.objectRef<Restriction>('Restriction').implement({
  description: 'What takes actions away from a token or an identity: a mute or a ban.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`restriction_…`' }),
    kind: t.expose('kind', { type: RestrictionKindEnum, description: 'What it takes away.' }),
    token: t.id({
      nullable: true,
      description: 'The id of the token that it is about; null: it is about an identity.',
      resolve: ({ subject }) => named('token', subject),
    }),
    identity: t.string({
      nullable: true,
      description: 'The identity whose tokens it is about; null: it is about one token.',
      resolve: ({ subject }) => named('identity', subject),
    }),
    channel: t.exposeID('channelId', {
      nullable: true,
      description: 'The id of the channel in which it holds; null: in all.',
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'What its bearer is told of why.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when it holds.' }),
    until: t.expose('until', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when it holds; null: until it is lifted.',
    }),
  }),
});

function named(kind: 'token' | 'identity', subject: Restriction['subject']): string | null {
  return subject.startsWith(`${kind}:`) ? subject.slice(kind.length + 1) : null;
}

const RestrictionConnection = relayConnection('Restriction', RestrictionRef);

const targetArgs = builder.args((t) => ({
  token: t.id({ description: 'This token. Name exactly one of `token` and `identity`.' }),
  identity: t.string({
    description: 'All tokens of this identity, those to come as well: 1–255 visible ASCII characters.',
  }),
}));
const termArgs = builder.args((t) => ({
  until: t.field({ type: 'DateTime', description: 'Until when; absent: until it is lifted.' }),
  reason: t.string({ description: `What the bearer is told of why: at most ${MAX_TEXT_LENGTH} characters.` }),
}));

const MODERATORS =
  'For API keys, and for tokens that may MODERATE in the channel, about others than themselves. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, BAD_USER_INPUT';
const ONE_CHANNEL = 'In this channel; absent, for API keys only: in all channels.';

builder.queryFields((t) => ({
  restrictions: t.field({
    type: RestrictionConnection,
    description: `The mutes and bans that hold now, oldest first. ${MODERATORS}.`,
    args: {
      ...forwardArgs,
      ...targetArgs,
      channel: t.arg.id({ description: 'Those of this channel; absent, for API keys only: all.' }),
    },
    async resolve(_, { token, identity, channel, ...args }, { caller, domain }) {
      const page = toPageRequest(args);
      const filter = {
        token: nullToUndefined(token),
        identity: nullToUndefined(identity),
        channel: nullToUndefined(channel),
      };
      return toRelayConnection(await domain.moderation.list(caller, page, filter), page, ({ id }) => id);
    },
  }),
}));

builder.mutationFields((t) => ({
  mute: t.field({
    type: RestrictionRef,
    description: `Takes PUBLISH away, also from live connections, which are told first with \`Restricted\`; at most ${MAX_RESTRICTIONS} mutes and bans hold for one token or identity. ${MODERATORS}, LIMIT_EXCEEDED.`,
    args: { ...targetArgs, channel: t.arg.id({ description: ONE_CHANNEL }), ...termArgs },
    resolve: (_, { token, identity, channel, until, reason }, { caller, domain }) =>
      domain.moderation.restrict(
        caller,
        'MUTE',
        { token: nullToUndefined(token), identity: nullToUndefined(identity) },
        nullToUndefined(channel),
        { until: nullToUndefined(until), reason: nullToUndefined(reason) },
      ),
  }),
  unmute: t.field({
    type: RestrictionRef,
    nullable: true,
    description: `Lifts a mute; returns what held, null when there was none. ${MODERATORS}.`,
    args: { ...targetArgs, channel: t.arg.id({ description: ONE_CHANNEL }) },
    resolve: (_, { token, identity, channel }, { caller, domain }) =>
      domain.moderation.lift(
        caller,
        'MUTE',
        { token: nullToUndefined(token), identity: nullToUndefined(identity) },
        nullToUndefined(channel),
      ),
  }),
  ban: t.field({
    type: RestrictionRef,
    description: `Shuts a token or an identity out of a channel, also its live connections, which are told first with \`Restricted\`. Its memberships stay and mean nothing until the ban ends. ${MODERATORS}, LIMIT_EXCEEDED.`,
    args: {
      ...targetArgs,
      channel: t.arg.id({ required: true, description: 'From this channel.' }),
      ...termArgs,
    },
    resolve: (_, { token, identity, channel, until, reason }, { caller, domain }) =>
      domain.moderation.restrict(
        caller,
        'BAN',
        { token: nullToUndefined(token), identity: nullToUndefined(identity) },
        channel,
        {
          until: nullToUndefined(until),
          reason: nullToUndefined(reason),
        },
      ),
  }),
  unban: t.field({
    type: RestrictionRef,
    nullable: true,
    description: `Lifts a ban; returns what held, null when there was none. ${MODERATORS}.`,
    args: { ...targetArgs, channel: t.arg.id({ required: true, description: 'From this channel.' }) },
    resolve: (_, { token, identity, channel }, { caller, domain }) =>
      domain.moderation.lift(
        caller,
        'BAN',
        { token: nullToUndefined(token), identity: nullToUndefined(identity) },
        channel,
      ),
  }),
  disconnect: t.int({
    description:
      'Ends live connections (close code 1008), which are told first with `Disconnecting`; returns how many. Their tokens are as good as before: to keep somebody out, `ban` or `revokeToken`. For API keys, and for tokens that may MODERATE in the channel that they name, about those who are there. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, BAD_USER_INPUT.',
    args: {
      connection: t.arg.id({
        description: 'This one. Name exactly one of `connection`, `token` and `identity`.',
      }),
      token: t.arg.id({ description: 'Those of this token.' }),
      identity: t.arg.string({ description: 'Those of all tokens of this identity.' }),
      channel: t.arg.id({ description: 'Only those that are in this channel; needed of moderators.' }),
      reason: t.arg.string({
        description: `What the bearer is told of why: at most ${MAX_TEXT_LENGTH} characters.`,
      }),
    },
    resolve: (_, { connection, token, identity, channel, reason }, { caller, domain }) =>
      domain.moderation.disconnect(
        caller,
        {
          connection: nullToUndefined(connection),
          token: nullToUndefined(token),
          identity: nullToUndefined(identity),
        },
        { channel: nullToUndefined(channel), reason: nullToUndefined(reason) },
      ),
  }),
}));
