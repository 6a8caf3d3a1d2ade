import { and, asc, count, eq, gt, isNull, sql } from 'drizzle-orm';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { DAMAGED } from '../store/columns.ts';
import { type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { createLockProject } from '../store/project-lock.ts';
import { apiKeys } from './tables.ts';
import { type ApiKey } from './api-key.ts';

export type ApiKeyRow = Omit<ApiKey, 'canSign'> & { secretHash: string; sealedSecret: string | null };

/** The maximum number of cached rows; beyond it, the row that was cached first is evicted. */
const MAX_CACHED_ROWS = 1000;

const MAX_LISTED_OPERATOR_KEYS = 100;

/**
 * Reads and writes the rows of API keys. A row holds the hash of the secret; for a key that can sign, also the secret
 * sealed under the master key. Rows found by id are cached until they change, because every HTTP request presents a key.
 */
export function createApiKeyStore(store: Store) {
  const { db, reportDamage } = store;
  const lockProject = createLockProject(store);
  const toRow = (row: typeof apiKeys.$inferSelect) => readRow(row, reportDamage);

  const cache = new Map<string, ApiKeyRow>();
  /** Counts invalidations. A row that was read before an invalidation must not be cached after it. */
  let invalidations = 0;

  function invalidate(id: string): void {
    invalidations++;
    cache.delete(id);
  }

  function invalidateAll(): void {
    invalidations++;
    cache.clear();
  }

  function addToCache(row: ApiKeyRow): void {
    cache.set(row.id, row);
    const [oldest] = cache.keys();
    if (cache.size > MAX_CACHED_ROWS && oldest !== undefined) cache.delete(oldest);
  }

  const inProject = (projectId: string, id: string) =>
    and(eq(apiKeys.projectId, projectId), eq(apiKeys.id, id));
  async function countOfChain(
    rows: Pick<Store, 'db'>,
    projectId: string,
    rootKeyId: string,
  ): Promise<number> {
    const [found] = await rows.db
      .select({ keys: count() })
      .from(apiKeys)
      .where(and(eq(apiKeys.projectId, projectId), eq(apiKeys.rootKeyId, rootKeyId)));
    return found?.keys ?? 0;
  }

  const findOne = db
    .select()
    .from(apiKeys)
    .where(eq(apiKeys.id, sql.placeholder('id')))
    .prepare();
  return {
    /** Resolves to false, and writes nothing, when the id is taken. */
    async insert(row: ApiKeyRow): Promise<boolean> {
      const rows = await db.insert(apiKeys).values(row).onConflictDoNothing().returning();
      return rows.length > 0;
    },
    /** Inserts the first key of a project. Results in false, and writes nothing, when there is one. */
    insertFirst:
      (row: ApiKeyRow): Write<boolean> =>
      async (rows) => {
        await lockProject(rows, row.projectId);
        const [existing] = await rows.db
          .select({ id: apiKeys.id })
          .from(apiKeys)
          .where(eq(apiKeys.projectId, row.projectId))
          .limit(1);
        if (existing) return false;
        await rows.db.insert(apiKeys).values(row);
        return true;
      },
    /** Finds a key of any project, through the cache: only the row of a presented key names its project. */
    async findInAnyProject(id: string): Promise<ApiKeyRow | undefined> {
      const cached = cache.get(id);
      if (cached) return cached;
      const invalidationsBefore = invalidations;
      const [row] = (await findOne.execute({ id })).map(toRow);
      if (row && invalidations === invalidationsBefore) addToCache(row);
      return row;
    },
    /** Removes the row from the cache, because this or another node changed it. */
    invalidate,
    invalidateAll,
    async find(projectId: string, id: string): Promise<ApiKeyRow | undefined> {
      const [row] = await db.select().from(apiKeys).where(inProject(projectId, id));
      return row && toRow(row);
    },
    /** Invalidate the row afterwards: the signal that announces the change does. */
    update:
      (
        projectId: string,
        id: string,
        change: Partial<Pick<ApiKeyRow, 'secretHash' | 'sealedSecret' | 'expiresAt' | 'revokedAt'>>,
      ): Write<ApiKeyRow | undefined> =>
      async (rows) => {
        const [row] = await rows.db.update(apiKeys).set(change).where(inProject(projectId, id)).returning();
        return row && toRow(row);
      },
    /** The number of keys of a chain of rotations, without a first key that has no `rootKeyId` in its row. */
    countOfChain: (projectId: string, rootKeyId: string) => countOfChain(store, projectId, rootKeyId),
    /**
     * Inserts the successor of a key, and lets that key end at `expiresAt`. Results in undefined, and writes nothing, when the key has
     * changed since `old` was read, or its chain since `chain` was counted.
     */
    rotate:
      (
        { old, chain, successor }: { old: ApiKeyRow; chain: number; successor: ApiKeyRow },
        expiresAt: number,
      ): Write<ApiKeyRow | undefined> =>
      async (rows) => {
        const { projectId, id, rootKeyId } = old;
        await lockProject(rows, projectId);
        const [row] = await rows.db.select().from(apiKeys).where(inProject(projectId, id));
        const isUnchanged = row?.expiresAt === old.expiresAt && row.revokedAt === old.revokedAt;
        if (!isUnchanged || (await countOfChain(rows, projectId, rootKeyId)) !== chain) return undefined;
        await rows.batch([
          rows.db.insert(apiKeys).values(successor),
          rows.db.update(apiKeys).set({ expiresAt }).where(inProject(projectId, id)),
        ]);
        return { ...toRow(row), expiresAt };
      },
    async remove(projectId: string, id: string): Promise<void> {
      await db.delete(apiKeys).where(inProject(projectId, id));
      invalidate(id);
    },
    /** The operator keys of a project that were not revoked, at most 100, in the order of their ids. */
    async listOperatorKeys(projectId: string): Promise<ApiKeyRow[]> {
      const rows = await db
        .select()
        .from(apiKeys)
        .where(and(eq(apiKeys.projectId, projectId), eq(apiKeys.operator, true), isNull(apiKeys.revokedAt)))
        .orderBy(asc(apiKeys.id))
        .limit(MAX_LISTED_OPERATOR_KEYS);
      return rows.map(toRow);
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

/** Keys that were created before rotation existed have an empty `rootKeyId`; each is its own root. */
function readRow(
  { scopes, ...row }: typeof apiKeys.$inferSelect,
  reportDamage: Store['reportDamage'],
): ApiKeyRow {
  if (scopes === DAMAGED) reportDamage('api_keys', `${row.id}, scopes`);
  // Null would mean every scope.
  return { ...row, scopes: scopes === DAMAGED ? [] : scopes, rootKeyId: row.rootKeyId || row.id };
}
