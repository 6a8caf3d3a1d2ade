import { gt, isNull } from 'drizzle-orm';
import { type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { signingKeys } from './tables.ts';

export type SigningKeyRow = typeof signingKeys.$inferSelect;

/** The rows of signing keys. */
export function createSigningKeyStore({ db }: Store) {
  return {
    async insert(row: SigningKeyRow): Promise<void> {
      await db.insert(signingKeys).values(row);
    },
    async list(): Promise<SigningKeyRow[]> {
      return db.select().from(signingKeys);
    },
    /**
     * Retires every key that signs, brings forward the expiry of every key that would verify beyond `expiresAt`, and
     * inserts the key that signs from now on.
     */
    replacement:
      (successor: SigningKeyRow, retiredAt: number, expiresAt: number): Write<void> =>
      ({ batch }) =>
        batch([
          db.update(signingKeys).set({ retiredAt, expiresAt }).where(isNull(signingKeys.retiredAt)),
          db.update(signingKeys).set({ expiresAt }).where(gt(signingKeys.expiresAt, expiresAt)),
          db.insert(signingKeys).values(successor),
        ]),
  };
}
