import { and, asc, eq, gt, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Statement, type Store } from '../store/store.ts';
import { restrictions } from './tables.ts';
import { type RestrictedSubject, type Restriction, type RestrictionKind } from './restriction.ts';

export interface RestrictionFilter {
  subject?: RestrictedSubject | undefined;
  channelId?: string | undefined;
}

/** The rows of restrictions: one for each kind, subject and channel. */
export function createRestrictionStore({ db }: Store) {
  const { projectId, kind, subject, channelId, id, until } = restrictions;
  const inForce = (now: number) => or(isNull(until), gt(until, now));
  const ofSubjects = db
    .select()
    .from(restrictions)
    .where(
      and(
        eq(projectId, sql.placeholder('project')),
        or(eq(subject, sql.placeholder('first')), eq(subject, sql.placeholder('second'))),
        or(isNull(until), gt(until, sql.placeholder('now'))),
      ),
    )
    .prepare();
  const placeOf = (channel: string | null) => channel ?? '';

  return {
    /** Another one of the same kind, subject and channel takes its place. */
    async put(restriction: Restriction): Promise<void> {
      const row = { ...restriction, channelId: placeOf(restriction.channelId) };
      await db
        .insert(restrictions)
        .values(row)
        .onConflictDoUpdate({ target: [projectId, subject, kind, channelId], set: row });
    },
    async remove(
      project: string,
      which: RestrictionKind,
      whom: RestrictedSubject,
      where: string | null,
    ): Promise<Restriction | undefined> {
      const [row] = await db
        .delete(restrictions)
        .where(and(eq(projectId, project), eq(subject, whom), eq(kind, which), eq(channelId, placeOf(where))))
        .returning();
      return row && toRestriction(row);
    },
    /** Those that hold now for any of the subjects, of which there are one or two. */
    async inForce(
      project: string,
      [first, second = first]: readonly RestrictedSubject[],
      now: number,
    ): Promise<Restriction[]> {
      return ofSubjects.all({ project, first, second, now }).map(toRestriction);
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
            inForce(now),
            filter.subject === undefined ? undefined : eq(subject, filter.subject),
            filter.channelId === undefined ? undefined : eq(channelId, filter.channelId),
            after === undefined ? undefined : gt(id, after),
          ),
        )
        .orderBy(asc(id))
        .limit(first + 1);
      return pageOf(rows.map(toRestriction), first);
    },
    /** Of tokens that are gone for good. */
    removalOf: (tokenIds: readonly string[]): Statement =>
      db.delete(restrictions).where(
        inArray(
          subject,
          tokenIds.map((token): RestrictedSubject => `token:${token}`),
        ),
      ),
    /** Forgets those that hold no more. */
    async forget(now: number): Promise<void> {
      await db.delete(restrictions).where(lte(until, now));
    },
  };
}

function toRestriction(row: typeof restrictions.$inferSelect): Restriction {
  return {
    ...row,
    channelId: row.channelId === '' ? null : row.channelId,
  };
}
