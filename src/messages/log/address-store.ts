import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { type Address } from '../../broker/message.ts';
import { type Store } from '../../store/store.ts';
import { addresses } from './tables.ts';

/** What the log remembers of an address, also of one whose messages are gone. */
export interface AddressState {
  /** The last sequence that was given there; 0: none yet. */
  last: number;
  trimmedThrough: number;
}

export interface AddressKey {
  projectId: string;
  address: Address;
}

const MAX_CACHED = 50_000;

/** The rows of addresses, and the states of those that were used lately. One writer: this process. */
export function createAddressStore({ db }: Store) {
  const states = new Map<string, AddressState>();
  /** The highest sequence trimmed in a project: whoever reads after it has lost nothing anywhere. */
  const trimmed = new Map<string, number>();
  const findOne = db
    .select({ last: addresses.last, trimmedThrough: addresses.trimmedThrough })
    .from(addresses)
    .where(
      and(
        eq(addresses.projectId, sql.placeholder('projectId')),
        eq(addresses.address, sql.placeholder('address')),
      ),
    )
    .prepare();
  const saveOne = db
    .insert(addresses)
    .values({
      projectId: sql.placeholder('projectId'),
      address: sql.placeholder('address'),
      last: sql.placeholder('last'),
      trimmedThrough: sql.placeholder('trimmedThrough'),
    })
    .onConflictDoUpdate({
      target: [addresses.projectId, addresses.address],
      set: { last: sql`excluded.last`, trimmedThrough: sql`excluded.trimmed_through` },
    })
    .prepare();

  function trimmedAnywhere(projectId: string): number {
    const known = trimmed.get(projectId);
    if (known !== undefined) return known;
    const row = db
      .select({ through: sql<number | null>`max(${addresses.trimmedThrough})` })
      .from(addresses)
      .where(eq(addresses.projectId, projectId))
      .get();
    const through = row?.through ?? 0;
    trimmed.set(projectId, through);
    return through;
  }

  return {
    /** The state itself: whoever changes it saves it in the same transaction. */
    of(projectId: string, address: Address): AddressState {
      const key = `${projectId}\n${address}`;
      const known = states.get(key);
      if (known) return known;
      const state = findOne.all({ projectId, address })[0] ?? { last: 0, trimmedThrough: 0 };
      states.set(key, state);
      return state;
    },
    save(projectId: string, address: Address, { last, trimmedThrough }: AddressState): void {
      saveOne.run({ projectId, address, last, trimmedThrough });
      if (trimmedThrough > trimmedAnywhere(projectId)) trimmed.set(projectId, trimmedThrough);
    },
    trimmedAnywhere,
    /** Those of any project that hold messages, sorted, after the given one. */
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
    /** Only between transactions: within one, a state may not be in the rows yet. */
    bound(): void {
      if (states.size >= MAX_CACHED) states.clear();
    },
    forget(): void {
      states.clear();
      trimmed.clear();
    },
  };
}

export type AddressStore = ReturnType<typeof createAddressStore>;
