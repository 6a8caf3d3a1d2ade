import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { notFound } from '../errors.ts';
import { type Statement } from '../store/store.ts';
import { type Token } from '../tokens/token.ts';
import { type Channel } from './channel.ts';
import { tooManyMemberships, type MembershipRights } from './membership-rights.ts';
import { type createMembershipStore } from './membership-store.ts';

/** The memberships that a token begins with: its own row is written in the same transaction. */
export interface FirstMemberships {
  /**
   * Prepares the statements that subscribe a new token.
   * @throws NOT_FOUND when a channel does not exist
   * @throws FORBIDDEN when the token may not SUBSCRIBE to a channel
   * @throws LIMIT_EXCEEDED for more than `maxMembershipsPerToken` channels
   */
  prepare(token: Token, channelIds: readonly string[]): Promise<Statement[]>;
  /** Like `prepare`, but skips channels that do not exist, in which the token may do nothing, or above the limit. */
  prepareAllowed(token: Token, channelIds: readonly string[]): Promise<Statement[]>;
}

export function createFirstMemberships({
  rows,
  rights,
  findChannel,
  logHead,
  clock,
  config,
}: {
  rows: Pick<ReturnType<typeof createMembershipStore>, 'insertion'>;
  rights: MembershipRights;
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  logHead: (projectId: string) => Promise<number>;
  clock: Clock;
  config: Config;
}): FirstMemberships {
  const limit = config.maxMembershipsPerToken;

  async function prepareRows(
    { projectId, id: tokenId }: Token,
    channelIds: readonly string[],
  ): Promise<Statement[]> {
    if (channelIds.length === 0) return [];
    const beganAfter = await logHead(projectId);
    return channelIds.toSorted().map((channelId) =>
      rows.insertion({
        projectId,
        channelId,
        tokenId,
        beganAfter,
        madeBy: 'BACKEND',
        createdAt: clock.now(),
      }),
    );
  }

  return {
    async prepare(token, channelIds) {
      const uniqueIds = [...new Set(channelIds)];
      if (uniqueIds.length > limit) throw tooManyMemberships(limit);
      for (const channelId of uniqueIds) {
        const channel = await findChannel(token.projectId, channelId);
        if (!channel) throw notFound('channel', channelId);
        await rights.requireMaySubscribe(token, channel);
      }
      return prepareRows(token, uniqueIds);
    },
    async prepareAllowed(token, channelIds) {
      const allowedIds: string[] = [];
      for (const channelId of new Set(channelIds)) {
        const channel = await findChannel(token.projectId, channelId);
        if (channel && (await rights.mayActAsMember(token, channel))) allowedIds.push(channelId);
      }
      return prepareRows(token, allowedIds.slice(0, limit));
    },
  };
}
