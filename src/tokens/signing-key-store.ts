import { gt, isNull } from 'drizzle-orm';
import { createLockProject } from '../store/project-lock.ts';
import { DEFAULT_PROJECT } from '../projects/project.ts';
import { type Store } from '../store/store.ts';
import { type Write } from '../store/write.ts';
import { signingKeys } from './tables.ts';

export type SigningKeyRow = typeof signingKeys.$inferSelect;

/** The rows of signing keys. */
export function createSigningKeyStore(store: Store) {
  const { db } = store;
  const lockProject = createLockProject(store);
  return {
    /** Inserts the first key that signs. Results in the key that signs, which another node may have inserted meanwhile. */
    insertFirst:
      (row: SigningKeyRow): Write<SigningKeyRow> =>
      async (rows) => {
        // The keys are those of all projects.
        await lockProject(rows, DEFAULT_PROJECT);
        const [existing] = await rows.db
          .select()
          .from(signingKeys)
          .where(isNull(signingKeys.retiredAt))
          .limit(1);
        if (!existing) await rows.db.insert(signingKeys).values(row);
        return existing ?? row;
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
