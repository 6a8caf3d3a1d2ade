import { and, asc, count, eq, lte } from 'drizzle-orm';
import { createLockProject } from '../../store/project-lock.ts';
import { DAMAGED } from '../../store/columns.ts';
import { type Store } from '../../store/store.ts';
import { type RowWriter, type Write } from '../../store/write.ts';
import { issuerKeys, issuers } from './tables.ts';
import { type Issuer, type IssuerKind } from './issuer.ts';

export type IssuerKeyRow = typeof issuerKeys.$inferSelect;

/** Without its provider, an issuer accepts no credential. */
function readIssuer(
  { provider, ...row }: typeof issuers.$inferSelect,
  reportDamage: Store['reportDamage'],
): Issuer {
  if (provider === DAMAGED) {
    reportDamage('issuers', row.id);
    return { ...row, provider: null };
  }
  if (!provider) return { ...row, provider };
  const { audience, audiences = audience === undefined ? [] : [audience], claims, ...rest } = provider;
  return {
    ...row,
    provider: { ...rest, audiences, claims: { ...claims, audience: claims.audience ?? 'aud' } },
  };
}

/**
 * Reads and writes the rows of issuers and of their keys. The secrets of keys are stored sealed. `rows` is the transaction in which
 * a function runs; default: none.
 */
export function createIssuerStore(store: Store) {
  const { db, reportDamage } = store;
  const lockProject = createLockProject(store);
  const issuerById = (projectId: string, id: string) =>
    and(eq(issuers.projectId, projectId), eq(issuers.id, id));
  const keyById = (issuerId: string, id: string) =>
    and(eq(issuerKeys.issuerId, issuerId), eq(issuerKeys.id, id));

  return {
    /** Waits for other changes of the issuers of the project, until this one has ended. */
    lock: lockProject,
    async insert(issuer: Issuer, key: IssuerKeyRow | undefined, rows: RowWriter = store): Promise<void> {
      const statements = [db.insert(issuers).values(issuer)];
      await rows.batch(key ? [...statements, db.insert(issuerKeys).values(key)] : statements);
    },
    async find(projectId: string, id: string, rows: RowWriter = store): Promise<Issuer | undefined> {
      const [row] = await rows.db.select().from(issuers).where(issuerById(projectId, id));
      return row && readIssuer(row, reportDamage);
    },
    /** All issuers of the project, or those of one kind. Not paginated: a project has at most 50. */
    async list(projectId: string, kind?: IssuerKind, rows: RowWriter = store): Promise<Issuer[]> {
      const found = await rows.db
        .select()
        .from(issuers)
        .where(and(eq(issuers.projectId, projectId), kind === undefined ? undefined : eq(issuers.kind, kind)))
        .orderBy(asc(issuers.id));
      return found.map((row) => readIssuer(row, reportDamage));
    },
    async count(projectId: string, rows: RowWriter = store): Promise<number> {
      const [row] = await rows.db
        .select({ count: count() })
        .from(issuers)
        .where(eq(issuers.projectId, projectId));
      return row?.count ?? 0;
    },
    async update({ id, projectId, name, service, provider }: Issuer, rows: RowWriter = store): Promise<void> {
      await rows.db.update(issuers).set({ name, service, provider }).where(issuerById(projectId, id));
    },
    /** Deletes the issuer and its keys. */
    remove:
      (projectId: string, id: string): Write<void> =>
      async (rows) => {
        await lockProject(rows, projectId);
        await rows.batch([
          db.delete(issuers).where(issuerById(projectId, id)),
          db.delete(issuerKeys).where(and(eq(issuerKeys.projectId, projectId), eq(issuerKeys.issuerId, id))),
        ]);
      },
    /** All keys of the issuer, expired ones too. Not paginated: an issuer has at most 20 active keys. */
    async keysOf(issuerId: string, rows: RowWriter = store): Promise<IssuerKeyRow[]> {
      return rows.db
        .select()
        .from(issuerKeys)
        .where(eq(issuerKeys.issuerId, issuerId))
        .orderBy(asc(issuerKeys.id));
    },
    /** Inserts a key, and deletes the keys of the issuer that have expired by its `createdAt`: one may have the same id. */
    async insertKey(row: IssuerKeyRow, rows: RowWriter = store): Promise<void> {
      const isExpired = and(eq(issuerKeys.issuerId, row.issuerId), lte(issuerKeys.expiresAt, row.createdAt));
      await rows.batch([db.delete(issuerKeys).where(isExpired), db.insert(issuerKeys).values(row)]);
    },
    /** `expiresAt`: milliseconds since 1970. */
    expireKey:
      (issuerId: string, id: string, expiresAt: number): Write<void> =>
      async (rows) => {
        await rows.db.update(issuerKeys).set({ expiresAt }).where(keyById(issuerId, id));
      },
    removeKey:
      (issuerId: string, id: string): Write<void> =>
      async (rows) => {
        await rows.db.delete(issuerKeys).where(keyById(issuerId, id));
      },
  };
}
