import { decideAccess } from '../channels/access.ts';
import { type Membership } from '../channels/channel.ts';
import { MAX_PAIRS, type Outcome } from '../channels/membership-pairs.ts';
import { sequenceOfCursor } from '../messages/start-position.ts';
import { builder } from './builder.ts';
import { ChannelRef } from './channel.ts';
import { OutcomeErrorRef } from './outcome-error.ts';
import { eachInTurn } from './paging.ts';
import { TokenRef } from './token.ts';

const MembershipRef = builder.objectRef<Membership>('Membership').implement({
  description: 'The durable subscription of a token to a channel.',
  fields: (t) => ({
    channel: t.field({
      type: ChannelRef,
      nullable: true,
      description:
        'The channel; null if the caller may not SUBSCRIBE to it, for example after a PRIVATE channel was left.',
      async resolve({ channelId }, _, { caller, domain }) {
        const access = await domain.channels.access.lookup(caller, channelId);
        return access && decideAccess(caller, 'SUBSCRIBE', access).allowed ? access.channel : null;
      },
    }),
    token: t.field({
      type: TokenRef,
      description: 'The token.',
      resolve: ({ tokenId }, _, { caller, domain }) => domain.tokens.get(caller, tokenId),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the membership began.' }),
  }),
});

const MembershipOutcome = builder.objectRef<Outcome>('MembershipOutcome').implement({
  description: 'The outcome for one pair of channel and token.',
  fields: (t) => ({
    channel: t.exposeID('channelId', { description: 'The channel’s id.' }),
    token: t.exposeID('tokenId', { description: 'The token’s id.' }),
    membership: t.expose('membership', {
      type: MembershipRef,
      nullable: true,
      description:
        'The membership that began or ended; null on an error, and if there was no membership to end.',
    }),
    error: t.expose('error', {
      type: OutcomeErrorRef,
      nullable: true,
      description: 'The error; null on success.',
    }),
  }),
});

const pairArgs = builder.args((t) => ({
  channel: t.id({ required: true, description: 'The channel’s id.' }),
  token: t.id({ required: true, description: 'The token’s id.' }),
}));
const pairsArgs = builder.args((t) => ({
  channels: t.idList({ required: true, description: 'The ids of the channels.' }),
  tokens: t.idList({ required: true, description: 'The ids of the tokens.' }),
}));

const EVERY_PAIR = `Every channel is paired with every token, at most ${MAX_PAIRS} pairs. A pair that fails does not undo the others; each pair has its own outcome. For API keys. Throws LIMIT_EXCEEDED, UNAUTHENTICATED, FORBIDDEN.`;

builder.mutationFields((t) => ({
  subscribeToken: t.field({
    type: MembershipRef,
    description:
      'Subscribes a token to a channel. Once the mutation has returned, every later message of the channel is delivered to every live connection of the token, and these connections receive `ChannelAvailable`. The membership survives restarts. Idempotent. For API keys, and for the token itself in UNPROTECTED and PUBLIC channels. The role and grants of the token must allow SUBSCRIBE. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN, TOKEN_REVOKED, LIMIT_EXCEEDED, RATE_LIMITED, BAD_USER_INPUT, and POSITION_LOST for a `since` that is not of this log.',
    args: {
      ...pairArgs,
      since: t.arg({
        type: 'Cursor',
        description:
          'Lets the token read the messages after this cursor in a PRIVATE channel, in `Channel.messages` and when it resumes. Live connections receive new messages only. When absent, the token reads only messages published since the membership began. For API keys.',
      }),
    },
    resolve: (_, { channel, token, since }, { caller, domain }) =>
      domain.memberships.subscribe(
        caller,
        channel,
        token,
        since == null ? undefined : () => sequenceOfCursor(domain, caller.projectId, since, 'since'),
      ),
  }),
  unsubscribeToken: t.field({
    type: MembershipRef,
    nullable: true,
    description:
      'Ends the membership of a token in a channel. Once the mutation has returned, no later message of the channel is delivered to the `events` of the token. Returns the ended membership, or null if there was none. For API keys, and for the token itself. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED.',
    args: { ...pairArgs },
    resolve: (_, { channel, token }, { caller, domain }) =>
      domain.memberships.unsubscribe(caller, channel, token),
  }),
  subscribeTokens: t.field({
    type: [MembershipOutcome],
    description: `Subscribes many tokens to many channels. ${EVERY_PAIR}`,
    args: { ...pairsArgs },
    async resolve(_, { channels, tokens }, { caller, address, domain }, { fieldName: field }) {
      const outcomes = await domain.memberships.subscribeAll(caller, channels, tokens);
      domain.refusals.reportOutcomes({ caller, address, field }, outcomes);
      return eachInTurn(outcomes);
    },
  }),
  unsubscribeTokens: t.field({
    type: [MembershipOutcome],
    description: `Unsubscribes many tokens from many channels. ${EVERY_PAIR}`,
    args: { ...pairsArgs },
    async resolve(_, { channels, tokens }, { caller, address, domain }, { fieldName: field }) {
      const outcomes = await domain.memberships.unsubscribeAll(caller, channels, tokens);
      domain.refusals.reportOutcomes({ caller, address, field }, outcomes);
      return eachInTurn(outcomes);
    },
  }),
}));
