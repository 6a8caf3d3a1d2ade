import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { apiKeys } from './tables.ts';
import { type ApiKey } from './api-key.ts';

export type ApiKeyRow = Omit<ApiKey, 'canSign'> & { secretHash: string; sealedSecret: string | null };

/** Rows of keys that were presented, kept until they are changed: every request over HTTP presents one. */
const MAX_KEPT = 1000;

/** The rows of API keys. Of a secret there is its hash, and where it signs the secret under the master key. */
export function createApiKeyStore({ db }: Store) {
  const kept = new Map<string, ApiKeyRow>();
  /** Changes so far: what was read before one is not kept after it. */
  let changes = 0;

  function forget(id: string): void {
    changes++;
    kept.delete(id);
  }

  function keep(row: ApiKeyRow): void {
    kept.set(row.id, row);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  }

  const inProject = (projectId: string, id: string) =>
    and(eq(apiKeys.projectId, projectId), eq(apiKeys.id, id));
  const findOne = db
    .select()
    .from(apiKeys)
    .where(eq(apiKeys.id, sql.placeholder('id')))
    .prepare();
  return {
    /** False when the id is taken. */
    async insert(row: ApiKeyRow): Promise<boolean> {
      const rows = await db.insert(apiKeys).values(row).onConflictDoNothing().returning();
      return rows.length > 0;
    },
    /** In any project: whoever presents a key is told apart by it alone. */
    async findAnywhere(id: string): Promise<ApiKeyRow | undefined> {
      const known = kept.get(id);
      if (known) return known;
      const before = changes;
      const [row] = findOne.all({ id }).map(toRow);
      if (row && changes === before) keep(row);
      return row;
    },
    /** It is not what it was, as this or another node has said. */
    forget,
    async find(projectId: string, id: string): Promise<ApiKeyRow | undefined> {
      const [row] = await db.select().from(apiKeys).where(inProject(projectId, id));
      return row && toRow(row);
    },
    async update(
      projectId: string,
      id: string,
      change: Partial<Pick<ApiKeyRow, 'secretHash' | 'sealedSecret' | 'expiresAt' | 'revokedAt'>>,
    ): Promise<ApiKeyRow | undefined> {
      const [row] = await db.update(apiKeys).set(change).where(inProject(projectId, id)).returning();
      forget(id);
      return row && toRow(row);
    },
    async list(projectId: string, { first, after }: PageRequest): Promise<Page<ApiKeyRow>> {
      const rows = await db
        .select()
        .from(apiKeys)
        .where(and(eq(apiKeys.projectId, projectId), after === undefined ? undefined : gt(apiKeys.id, after)))
        .orderBy(asc(apiKeys.id))
        .limit(first + 1);
      return pageOf(rows.map(toRow), first);
    },
  };
}

/** Keys created before rotation existed have an empty `rootKeyId`: each is its own root. */
function toRow(row: typeof apiKeys.$inferSelect): ApiKeyRow {
  return { ...row, rootKeyId: row.rootKeyId || row.id };
}
