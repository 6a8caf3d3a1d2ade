import { decideAccess } from '../channels/access.ts';
import { type Membership } from '../channels/channel.ts';
import { MAX_PAIRS, type Outcome } from '../channels/memberships.ts';
import { builder } from './builder.ts';
import { ChannelRef } from './channel.ts';
import { ErrorCodeEnum } from './enums.ts';
import { TokenRef } from './token.ts';

const MembershipRef = builder.objectRef<Membership>('Membership').implement({
  description: 'The durable link “this token is subscribed to this channel”.',
  fields: (t) => ({
    channel: t.field({
      type: ChannelRef,
      nullable: true,
      description: 'The channel; null where the caller may not hear it, as after leaving a PRIVATE one.',
      async resolve({ channelId }, _, { caller, domain }) {
        const encounter = await domain.channels.access.lookup(caller, channelId);
        return encounter && decideAccess(caller, 'SUBSCRIBE', encounter).allowed ? encounter.channel : null;
      },
    }),
    token: t.field({
      type: TokenRef,
      description: 'The token.',
      resolve: ({ tokenId }, _, { caller, domain }) => domain.tokens.get(caller, tokenId),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
  }),
});

const OutcomeError = builder.objectRef<NonNullable<Outcome['error']>>('OutcomeError').implement({
  description: 'Why one of many could not be done.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'From the catalogue of errors.' }),
    message: t.exposeString('message', { description: 'A sentence for people.' }),
  }),
});

const MembershipOutcome = builder.objectRef<Outcome>('MembershipOutcome').implement({
  description: 'What became of one pair of channel and token.',
  fields: (t) => ({
    channel: t.exposeID('channelId', { description: 'The channel’s id.' }),
    token: t.exposeID('tokenId', { description: 'The token’s id.' }),
    membership: t.expose('membership', {
      type: MembershipRef,
      nullable: true,
      description:
        'The membership that holds, or that ended; null when there was none to end, and on an error.',
    }),
    error: t.expose('error', {
      type: OutcomeError,
      nullable: true,
      description: 'Why it could not be done; null when it was.',
    }),
  }),
});

const pairArgs = builder.args((t) => ({
  channel: t.id({ required: true, description: 'The channel’s id.' }),
  token: t.id({ required: true, description: 'The token’s id.' }),
}));
const pairsArgs = builder.args((t) => ({
  channels: t.idList({ required: true, description: 'Ids of channels.' }),
  tokens: t.idList({ required: true, description: 'Ids of tokens.' }),
}));

const MANY = `Every channel with every token, at most ${MAX_PAIRS} pairs; one that fails does not undo the others, and each outcome is named. For API keys. Throws LIMIT_EXCEEDED, FORBIDDEN.`;

builder.mutationFields((t) => ({
  subscribeToken: t.field({
    type: MembershipRef,
    description:
      'Subscribes a token to a channel. Once it returns, all that is said there reaches every live connection of the token, which also gets `ChannelAvailable`; it survives restarts. Idempotent. For API keys, and for a token itself in UNPROTECTED and PUBLIC channels. Throws NOT_FOUND, FORBIDDEN when role or grants would hear nothing, TOKEN_REVOKED, LIMIT_EXCEEDED.',
    args: { ...pairArgs },
    resolve: (_, { channel, token }, { caller, domain }) =>
      domain.memberships.subscribe(caller, channel, token),
  }),
  unsubscribeToken: t.field({
    type: MembershipRef,
    nullable: true,
    description:
      'Ends a membership. Once it returns, nothing that is said there reaches the token’s `events`. Returns what ended, null when there was none. For API keys, and for the token itself. Throws NOT_FOUND, FORBIDDEN.',
    args: { ...pairArgs },
    resolve: (_, { channel, token }, { caller, domain }) =>
      domain.memberships.unsubscribe(caller, channel, token),
  }),
  subscribeTokens: t.field({
    type: [MembershipOutcome],
    description: `Subscribes many tokens to many channels. ${MANY}`,
    args: { ...pairsArgs },
    resolve: (_, { channels, tokens }, { caller, domain }) =>
      domain.memberships.subscribeAll(caller, channels, tokens),
  }),
  unsubscribeTokens: t.field({
    type: [MembershipOutcome],
    description: `Unsubscribes many tokens from many channels. ${MANY}`,
    args: { ...pairsArgs },
    resolve: (_, { channels, tokens }, { caller, domain }) =>
      domain.memberships.unsubscribeAll(caller, channels, tokens),
  }),
}));
