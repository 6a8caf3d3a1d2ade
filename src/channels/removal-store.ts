import { and, asc, count, eq, inArray, max, notInArray, sql } from 'drizzle-orm';
import { type Statement, type Store } from '../store/store.ts';
import { type RowWriter } from '../store/write.ts';
import { tokens } from '../tokens/tables.ts';
import { membershipRemovals } from './tables.ts';

/** The share of the removals that one overflow merges, so that most removals cost no merge. */
const MERGED_SHARE = 0.1;
/** Stands for every channel. No channel id contains this character. */
const EVERY_CHANNEL = '*';

/**
 * Records the memberships that a backend ended, and when. A credential that names the channel and was issued before the
 * removal does not begin the membership again; see Memberships.subscribeIfAllowed. Keeps at most `maxPerToken` removals of a
 * token: with one more, the oldest are merged into one that stands for every channel.
 */
export function createRemovalStore({ db }: Store, maxPerToken: number) {
  const ofToken = (projectId: string, tokenId: string) =>
    and(eq(membershipRemovals.projectId, projectId), eq(membershipRemovals.tokenId, tokenId));
  const ofTokens = (projectId: string, tokenIds: readonly string[]) =>
    and(eq(membershipRemovals.projectId, projectId), inArray(membershipRemovals.tokenId, [...tokenIds]));

  return {
    /** The statements that record a removal, and that merge the oldest removals of the token if it has too many. */
    async recording(projectId: string, channelId: string, tokenId: string, removedAt: number) {
      const statements: Statement[] = [save({ projectId, channelId, tokenId, removedAt })];
      const [row] = await db
        .select({ count: count() })
        .from(membershipRemovals)
        .where(ofToken(projectId, tokenId));
      if ((row?.count ?? 0) < maxPerToken) return statements;
      const oldest = await db
        .select()
        .from(membershipRemovals)
        .where(and(ofToken(projectId, tokenId), sql`${membershipRemovals.channelId} <> ${EVERY_CHANNEL}`))
        .orderBy(asc(membershipRemovals.removedAt))
        .limit(Math.ceil(maxPerToken * MERGED_SHARE));
      const newest = Math.max(...oldest.map((removal) => removal.removedAt));
      statements.unshift(
        removalOfChannels(
          projectId,
          tokenId,
          oldest.map((removal) => removal.channelId),
        ),
        save({ projectId, tokenId, channelId: EVERY_CHANNEL, removedAt: newest }),
      );
      return statements;
    },
    /** When a backend last ended the membership, in milliseconds since 1970; undefined: never. */
    async removedAt(
      rows: RowWriter,
      projectId: string,
      channelId: string,
      tokenId: string,
    ): Promise<number | undefined> {
      const [row] = await rows.db
        .select({ removedAt: max(membershipRemovals.removedAt) })
        .from(membershipRemovals)
        .where(
          and(ofToken(projectId, tokenId), inArray(membershipRemovals.channelId, [channelId, EVERY_CHANNEL])),
        );
      return row?.removedAt ?? undefined;
    },
    /** Deletes the removals of a token before `before`, in milliseconds since 1970. */
    async removeBefore(projectId: string, tokenId: string, before: number): Promise<void> {
      await db
        .delete(membershipRemovals)
        .where(and(ofToken(projectId, tokenId), sql`${membershipRemovals.removedAt} < ${before}`));
    },
    /** A statement that deletes the removals of those of the tokens that no longer exist. */
    removalOf: (projectId: string, tokenIds: readonly string[]): Statement =>
      db.delete(membershipRemovals).where(
        and(
          ofTokens(projectId, tokenIds),
          notInArray(
            membershipRemovals.tokenId,
            db
              .select({ id: tokens.id })
              .from(tokens)
              .where(and(eq(tokens.projectId, projectId), inArray(tokens.id, [...tokenIds]))),
          ),
        ),
      ),
    /** The number of removals of each of these tokens that has some. */
    async countsOf(projectId: string, tokenIds: readonly string[]): Promise<Map<string, number>> {
      const rows = await db
        .select({ tokenId: membershipRemovals.tokenId, count: count() })
        .from(membershipRemovals)
        .where(ofTokens(projectId, tokenIds))
        .groupBy(membershipRemovals.tokenId);
      return new Map(rows.map((row) => [row.tokenId, row.count]));
    },
  };

  function save(removal: typeof membershipRemovals.$inferInsert): Statement {
    const { projectId, tokenId, channelId } = membershipRemovals;
    return db
      .insert(membershipRemovals)
      .values(removal)
      .onConflictDoUpdate({ target: [projectId, tokenId, channelId], set: { removedAt: removal.removedAt } });
  }

  function removalOfChannels(projectId: string, tokenId: string, channelIds: readonly string[]): Statement {
    return db
      .delete(membershipRemovals)
      .where(and(ofToken(projectId, tokenId), inArray(membershipRemovals.channelId, [...channelIds])));
  }
}
