import { and, asc, count, desc, eq, gte, lte, max, sql } from 'drizzle-orm';
import { type Address } from '../../broker/message.ts';
import { type SqliteStore } from '../../store/store.ts';
import { messages } from './tables.ts';
import { type AddressKey, type AddressStore } from './address-store.ts';

/** The messages to remove from an address: all up to and including the sequence number `through`. */
export interface Trim extends AddressKey {
  through: number;
}

/**
 * Removes ranges of messages, in steps of bounded size. The addresses keep the sequence number through which they were
 * trimmed. What to remove is always a sequence number: the order of the log decides, so messages before one that has
 * expired have expired too, even if the clock stood wrong when they were published.
 */
export interface TrimStore {
  /**
   * The sequence number through which an address has more than its newest `keep` messages; 0 when it has not. Costs
   * O(keep) at the first call for an address, then only O(messages above `keep`).
   */
  excessThrough(projectId: string, address: Address, keep: number): number;
  /**
   * The sequence number through which messages were published before `before` (milliseconds since 1970); 0 when none
   * were. Without an address: in the whole log of the project. Costs O(log n).
   * @param range only messages after the sequence `after` and up to `through` are compared; default: all
   */
  agedThrough(
    projectId: string,
    before: number,
    address?: Address,
    range?: { after: number; through?: number | undefined },
  ): number;
  /** Removes up to `limit` messages of these addresses in one transaction. Returns the number removed. */
  trim(trims: readonly Trim[], limit: number): number;
  /** Removes up to `limit` messages of all addresses of a project in one transaction. Returns the number removed. */
  trimProject(projectId: string, through: number, limit: number): number;
}

const placeholder = sql.placeholder;

export function createTrimStore(
  { sync: db }: SqliteStore,
  addresses: AddressStore,
  { atomically, onRemove }: { atomically: <T>(work: () => T) => T; onRemove: () => void },
): TrimStore {
  const { sequence, address, publishedAt } = messages;
  const ofProject = eq(messages.projectId, placeholder('projectId'));
  const ofAddress = and(ofProject, eq(address, placeholder('address')));
  const throughBound = lte(sequence, placeholder('through'));

  /** The sequence number at an offset, from the indexes alone. */
  const sequenceAt = (where: typeof ofAddress, order: typeof asc) =>
    db
      .select({ sequence })
      .from(messages)
      .where(where)
      .orderBy(order(sequence))
      .limit(1)
      .offset(placeholder('offset'))
      .prepare();
  const oldestOfProject = sequenceAt(and(ofProject, throughBound), asc);
  const oldestOfAddress = sequenceAt(ofAddress, asc);
  const newestOfAddress = sequenceAt(ofAddress, desc);
  const newestThrough = sequenceAt(and(ofAddress, throughBound), desc);
  const countOfAddress = db.select({ count: count() }).from(messages).where(ofAddress).prepare();

  const newestOfProject = sequenceAt(ofProject, desc);
  const newestOf = (projectId: string, address: Address | undefined): number =>
    address === undefined
      ? (newestOfProject.all({ projectId, offset: 0 })[0]?.sequence ?? 0)
      : addresses.of(projectId, address).last;

  const timeFrom = (where: typeof ofAddress) =>
    db
      .select({ sequence, publishedAt })
      .from(messages)
      .where(and(where, gte(sequence, placeholder('from'))))
      .orderBy(asc(sequence))
      .limit(1)
      .prepare();
  const timeFromOfProject = timeFrom(ofProject);
  const timeFromOfAddress = timeFrom(ofAddress);

  const removeOfAddress = db.delete(messages).where(and(ofAddress, throughBound)).prepare();
  const removeOfProject = db.delete(messages).where(and(ofProject, throughBound)).prepare();
  const addressesThrough = db
    .select({ address, count: count(), last: max(sequence) })
    .from(messages)
    .where(and(ofProject, throughBound))
    // The unary plus keeps SQLite on the primary key; it would walk the whole index of addresses.
    .groupBy(sql`+${address}`)
    .prepare();

  /** Must run in a transaction, after the rows were removed. */
  function recordTrim({ projectId, address }: AddressKey, through: number, removed: number): void {
    const state = addresses.of(projectId, address);
    state.trimmedThrough = Math.max(state.trimmedThrough, through);
    if (state.count !== undefined) state.count -= removed;
    addresses.save(projectId, address, state);
  }

  function trimOne({ projectId, address, through }: Trim, limit: number): number {
    const lastOfStep = oldestOfAddress.all({ projectId, address, offset: limit - 1 })[0]?.sequence;
    const bound = Math.min(through, lastOfStep ?? through);
    const last = newestThrough.all({ projectId, address, through: bound, offset: 0 })[0]?.sequence;
    if (last === undefined) return 0;
    const { changes } = removeOfAddress.run({ projectId, address, through: last });
    recordTrim({ projectId, address }, last, changes);
    return changes;
  }

  return {
    excessThrough(projectId, address, keep) {
      const state = addresses.of(projectId, address);
      if (state.last === state.trimmedThrough) return 0;
      if (keep === 0) return state.last;
      if (state.count === undefined) {
        const oldestKept = newestOfAddress.all({ projectId, address, offset: keep - 1 })[0]?.sequence;
        if (oldestKept === undefined) state.count = countOfAddress.all({ projectId, address })[0]?.count ?? 0;
        else if (oldestOfAddress.all({ projectId, address, offset: 0 })[0]?.sequence === oldestKept)
          state.count = keep;
        else return oldestKept - 1;
      }
      const excess = state.count - keep;
      if (excess <= 0) return 0;
      return oldestOfAddress.all({ projectId, address, offset: excess - 1 })[0]?.sequence ?? 0;
    },
    agedThrough(projectId, before, address, { after, through = Number.POSITIVE_INFINITY } = { after: 0 }) {
      const from = (sequence: number) =>
        address === undefined
          ? timeFromOfProject.all({ projectId, from: sequence })[0]
          : timeFromOfAddress.all({ projectId, address, from: sequence })[0];
      // Invariant: the message at `expired` has expired (0: no message), and none from `young` on is known to have expired.
      let expired = after;
      let young = Math.min(newestOf(projectId, address), through) + 1;
      while (expired + 1 < young) {
        const middle = Math.floor((expired + young) / 2);
        const found = from(middle);
        if (found && found.sequence < young && found.publishedAt < before) expired = found.sequence;
        else young = middle;
      }
      return expired === after ? 0 : expired;
    },
    trim: (trims, limit) =>
      atomically(() => {
        let removed = 0;
        for (const trim of trims) {
          if (removed >= limit) break;
          removed += trimOne(trim, limit - removed);
        }
        if (removed > 0) onRemove();
        return removed;
      }),
    trimProject: (projectId, through, limit) =>
      atomically(() => {
        const lastOfStep = oldestOfProject.all({ projectId, through, offset: limit - 1 })[0]?.sequence;
        const bound = { projectId, through: lastOfStep ?? through };
        const touched = addressesThrough.all(bound);
        if (touched.length === 0) return 0;
        onRemove();
        const { changes } = removeOfProject.run(bound);
        for (const { address, count, last } of touched) recordTrim({ projectId, address }, last ?? 0, count);
        return changes;
      }),
  };
}
