import { requireFound } from './errors.ts';
import {
  CountMembersDocument,
  ListChannelTokensDocument,
  ListMembersDocument,
  type MemberFragment,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { listPages, PAGE_SIZE } from './pages.ts';
import { type Token } from './tokens.ts';
import { type Request } from './transport/request.ts';

/** A live connection that is subscribed to a channel. `id` is an address for `publishDirectMessage` and `disconnect`. */
export type Member = MemberFragment;

/** The calls of `signalbox.channels` that read who is in a channel. */
export function createMembers(request: Request) {
  return {
    /** Yields the tokens that are subscribed to a channel, online or offline; reads 100 at a time. */
    tokens(channel: string, options?: CallOptions): AsyncGenerator<Token, void, undefined> {
      return listPages(async (after) => {
        const variables = { channel, first: PAGE_SIZE, after };
        const answer = await request(ListChannelTokensDocument, variables, 'repeatable', options);
        return requireFound('channel', channel, answer.channel).tokens;
      });
    },

    /** Yields the live connections in a channel; reads 100 at a time. */
    members(channel: string, options?: CallOptions): AsyncGenerator<Member, void, undefined> {
      return listPages(async (after) => {
        const variables = { channel, first: PAGE_SIZE, after };
        const answer = await request(ListMembersDocument, variables, 'repeatable', options);
        return requireFound('channel', channel, answer.channel).presence.members;
      });
    },

    /**
     * Counts the live connections in a channel.
     * @throws SignalboxError NOT_FOUND
     */
    async countMembers(channel: string, options?: CallOptions): Promise<number> {
      const answer = await request(CountMembersDocument, { channel }, 'repeatable', options);
      return requireFound('channel', channel, answer.channel).presence.count;
    },
  };
}
