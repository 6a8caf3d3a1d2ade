import { and, asc, count, eq, lte } from 'drizzle-orm';
import { type Store } from '../../store/store.ts';
import { issuerKeys, issuers } from './tables.ts';
import { type Issuer, type IssuerKind } from './issuer.ts';

export type IssuerKeyRow = typeof issuerKeys.$inferSelect;

/** The rows of issuers and of the keys they sign with, whose secrets are sealed. */
export function createIssuerStore({ db, batch }: Store) {
  const one = (projectId: string, id: string) => and(eq(issuers.projectId, projectId), eq(issuers.id, id));
  const oneKey = (issuerId: string, id: string) =>
    and(eq(issuerKeys.issuerId, issuerId), eq(issuerKeys.id, id));

  return {
    async insert(issuer: Issuer, key: IssuerKeyRow | undefined): Promise<void> {
      await batch([db.insert(issuers).values(issuer), ...(key ? [db.insert(issuerKeys).values(key)] : [])]);
    },
    async find(projectId: string, id: string): Promise<Issuer | undefined> {
      const [row] = await db.select().from(issuers).where(one(projectId, id));
      return row;
    },
    /** Bounded by the limit of issuers per project. */
    async list(projectId: string, kind?: IssuerKind): Promise<Issuer[]> {
      return db
        .select()
        .from(issuers)
        .where(and(eq(issuers.projectId, projectId), kind === undefined ? undefined : eq(issuers.kind, kind)))
        .orderBy(asc(issuers.id));
    },
    async countOf(projectId: string): Promise<number> {
      const [row] = await db.select({ count: count() }).from(issuers).where(eq(issuers.projectId, projectId));
      return row?.count ?? 0;
    },
    async remove(projectId: string, id: string): Promise<void> {
      await batch([
        db.delete(issuers).where(one(projectId, id)),
        db.delete(issuerKeys).where(and(eq(issuerKeys.projectId, projectId), eq(issuerKeys.issuerId, id))),
      ]);
    },
    /** Those of the issuer; bounded by the limit of keys per issuer. */
    async keysOf(issuerId: string): Promise<IssuerKeyRow[]> {
      return db
        .select()
        .from(issuerKeys)
        .where(eq(issuerKeys.issuerId, issuerId))
        .orderBy(asc(issuerKeys.id));
    },
    async insertKey(row: IssuerKeyRow): Promise<void> {
      await db.insert(issuerKeys).values(row);
    },
    async endKey(issuerId: string, id: string, expiresAt: number): Promise<void> {
      await db.update(issuerKeys).set({ expiresAt }).where(oneKey(issuerId, id));
    },
    async removeKey(issuerId: string, id: string): Promise<void> {
      await db.delete(issuerKeys).where(oneKey(issuerId, id));
    },
    async removeEnded(issuerId: string, now: number): Promise<void> {
      await db
        .delete(issuerKeys)
        .where(and(eq(issuerKeys.issuerId, issuerId), lte(issuerKeys.expiresAt, now)));
    },
  };
}
