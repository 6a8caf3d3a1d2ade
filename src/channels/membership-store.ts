import { and, asc, count, eq, gt, inArray, notInArray, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Statement, type Store } from '../store/store.ts';
import { type RowWriter, type Write } from '../store/write.ts';
import { tokens } from '../tokens/tables.ts';
import { channels, memberships } from './tables.ts';
import { toChannel } from './channel-store.ts';
import { type Channel, type Membership, type MembershipOrigin } from './channel.ts';

/** A membership together with its channel. */
export interface MembershipWithChannel {
  membership: Membership;
  channel: Channel;
}

/** The token of a membership, whose row and memberships stay as they are until the transaction ends. */
export interface LockedToken {
  /** When the newest credential of another issuer was issued whose rights are stored, in milliseconds since 1970; 0: none. */
  issuedAt: number;
  /** The transaction. */
  rows: RowWriter;
}

/** Reads and writes the rows of memberships. */
export function createMembershipStore({ db, select, lockingRows, keepingRows, jsonNumber }: Store) {
  const at = (projectId: string, channelId: string, tokenId: string) =>
    and(
      eq(memberships.projectId, projectId),
      eq(memberships.channelId, channelId),
      eq(memberships.tokenId, tokenId),
    );
  const ofTokens = (projectId: string, tokenIds: readonly string[]) =>
    and(eq(memberships.projectId, projectId), inArray(memberships.tokenId, [...tokenIds]));
  const findOne = select(
    memberships,
    and(
      eq(memberships.projectId, sql.placeholder('projectId')),
      eq(memberships.channelId, sql.placeholder('channelId')),
      eq(memberships.tokenId, sql.placeholder('tokenId')),
    ),
  );
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

  /** Keeps the changes of the memberships of one token apart, so that the last one announced is the last one written. */
  async function lockToken(rows: RowWriter, projectId: string, tokenId: string): Promise<LockedToken> {
    const isToken = and(eq(tokens.projectId, projectId), eq(tokens.id, tokenId));
    const [row] = await rows.db
      .select({ issuedAt: jsonNumber(tokens.credentialRights, 'issuedAt') })
      .from(tokens)
      .where(sql`${isToken} ${lockingRows}`);
    return { rows, issuedAt: row?.issuedAt ?? 0 };
  }

  async function countOf(rows: RowWriter, projectId: string, tokenId: string): Promise<number> {
    const [row] = await rows.db
      .select({ count: count() })
      .from(memberships)
      .where(and(eq(memberships.projectId, projectId), eq(memberships.tokenId, tokenId)));
    return row?.count ?? 0;
  }

  async function find(
    projectId: string,
    channelId: string,
    tokenId: string,
  ): Promise<Membership | undefined> {
    const [row] = await findOne({ projectId, channelId, tokenId });
    return row;
  }

  return {
    find,
    /**
     * A statement that inserts a membership. Inserts nothing if the channel no longer exists when the statement runs; otherwise the
     * channel exists until the transaction ends, so that its deletion finds the membership. Transactions with several of these
     * statements must have them in the order of the channels, or they can wait for each other.
     */
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
          .where(sql`${and(eq(channels.projectId, projectId), eq(channels.id, channelId))} ${keepingRows}`),
      ),
    /**
     * Begins the membership, or replaces the existing one by what `claim` returns for it. Results in the membership and the
     * channel as they are until the transaction ends; undefined, without a change, if the channel does not exist or `mayBegin`
     * is false for it.
     * @param requireCapacity receives the number of memberships that the token has; throws to refuse another one
     */
    begin:
      (
        membership: Membership,
        {
          mayBegin,
          requireCapacity,
          claim,
        }: {
          mayBegin: (channel: Channel, token: LockedToken) => boolean | Promise<boolean>;
          requireCapacity: (memberships: number) => void;
          claim: (existing: Membership) => Membership;
        },
      ): Write<MembershipWithChannel | undefined> =>
      async (rows) => {
        const { projectId, channelId, tokenId } = membership;
        const token = await lockToken(rows, projectId, tokenId);
        const [row] = await rows.db
          .select()
          .from(channels)
          .where(sql`${and(eq(channels.projectId, projectId), eq(channels.id, channelId))} ${lockingRows}`);
        const channel = row && toChannel(row);
        if (!channel || !(await mayBegin(channel, token))) return undefined;
        const here = at(projectId, channelId, tokenId);
        const [existing] = await rows.db
          .select()
          .from(memberships)
          .where(sql`${here} ${lockingRows}`);
        if (!existing) {
          requireCapacity(await countOf(rows, projectId, tokenId));
          await rows.db.insert(memberships).values(membership);
          return { membership, channel };
        }
        const claimed = claim(existing);
        const { madeBy, beganAfter } = claimed;
        if (claimed !== existing) await rows.db.update(memberships).set({ madeBy, beganAfter }).where(here);
        return { membership: claimed, channel };
      },
    /** Executes statements that end memberships of a token, after or before any other change of them, on whichever node. */
    end:
      (projectId: string, tokenId: string, statements: readonly Statement[]): Write<void> =>
      async (rows) => {
        await lockToken(rows, projectId, tokenId);
        await rows.batch(statements);
      },
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
          // Not a parameter: the index of self-made memberships is found by this text.
          sql`${memberships.madeBy} = 'TOKEN'`,
        );
        const some = db.select({ id: memberships.tokenId }).from(memberships).where(selfMade).limit(limit);
        const removed = await rows.db
          .delete(memberships)
          .where(and(selfMade, inArray(memberships.tokenId, some)))
          .returning({ tokenId: memberships.tokenId });
        return removed.map(({ tokenId }) => tokenId);
      },
    /** A statement that deletes all memberships of those of the tokens that no longer exist. They have no connections, so nothing is announced. */
    removalOf: (projectId: string, tokenIds: readonly string[]): Statement =>
      db.delete(memberships).where(
        and(
          ofTokens(projectId, tokenIds),
          notInArray(
            memberships.tokenId,
            db
              .select({ id: tokens.id })
              .from(tokens)
              .where(and(eq(tokens.projectId, projectId), inArray(tokens.id, [...tokenIds]))),
          ),
        ),
      ),
    /** The number of memberships of each of these tokens that has some. */
    async countsOf(projectId: string, tokenIds: readonly string[]): Promise<Map<string, number>> {
      const rows = await db
        .select({ tokenId: memberships.tokenId, count: count() })
        .from(memberships)
        .where(ofTokens(projectId, tokenIds))
        .groupBy(memberships.tokenId);
      return new Map(rows.map((row) => [row.tokenId, row.count]));
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
