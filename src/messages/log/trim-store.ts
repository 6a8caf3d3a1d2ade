import { and, asc, desc, eq, sql } from 'drizzle-orm';
import { type Address } from '../../broker/message.ts';
import { type Store } from '../../store/store.ts';
import { messages } from './tables.ts';
import { type AddressStore } from './address-store.ts';

/** Which messages of an address to remove: those that match any of the bounds. */
export interface TrimBounds {
  /** Removes messages with a lower sequence number. See `oldestKept`. */
  from: number;
  /** Removes messages published earlier, in milliseconds since 1970. */
  before: number;
  /** Removes messages up to and including this sequence number. Default: 0. */
  through?: number;
}

/** Removes messages in steps of bounded size. The addresses keep the sequence number through which they were trimmed. */
export interface TrimStore {
  /**
   * The sequence number of the oldest message among the newest `keep` of an address; 0 when there are fewer, infinity when
   * `keep` is 0. Costs O(keep).
   */
  oldestKept(projectId: string, address: Address, keep: number): number;
  /** Examines the oldest `limit` messages of an address and removes those that match. Returns the number removed. */
  trim(projectId: string, address: Address, bounds: TrimBounds, limit: number): number;
  /** Examines the oldest `limit` messages of a project and removes those published before `before`. Returns the number removed. */
  trimAge(projectId: string, before: number, limit: number): number;
}

type Row = Pick<typeof messages.$inferSelect, 'sequence' | 'address' | 'publishedAt'>;

const placeholder = sql.placeholder;

export function createTrimStore(
  { db }: Store,
  addresses: AddressStore,
  { atomically, onRemove }: { atomically: <T>(work: () => T) => T; onRemove: () => void },
): TrimStore {
  const ofProject = eq(messages.projectId, placeholder('projectId'));
  const ofAddress = and(ofProject, eq(messages.address, placeholder('address')));
  const { sequence, address, publishedAt } = messages;
  const oldest = (where: typeof ofAddress) =>
    db
      .select({ sequence, address, publishedAt })
      .from(messages)
      .where(where)
      .orderBy(asc(sequence))
      .limit(placeholder('limit'))
      .prepare();
  const oldestOfProject = oldest(ofProject);
  const oldestOfAddress = oldest(ofAddress);
  const newest = db
    .select({ sequence })
    .from(messages)
    .where(ofAddress)
    .orderBy(desc(sequence))
    .limit(1)
    .offset(placeholder('offset'))
    .prepare();
  const removeRows = db
    .delete(messages)
    .where(and(ofProject, sql`${sequence} in (select value from json_each(${placeholder('sequences')}))`))
    .prepare();

  /** Must run in a transaction: deletes the rows and updates `trimmedThrough` of their addresses. */
  function remove(projectId: string, rows: Row[]): number {
    if (rows.length === 0) return 0;
    onRemove();
    removeRows.run({ projectId, sequences: JSON.stringify(rows.map((row) => row.sequence)) });
    const lastTrimmed = new Map<Address, number>();
    for (const row of rows) lastTrimmed.set(row.address, row.sequence);
    for (const [trimmed, sequence] of lastTrimmed) {
      const state = addresses.of(projectId, trimmed);
      state.trimmedThrough = Math.max(state.trimmedThrough, sequence);
      addresses.save(projectId, trimmed, state);
    }
    return rows.length;
  }

  return {
    oldestKept(projectId, address, keep) {
      if (keep === 0) return Number.POSITIVE_INFINITY;
      return newest.all({ projectId, address, offset: keep - 1 })[0]?.sequence ?? 0;
    },
    trim: (projectId, address, { from, before, through = 0 }, limit) =>
      atomically(() => {
        const isExpired = (row: Row) =>
          row.sequence < from || row.sequence <= through || row.publishedAt < before;
        return remove(projectId, oldestOfAddress.all({ projectId, address, limit }).filter(isExpired));
      }),
    trimAge: (projectId, before, limit) =>
      atomically(() => {
        const isExpired = (row: Row) => row.publishedAt < before;
        return remove(projectId, oldestOfProject.all({ projectId, limit }).filter(isExpired));
      }),
  };
}
