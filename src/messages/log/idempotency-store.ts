import { and, eq, lt, sql } from 'drizzle-orm';
import { type Draft, type Message } from '../../broker/message.ts';
import { DAMAGED } from '../../store/columns.ts';
import { type SqliteStore } from '../../store/store.ts';
import { idempotencyKeys, type FirstMessage } from './tables.ts';

/** The rows of idempotency keys, each with the first message that used the key. */
export function createIdempotencyStore({ sync: db }: SqliteStore) {
  const findOne = db
    .select()
    .from(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.projectId, sql.placeholder('projectId')),
        eq(idempotencyKeys.key, sql.placeholder('key')),
      ),
    )
    .prepare();

  return {
    /** The earlier use of the draft's key, or undefined when there is none or the key has expired. */
    find(draft: Draft): { message: Message; isSame: boolean } | undefined {
      const { projectId, idempotency, publishedAt } = draft;
      if (!idempotency) return undefined;
      const used = findOne.all({ projectId, key: idempotency.key })[0];
      if (!used || used.expiresAt <= publishedAt || used.message === DAMAGED) return undefined;
      // A repeat has the same address, event and data as the first message, so these fields come from the draft.
      const { address, event, data, idempotencyKey } = draft;
      const first = used.message;
      return {
        message: { projectId, address, event, data, idempotencyKey, ...first },
        isSame: used.fingerprint === idempotency.fingerprint,
      };
    },
    save({ projectId, idempotency }: Draft, message: Message): void {
      if (!idempotency) return;
      const { key, fingerprint, expiresAt } = idempotency;
      const { id, logged, sender, publishedAt } = message;
      const first: FirstMessage = { id, logged, sender, publishedAt };
      const set = { fingerprint, message: first, expiresAt };
      db.insert(idempotencyKeys)
        .values({ projectId, key, ...set })
        .onConflictDoUpdate({ target: [idempotencyKeys.projectId, idempotencyKeys.key], set })
        .run();
    },
    /** Removes up to `limit` keys that expired before `now` (milliseconds since 1970). Returns the number removed. */
    removeExpired: (now: number, limit: number): number =>
      db
        .delete(idempotencyKeys)
        .where(
          sql`rowid in (select rowid from ${idempotencyKeys} where ${lt(idempotencyKeys.expiresAt, now)} limit ${limit})`,
        )
        .run().changes,
  };
}

export type IdempotencyStore = ReturnType<typeof createIdempotencyStore>;
