import { and, asc, eq, gt, or, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { revocations } from './tables.ts';
import { type Revocation, type RevocationScope } from './revocation.ts';

/** The rows of revocations of many: one for each scope and subject. */
export function createRevocationStore({ db }: Store) {
  const { projectId, scope, subject, issuedBefore } = revocations;
  const of = (project: string, which: RevocationScope, whom: string) =>
    and(eq(projectId, project), eq(scope, which), eq(subject, whom));
  const one = (which: RevocationScope, whom: string) =>
    and(eq(scope, which), eq(subject, sql.placeholder(whom)));
  const concerningOne = db
    .select()
    .from(revocations)
    .where(
      and(
        eq(projectId, sql.placeholder('project')),
        or(one('PROJECT', 'nobody'), one('IDENTITY', 'identity'), one('ISSUER', 'issuer')),
      ),
    )
    .prepare();
  const name = sql<string>`${scope} || ':' || ${subject}`;

  return {
    /** What holds then: of two of the same scope and subject the one that reaches further. */
    async put(row: Revocation): Promise<Revocation> {
      const { createdAt } = row;
      const [held] = await db
        .insert(revocations)
        .values(row)
        .onConflictDoUpdate({
          target: [projectId, scope, subject],
          set: {
            issuedBefore: sql`case when ${issuedBefore} > excluded.issued_before then ${issuedBefore} else excluded.issued_before end`,
            createdAt,
          },
        })
        .returning();
      return held ?? row;
    },
    async remove(project: string, which: RevocationScope, whom: string): Promise<Revocation | undefined> {
      const [row] = await db
        .delete(revocations)
        .where(of(project, which, whom))
        .returning();
      return row;
    },
    /** Those that may concern a credential. No identity and no issuer is called ''. */
    async concerning(
      project: string,
      identity: string | null,
      issuerId: string | null,
    ): Promise<Revocation[]> {
      return concerningOne.all({ project, nobody: '', identity: identity ?? '', issuer: issuerId ?? '' });
    },
    async list(project: string, { first, after }: PageRequest): Promise<Page<Revocation>> {
      const rows = await db
        .select()
        .from(revocations)
        .where(and(eq(projectId, project), after === undefined ? undefined : gt(name, after)))
        .orderBy(asc(name))
        .limit(first + 1);
      return pageOf(rows, first);
    },
  };
}
