import {
  type MembershipFragment,
  type OutcomeFragment,
  SubscribeTokenDocument,
  SubscribeTokensDocument,
  UnsubscribeTokenDocument,
  UnsubscribeTokensDocument,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { type Request } from './transport/request.ts';

/** The membership of a token in a channel. */
export type Membership = MembershipFragment;

/** The outcome for one pair of channel and token: a membership, or an error. */
export type MembershipOutcome = OutcomeFragment;

/** The calls of `signalbox.channels` about memberships. A repetition of one of them has no further effect. */
export function createMemberships(request: Request) {
  return {
    /**
     * Subscribes a token to a channel. When it resolves, every live connection of the token receives the channel.
     *
     * @param options `since`: a cursor; the member may read the messages after it. Default: messages from now on.
     * @throws SignalboxError NOT_FOUND, FORBIDDEN, TOKEN_REVOKED, LIMIT_EXCEEDED
     */
    async subscribeToken(
      channel: string,
      token: string,
      { since, ...options }: CallOptions & { since?: string | undefined } = {},
    ): Promise<Membership> {
      const variables = { channel, token, since };
      return (await request(SubscribeTokenDocument, variables, 'repeatable', options)).subscribeToken;
    },

    /** Ends a membership. When it resolves, no later message reaches the token. Resolves to null when there was none. */
    async unsubscribeToken(
      channel: string,
      token: string,
      options?: CallOptions,
    ): Promise<Membership | null> {
      const variables = { channel, token };
      return (await request(UnsubscribeTokenDocument, variables, 'repeatable', options)).unsubscribeToken;
    },

    /**
     * Subscribes every token to every channel, at most 1,000 pairs. A pair that fails does not undo the others.
     * @throws SignalboxError LIMIT_EXCEEDED
     */
    async subscribeTokens(
      channels: readonly string[],
      tokens: readonly string[],
      options?: CallOptions,
    ): Promise<MembershipOutcome[]> {
      const variables = { channels: [...channels], tokens: [...tokens] };
      return (await request(SubscribeTokensDocument, variables, 'repeatable', options)).subscribeTokens;
    },

    /**
     * Ends the membership of every token in every channel, at most 1,000 pairs.
     * @throws SignalboxError LIMIT_EXCEEDED
     */
    async unsubscribeTokens(
      channels: readonly string[],
      tokens: readonly string[],
      options?: CallOptions,
    ): Promise<MembershipOutcome[]> {
      const variables = { channels: [...channels], tokens: [...tokens] };
      return (await request(UnsubscribeTokensDocument, variables, 'repeatable', options)).unsubscribeTokens;
    },
  };
}
