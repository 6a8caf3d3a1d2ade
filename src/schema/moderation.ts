import { MAX_TEXT_LENGTH } from '../names.ts';
import { type Restriction } from '../tokens/restriction.ts';
import { MAX_RESTRICTIONS } from '../tokens/restrictions.ts';
import { builder, nullToUndefined } from './builder.ts';
import { RestrictionKindEnum } from './enums.ts';
import { relayConnection, forwardArgs, readRelayConnection, toPageRequest } from './paging.ts';

export const RestrictionRef = builder.objectRef<Restriction>('Restriction').implement({
  description: 'A mute or a ban: it takes actions away from a token or an identity.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`restriction_…`' }),
    kind: t.expose('kind', {
      type: RestrictionKindEnum,
      description: 'Whether the restriction is a mute or a ban.',
    }),
    token: t.id({
      nullable: true,
      description: 'The id of the restricted token; null if an identity is restricted.',
      resolve: ({ subject }) => named('token', subject),
    }),
    identity: t.string({
      nullable: true,
      description: 'The restricted identity; null if one token is restricted.',
      resolve: ({ subject }) => named('identity', subject),
    }),
    channel: t.exposeID('channelId', {
      nullable: true,
      description: 'The id of the channel that the restriction applies to; null: all channels.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'The reason that the restricted client is shown.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the restriction began.' }),
    until: t.expose('until', {
      type: 'DateTime',
      nullable: true,
      description: 'When the restriction ends; null: it holds until it is lifted.',
    }),
  }),
});

function named(kind: 'token' | 'identity', subject: Restriction['subject']): string | null {
  return subject.startsWith(`${kind}:`) ? subject.slice(kind.length + 1) : null;
}

const RestrictionConnection = relayConnection('Restriction', RestrictionRef);

const targetArgs = builder.args((t) => ({
  token: t.id({ description: 'The id of the token. Pass exactly one of `token` and `identity`.' }),
  identity: t.string({
    description: 'The identity; applies to its present and future tokens. 1–255 visible ASCII characters.',
  }),
}));
const termArgs = builder.args((t) => ({
  until: t.field({
    type: 'DateTime',
    description: 'When the restriction ends; absent: it holds until it is lifted.',
  }),
  reason: t.string({
    description: `The reason that the client is shown: at most ${MAX_TEXT_LENGTH} characters.`,
  }),
}));

const MODERATORS =
  'For API keys, and for tokens that may MODERATE in the channel; a token cannot moderate itself. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, RATE_LIMITED, BAD_USER_INPUT';
const ONE_CHANNEL = 'The id of the channel; absent: all channels, for API keys only.';

builder.queryFields((t) => ({
  restrictions: t.field({
    type: RestrictionConnection,
    description:
      'The mutes and bans that apply now, oldest first. For API keys, and for tokens that may MODERATE in the channel. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, BAD_USER_INPUT.',
    args: {
      ...forwardArgs,
      token: t.arg.id({
        description: 'Only restrictions of this token. Mutually exclusive with `identity`.',
      }),
      identity: t.arg.string({ description: 'Only restrictions of this identity.' }),
      channel: t.arg.id({
        description: 'Only restrictions in this channel; absent: all, for API keys only.',
      }),
    },
    async resolve(_, { token, identity, channel, ...args }, { caller, domain }) {
      const filter = {
        token: nullToUndefined(token),
        identity: nullToUndefined(identity),
        channel: nullToUndefined(channel),
      };
      return readRelayConnection(
        toPageRequest(args),
        (page) => domain.moderation.list(caller, page, filter),
        ({ id }) => id,
      );
    },
  }),
}));

builder.mutationFields((t) => ({
  mute: t.field({
    type: RestrictionRef,
    description: `Mutes a token or an identity: takes PUBLISH away. Live connections receive \`Restricted\` first. A token or identity has at most ${MAX_RESTRICTIONS} mutes and bans. ${MODERATORS}, LIMIT_EXCEEDED.`,
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
    description: `Lifts a mute. Returns the lifted mute, or null if there was none. ${MODERATORS}.`,
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
    description: `Bans a token or an identity from a channel: takes all actions away. Live connections receive \`Restricted\` first. Memberships stay, without effect until the ban ends. ${MODERATORS}, LIMIT_EXCEEDED.`,
    args: {
      ...targetArgs,
      channel: t.arg.id({ required: true, description: 'The id of the channel.' }),
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
    description: `Lifts a ban. Returns the lifted ban, or null if there was none. ${MODERATORS}.`,
    args: { ...targetArgs, channel: t.arg.id({ required: true, description: 'The id of the channel.' }) },
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
      'Closes live connections (close code 1008) and returns the number of closed connections. They receive `Disconnecting` first. Their tokens stay valid: use `ban` or `revokeToken` to keep a client out. For API keys, and for tokens that may MODERATE in `channel`, for connections in that channel. Throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, RATE_LIMITED, BAD_USER_INPUT.',
    args: {
      connection: t.arg.id({
        description: 'The id of the connection. Pass exactly one of `connection`, `token` and `identity`.',
      }),
      token: t.arg.id({ description: 'All connections of this token.' }),
      identity: t.arg.string({ description: 'All connections of all tokens of this identity.' }),
      channel: t.arg.id({ description: 'Only connections in this channel; required for tokens.' }),
      reason: t.arg.string({
        description: `The reason that the client is shown: at most ${MAX_TEXT_LENGTH} characters.`,
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
