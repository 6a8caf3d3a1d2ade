import { and, asc, desc, eq, gt, gte, sql } from 'drizzle-orm';
import { type HistoryBounds } from '../../broker/log.ts';
import { type Address } from '../../broker/message.ts';
import { type SqliteStore } from '../../store/store.ts';
import { type AddressStore } from './address-store.ts';
import { messages } from './tables.ts';

const placeholder = sql.placeholder;

/**
 * Which messages a history policy excludes. The purge removes them later; until then, readers skip them.
 */
export function createExpiryStore({ sync: db }: SqliteStore, addresses: AddressStore) {
  const { sequence, previous, publishedAt } = messages;
  const ofAddress = and(
    eq(messages.projectId, placeholder('projectId')),
    eq(messages.address, placeholder('address')),
    gt(sequence, placeholder('after')),
  );
  const newestBeyond = db
    .select({ sequence })
    .from(messages)
    .where(ofAddress)
    .orderBy(desc(sequence))
    .limit(1)
    .offset(placeholder('keep'))
    .prepare();
  const oldestSince = db
    .select({ previous })
    .from(messages)
    .where(and(ofAddress, gte(publishedAt, placeholder('since'))))
    .orderBy(asc(sequence))
    .limit(1)
    .prepare();

  return {
    /** See `Log.expiredThrough`. Costs O(`keep`) and O(expired messages). */
    expiredThrough(
      projectId: string,
      address: Address,
      { keep, since }: HistoryBounds,
      after: number,
    ): number {
      const { last } = addresses.of(projectId, address);
      if (last <= after) return after;
      const range = { projectId, address, after };
      const byCount = keep === undefined ? after : newestBeyond.all({ ...range, keep })[0]?.sequence;
      const byAge =
        since === undefined
          ? after
          : (oldestSince.all({ ...range, since })[0] ?? { previous: last }).previous;
      return Math.max(after, byCount ?? after, byAge);
    },
  };
}
