import { and, asc, count, eq, gt, inArray, isNull, lte, ne, notInArray, or, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { createLockProject } from '../store/project-lock.ts';
import { type Statement, type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { type RestrictedSubject, type Restriction, type RestrictionKind } from './restriction.ts';
import { restrictions, tokens } from './tables.ts';

export interface RestrictionFilter {
  subject?: RestrictedSubject | undefined;
  channelId?: string | undefined;
}

/** The rows of mutes and bans: at most one for each kind, subject and channel. */
export function createRestrictionStore(store: Store) {
  const { db } = store;
  const lockProject = createLockProject(store);
  const { projectId, kind, subject, channelId, id, until } = restrictions;
  const isInForce = (now: number) => or(isNull(until), gt(until, now));
  const inForceOfSubjects = store.select(
    restrictions,
    and(
      eq(projectId, sql.placeholder('project')),
      or(eq(subject, sql.placeholder('first')), eq(subject, sql.placeholder('second'))),
      or(isNull(until), gt(until, sql.placeholder('now'))),
    ),
  );
  const toColumn = (channel: string | null) => channel ?? '';

  return {
    /**
     * Inserts a restriction, or replaces the one with the same kind, subject and channel. Results in false, and writes nothing, when
     * the subject has `limit` others that have not lapsed by `createdAt`.
     */
    put:
      (restriction: Restriction, limit: number): Write<boolean> =>
      async (rows) => {
        const row = { ...restriction, channelId: toColumn(restriction.channelId) };
        await lockProject(rows, row.projectId);
        const others = and(
          eq(projectId, row.projectId),
          eq(subject, row.subject),
          or(ne(kind, row.kind), ne(channelId, row.channelId)),
          isInForce(row.createdAt),
        );
        const [counted] = await rows.db.select({ count: count() }).from(restrictions).where(others);
        if ((counted?.count ?? 0) >= limit) return false;
        await rows.db
          .insert(restrictions)
          .values(row)
          .onConflictDoUpdate({ target: [projectId, subject, kind, channelId], set: row });
        return true;
      },
    /** Results in the deleted restriction, lapsed or not; undefined: there was none. */
    remove:
      (
        ofProject: string,
        ofKind: RestrictionKind,
        ofSubject: RestrictedSubject,
        inChannel: string | null,
      ): Write<Restriction | undefined> =>
      async (rows) => {
        const [row] = await rows.db
          .delete(restrictions)
          .where(
            and(
              eq(projectId, ofProject),
              eq(subject, ofSubject),
              eq(kind, ofKind),
              eq(channelId, toColumn(inChannel)),
            ),
          )
          .returning();
        return row && toRestriction(row);
      },
    /** The restrictions of one or two subjects that have not lapsed by `now`. */
    async inForce(
      project: string,
      [first, second = first]: readonly RestrictedSubject[],
      now: number,
    ): Promise<Restriction[]> {
      const rows = await inForceOfSubjects({ project, first, second, now });
      return rows.map(toRestriction);
    },
    async list(
      project: string,
      { first, after }: PageRequest,
      filter: RestrictionFilter,
      now: number,
    ): Promise<Page<Restriction>> {
      const rows = await db
        .select()
        .from(restrictions)
        .where(
          and(
            eq(projectId, project),
            isInForce(now),
            filter.subject === undefined ? undefined : eq(subject, filter.subject),
            filter.channelId === undefined ? undefined : eq(channelId, filter.channelId),
            after === undefined ? undefined : gt(id, after),
          ),
        )
        .orderBy(asc(id))
        .limit(first + 1);
      return pageOf(rows.map(toRestriction), first);
    },
    /** The statement that deletes the restrictions of those of the tokens that no longer exist. */
    removalOf(ofProject: string, tokenIds: readonly string[]): Statement {
      const existing = db
        .select({ subject: sql<RestrictedSubject>`'token:' || ${tokens.id}`.as('subject') })
        .from(tokens)
        .where(and(eq(tokens.projectId, ofProject), inArray(tokens.id, [...tokenIds])));
      const subjects = tokenIds.map((token): RestrictedSubject => `token:${token}`);
      return db
        .delete(restrictions)
        .where(and(eq(projectId, ofProject), inArray(subject, subjects), notInArray(subject, existing)));
    },
    /** Deletes at most `limit` restrictions that have lapsed by `now`. */
    async deleteLapsed(now: number, limit: number): Promise<void> {
      const lapsed = db.select({ projectId, id }).from(restrictions).where(lte(until, now)).limit(limit);
      await db.delete(restrictions).where(sql`(${projectId}, ${id}) in ${lapsed}`);
    },
  };
}

/**
 * The primary key includes the channel, so the column stores all channels as an empty text rather than null.
 */
function toRestriction(row: typeof restrictions.$inferSelect): Restriction {
  return {
    ...row,
    channelId: row.channelId === '' ? null : row.channelId,
  };
}
