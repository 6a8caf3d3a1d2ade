import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { type Address } from '../../broker/message.ts';
import { type SqliteStore } from '../../store/store.ts';
import { addresses } from './tables.ts';

/** The state of an address. Outlives the messages, so that trimmed addresses are known. */
export interface AddressState {
  /** The sequence number of the last message; 0 before the first message. */
  last: number;
  /** The ordinal of the last message; 0 before the first message. */
  lastOrdinal: number;
  /** The sequence number through which the address was trimmed; 0 when nothing was trimmed. */
  trimmedThrough: number;
  /** Messages at the address. Counted when it is first needed, and not stored: undefined until then. */
  count?: number;
}

export interface AddressKey {
  projectId: string;
  address: Address;
}

const MAX_CACHED = 50_000;

/** The rows of addresses, with a cache. The cache is valid because this process is the only writer. */
export function createAddressStore({ sync: db, compile }: SqliteStore) {
  const cache = new Map<string, AddressState>();
  /** The highest trimmed sequence number per project. A read after this number cannot have lost messages at any address. */
  const maxTrimmed = new Map<string, number>();
  const findOne = db
    .select({
      last: addresses.last,
      lastOrdinal: addresses.lastOrdinal,
      trimmedThrough: addresses.trimmedThrough,
    })
    .from(addresses)
    .where(
      and(
        eq(addresses.projectId, sql.placeholder('projectId')),
        eq(addresses.address, sql.placeholder('address')),
      ),
    )
    .prepare();
  const saveOne = compile(
    db
      .insert(addresses)
      .values({
        projectId: sql.placeholder('projectId'),
        address: sql.placeholder('address'),
        last: sql.placeholder('last'),
        lastOrdinal: sql.placeholder('lastOrdinal'),
        trimmedThrough: sql.placeholder('trimmedThrough'),
      })
      .onConflictDoUpdate({
        target: [addresses.projectId, addresses.address],
        set: {
          last: sql`excluded.last`,
          lastOrdinal: sql`excluded.last_ordinal`,
          trimmedThrough: sql`excluded.trimmed_through`,
        },
      }),
  );

  function maxTrimmedThrough(projectId: string): number {
    const known = maxTrimmed.get(projectId);
    if (known !== undefined) return known;
    const row = db
      .select({ through: sql<number | null>`max(${addresses.trimmedThrough})` })
      .from(addresses)
      .where(eq(addresses.projectId, projectId))
      .get();
    const through = row?.through ?? 0;
    maxTrimmed.set(projectId, through);
    return through;
  }

  return {
    /** Returns the cached object itself. A caller that changes the state must `save` it in the same transaction. */
    of(projectId: string, address: Address): AddressState {
      const key = `${projectId}\n${address}`;
      const known = cache.get(key);
      if (known) return known;
      const state = findOne.all({ projectId, address })[0] ?? { last: 0, lastOrdinal: 0, trimmedThrough: 0 };
      cache.set(key, state);
      return state;
    },
    save(projectId: string, address: Address, state: AddressState): void {
      const { last, lastOrdinal, trimmedThrough } = state;
      saveOne({ projectId, address, last, lastOrdinal, trimmedThrough });
      if (trimmedThrough > maxTrimmedThrough(projectId)) maxTrimmed.set(projectId, trimmedThrough);
    },
    maxTrimmedThrough,
    /** A page of the addresses of all projects that hold messages, sorted by project and address, after `after`. */
    list: (after: { projectId: string; address: string }, limit: number): AddressKey[] =>
      db
        .select({ projectId: addresses.projectId, address: sql<Address>`${addresses.address}` })
        .from(addresses)
        .where(
          and(
            sql`(${addresses.projectId}, ${addresses.address}) > (${after.projectId}, ${after.address})`,
            gt(addresses.last, addresses.trimmedThrough),
          ),
        )
        .orderBy(asc(addresses.projectId), asc(addresses.address))
        .limit(limit)
        .all(),
    /** Empties a full cache. Must be called between transactions, because a state may be unsaved within a transaction. */
    evictIfFull(): void {
      if (cache.size >= MAX_CACHED) cache.clear();
    },
    clearCache(): void {
      cache.clear();
      maxTrimmed.clear();
    },
  };
}

export type AddressStore = ReturnType<typeof createAddressStore>;
