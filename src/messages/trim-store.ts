import { and, asc, desc, eq, inArray } from 'drizzle-orm';
import { type Address } from '../broker/message.ts';
import { type Store } from '../store/store.ts';
import { messages } from '../store/tables.ts';
import { type AddressStore } from './address-store.ts';

/** Removes messages, a bounded number at a time; their addresses remember that something was there. */
export interface TrimStore {
  /**
   * Looks at the oldest `limit` messages of an address and removes those that are not among its newest `keep`, were
   * published before `before` (milliseconds since 1970), or came no later than the sequence `through`. Returns how many
   * it removed.
   */
  trim(
    projectId: string,
    address: Address,
    bounds: { keep: number; before: number; through?: number },
    limit: number,
  ): number;
  /** Looks at the project's oldest `limit` messages and removes those published before `before`. Returns how many. */
  trimAge(projectId: string, before: number, limit: number): number;
}

type Row = Pick<typeof messages.$inferSelect, 'sequence' | 'address' | 'publishedAt'>;

export function createTrimStore(
  { db }: Store,
  addresses: AddressStore,
  atomically: <T>(work: () => T) => T,
): TrimStore {
  const oldest = (where: ReturnType<typeof and>, limit: number): Row[] =>
    db
      .select({
        sequence: messages.sequence,
        address: messages.address,
        publishedAt: messages.publishedAt,
      })
      .from(messages)
      .where(where)
      .orderBy(asc(messages.sequence))
      .limit(limit)
      .all();

  /** The sequence of the oldest message that is among the newest `keep`. */
  function oldestKept(where: ReturnType<typeof and>, keep: number): number {
    if (keep === 0) return Number.POSITIVE_INFINITY;
    const row = db
      .select({ sequence: messages.sequence })
      .from(messages)
      .where(where)
      .orderBy(desc(messages.sequence))
      .limit(1)
      .offset(keep - 1)
      .get();
    return row?.sequence ?? 0;
  }

  /** In one transaction the rows go and their addresses say so. */
  function remove(projectId: string, rows: Row[]): number {
    if (rows.length === 0) return 0;
    const sequences = rows.map(({ sequence }) => sequence);
    db.delete(messages)
      .where(and(eq(messages.projectId, projectId), inArray(messages.sequence, sequences)))
      .run();
    const through = new Map<Address, number>();
    for (const { address, sequence } of rows) through.set(address as Address, sequence);
    for (const [address, sequence] of through) {
      const state = addresses.of(projectId, address);
      state.trimmedThrough = Math.max(state.trimmedThrough, sequence);
      addresses.save(projectId, address, state);
    }
    return rows.length;
  }

  return {
    trim: (projectId, address, { keep, before, through = 0 }, limit) =>
      atomically(() => {
        const where = and(eq(messages.projectId, projectId), eq(messages.address, address));
        const keepFrom = oldestKept(where, keep);
        const isOver = ({ sequence, publishedAt }: Row) =>
          sequence < keepFrom || sequence <= through || publishedAt < before;
        return remove(projectId, oldest(where, limit).filter(isOver));
      }),
    trimAge: (projectId, before, limit) =>
      atomically(() => {
        const isOver = (row: Row) => row.publishedAt < before;
        return remove(projectId, oldest(eq(messages.projectId, projectId), limit).filter(isOver));
      }),
  };
}
