import { and, asc, eq, or, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { type Revocation, type RevocationScope } from './revocation.ts';
import { revocations } from './tables.ts';

/** The rows of bulk revocations: at most one for each scope and subject. */
export function createRevocationStore({ db, select }: Store) {
  const { projectId, scope, subject, issuedBefore } = revocations;
  const hasSubject = (ofScope: RevocationScope, placeholder: string) =>
    and(eq(scope, ofScope), eq(subject, sql.placeholder(placeholder)));
  const selectCandidates = select(
    revocations,
    and(
      eq(projectId, sql.placeholder('project')),
      or(hasSubject('PROJECT', 'none'), hasSubject('IDENTITY', 'identity'), hasSubject('ISSUER', 'issuer')),
    ),
  );
  /** Compares with the id of a revocation, in the order of the primary key. */
  const isAfter = (revocationId: string) => {
    const [ofScope, ofSubject = ''] = revocationId.split(/:(.*)/s);
    return sql`(${scope}, ${subject}) > (${ofScope}, ${ofSubject})`;
  };

  return {
    /**
     * Inserts a revocation, or updates the one with the same scope and subject. Results in the stored
     * revocation, whose `issuedBefore` is the later of the two.
     */
    put:
      (row: Revocation): Write<Revocation> =>
      async (rows) => {
        const { createdAt } = row;
        const [stored] = await rows.db
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
        return stored ?? row;
      },
    async remove(
      ofProject: string,
      ofScope: RevocationScope,
      ofSubject: string,
    ): Promise<Revocation | undefined> {
      const [row] = await db
        .delete(revocations)
        .where(and(eq(projectId, ofProject), eq(scope, ofScope), eq(subject, ofSubject)))
        .returning();
      return row;
    },
    /** The revocations whose scope includes the credential, whenever it was issued. */
    async findCandidates(
      project: string,
      identity: string | null,
      issuerId: string | null,
    ): Promise<Revocation[]> {
      // Identities and issuer ids are never empty, so an empty text matches no row of those scopes.
      return selectCandidates({
        project,
        none: '',
        identity: identity ?? '',
        issuer: issuerId ?? '',
      });
    },
    async list(project: string, { first, after }: PageRequest): Promise<Page<Revocation>> {
      const rows = await db
        .select()
        .from(revocations)
        .where(and(eq(projectId, project), after === undefined ? undefined : isAfter(after)))
        .orderBy(asc(scope), asc(subject))
        .limit(first + 1);
      return pageOf(rows, first);
    },
  };
}
