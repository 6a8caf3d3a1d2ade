import { and, asc, count, eq, gt, inArray, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Statement, type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { channels, memberships } from './tables.ts';
import { toChannel } from './channel-store.ts';
import { type Channel, type Membership, type MembershipOrigin } from './channel.ts';

/** A membership together with its channel. */
export interface MembershipWithChannel {
  membership: Membership;
  channel: Channel;
}

/** Reads and writes the rows of memberships. */
export function createMembershipStore({ db }: Store) {
  const at = (projectId: string, channelId: string, tokenId: string) =>
    and(
      eq(memberships.projectId, projectId),
      eq(memberships.channelId, channelId),
      eq(memberships.tokenId, tokenId),
    );
  const findOne = db
    .select()
    .from(memberships)
    .where(
      and(
        eq(memberships.projectId, sql.placeholder('projectId')),
        eq(memberships.channelId, sql.placeholder('channelId')),
        eq(memberships.tokenId, sql.placeholder('tokenId')),
      ),
    )
    .prepare();
  const sameChannel = and(
    eq(channels.projectId, memberships.projectId),
    eq(channels.id, memberships.channelId),
  );
  const findAll = db
    .select({ membership: memberships, channel: channels })
    .from(memberships)
    .innerJoin(channels, sameChannel)
    .where(
      and(
        eq(memberships.projectId, sql.placeholder('projectId')),
        eq(memberships.tokenId, sql.placeholder('tokenId')),
      ),
    )
    .orderBy(asc(memberships.channelId))
    .prepare();

  async function find(
    projectId: string,
    channelId: string,
    tokenId: string,
  ): Promise<Membership | undefined> {
    const [row] = await findOne.execute({ projectId, channelId, tokenId });
    return row;
  }

  return {
    find,
    /** A statement that inserts a membership. Inserts nothing if the channel no longer exists when the statement runs. */
    insertion: ({ projectId, channelId, tokenId, beganAfter, madeBy, createdAt }: Membership): Statement =>
      db.insert(memberships).select(
        db
          .select({
            projectId: channels.projectId,
            channelId: channels.id,
            tokenId: sql<string>`${tokenId}`.as('token_id'),
            beganAfter: sql<number>`${beganAfter}`.as('began_after'),
            madeBy: sql<MembershipOrigin>`${madeBy}`.as('made_by'),
            createdAt: sql<number>`${createdAt}`.as('created_at'),
          })
          .from(channels)
          .where(and(eq(channels.projectId, projectId), eq(channels.id, channelId))),
      ),
    /** Inserts the membership unless one exists. Results in the existing or the inserted membership. */
    insert:
      (membership: Membership): Write<Membership> =>
      async (rows) => {
        const { projectId, channelId, tokenId } = membership;
        const [inserted] = await rows.db
          .insert(memberships)
          .values(membership)
          .onConflictDoNothing()
          .returning();
        if (inserted) return inserted;
        const [existing] = await rows.db
          .select()
          .from(memberships)
          .where(at(projectId, channelId, tokenId));
        return existing ?? membership;
      },
    /** A statement that makes an existing membership one that a backend began, with the past after `beganAfter`. */
    adoption: ({ projectId, channelId, tokenId }: Membership, beganAfter: number): Statement =>
      db
        .update(memberships)
        .set({ madeBy: 'BACKEND', beganAfter })
        .where(at(projectId, channelId, tokenId)),
    /** A statement that deletes a membership. */
    removal: (projectId: string, channelId: string, tokenId: string): Statement =>
      db.delete(memberships).where(at(projectId, channelId, tokenId)),
    /** Deletes up to `limit` memberships of a channel that their tokens began. Results in the ids of the tokens. */
    removeSelfMade:
      (projectId: string, channelId: string, limit: number): Write<string[]> =>
      async (rows) => {
        const selfMade = and(
          eq(memberships.projectId, projectId),
          eq(memberships.channelId, channelId),
          eq(memberships.madeBy, 'TOKEN'),
        );
        const some = db.select({ id: memberships.tokenId }).from(memberships).where(selfMade).limit(limit);
        const removed = await rows.db
          .delete(memberships)
          .where(and(selfMade, inArray(memberships.tokenId, some)))
          .returning({ tokenId: memberships.tokenId });
        return removed.map(({ tokenId }) => tokenId);
      },
    /** A statement that deletes all memberships of these tokens. No change is announced: the tokens have no connections. */
    removalOf: (tokenIds: readonly string[]): Statement =>
      db.delete(memberships).where(inArray(memberships.tokenId, [...tokenIds])),
    async countOf(projectId: string, tokenId: string): Promise<number> {
      const [row] = await db
        .select({ count: count() })
        .from(memberships)
        .where(and(eq(memberships.projectId, projectId), eq(memberships.tokenId, tokenId)));
      return row?.count ?? 0;
    },
    /** All memberships of a token with their channels. `maxMembershipsPerToken` bounds their number. */
    async allOf(projectId: string, tokenId: string): Promise<MembershipWithChannel[]> {
      const rows = await findAll.execute({ projectId, tokenId });
      return rows.map(({ membership, channel }) => ({ membership, channel: toChannel(channel) }));
    },
    async listOfToken(
      projectId: string,
      tokenId: string,
      { first, after }: PageRequest,
    ): Promise<Page<Membership>> {
      const rows = await db
        .select()
        .from(memberships)
        .where(
          and(
            eq(memberships.projectId, projectId),
            eq(memberships.tokenId, tokenId),
            after === undefined ? undefined : gt(memberships.channelId, after),
          ),
        )
        .orderBy(asc(memberships.channelId))
        .limit(first + 1);
      return pageOf(rows, first);
    },
    async listOfChannel(
      projectId: string,
      channelId: string,
      { first, after }: PageRequest,
    ): Promise<Page<Membership>> {
      const rows = await db
        .select()
        .from(memberships)
        .where(
          and(
            eq(memberships.projectId, projectId),
            eq(memberships.channelId, channelId),
            after === undefined ? undefined : gt(memberships.tokenId, after),
          ),
        )
        .orderBy(asc(memberships.tokenId))
        .limit(first + 1);
      return pageOf(rows, first);
    },
  };
}
