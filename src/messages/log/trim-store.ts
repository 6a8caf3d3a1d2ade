import { and, asc, desc, eq, sql } from 'drizzle-orm';
import { type Address } from '../../broker/message.ts';
import { type Store } from '../../store/store.ts';
import { messages } from './tables.ts';
import { type AddressStore } from './address-store.ts';

/** What of an address is over. */
export interface TrimBounds {
  /** All before this sequence; see `keptFrom`. */
  from: number;
  /** What was published before, in milliseconds since 1970. */
  before: number;
  /** All up to this sequence. */
  through?: number;
}

/** Removes messages, a bounded number at a time; their addresses remember that something was there. */
export interface TrimStore {
  /** The sequence of the oldest message that is among the newest `keep` of an address. It looks at all of those. */
  keptFrom(projectId: string, address: Address, keep: number): number;
  /** Looks at the oldest `limit` messages of an address and removes those that are over. Returns how many. */
  trim(projectId: string, address: Address, bounds: TrimBounds, limit: number): number;
  /** Looks at the project's oldest `limit` messages and removes those published before `before`. Returns how many. */
  trimAge(projectId: string, before: number, limit: number): number;
}

type Row = Pick<typeof messages.$inferSelect, 'sequence' | 'address' | 'publishedAt'>;

const given = sql.placeholder;

export function createTrimStore(
  { db }: Store,
  addresses: AddressStore,
  { atomically, removes }: { atomically: <T>(work: () => T) => T; removes: () => void },
): TrimStore {
  const ofProject = eq(messages.projectId, given('projectId'));
  const ofAddress = and(ofProject, eq(messages.address, given('address')));
  const { sequence, address, publishedAt } = messages;
  const oldest = (where: typeof ofAddress) =>
    db
      .select({ sequence, address, publishedAt })
      .from(messages)
      .where(where)
      .orderBy(asc(sequence))
      .limit(given('limit'))
      .prepare();
  const oldestOfProject = oldest(ofProject);
  const oldestOfAddress = oldest(ofAddress);
  const newest = db
    .select({ sequence })
    .from(messages)
    .where(ofAddress)
    .orderBy(desc(sequence))
    .limit(1)
    .offset(given('offset'))
    .prepare();
  const removeRows = db
    .delete(messages)
    .where(and(ofProject, sql`${sequence} in (select value from json_each(${given('sequences')}))`))
    .prepare();

  /** In one transaction the rows go and their addresses say so. */
  function remove(projectId: string, rows: Row[]): number {
    if (rows.length === 0) return 0;
    removes();
    removeRows.run({ projectId, sequences: JSON.stringify(rows.map((row) => row.sequence)) });
    const through = new Map<Address, number>();
    for (const row of rows) through.set(row.address, row.sequence);
    for (const [trimmed, last] of through) {
      const state = addresses.of(projectId, trimmed);
      state.trimmedThrough = Math.max(state.trimmedThrough, last);
      addresses.save(projectId, trimmed, state);
    }
    return rows.length;
  }

  return {
    keptFrom(projectId, address, keep) {
      if (keep === 0) return Number.POSITIVE_INFINITY;
      return newest.all({ projectId, address, offset: keep - 1 })[0]?.sequence ?? 0;
    },
    trim: (projectId, address, { from, before, through = 0 }, limit) =>
      atomically(() => {
        const isOver = (row: Row) =>
          row.sequence < from || row.sequence <= through || row.publishedAt < before;
        return remove(projectId, oldestOfAddress.all({ projectId, address, limit }).filter(isOver));
      }),
    trimAge: (projectId, before, limit) =>
      atomically(() => {
        const isOver = (row: Row) => row.publishedAt < before;
        return remove(projectId, oldestOfProject.all({ projectId, limit }).filter(isOver));
      }),
  };
}
