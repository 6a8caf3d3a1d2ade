import { eq, max } from 'drizzle-orm';
import { secrets } from '../secrets/tables.ts';
import { type Store } from '../store/store.ts';
import { revocations } from './tables.ts';

/** The row is no secret, but belongs to the installation like those of its table. */
const NAME = 'issued-through';

/** The row that remembers until when credentials were issued, in milliseconds since 1970. */
export function createIssueClockStore({ db }: Store) {
  return {
    /** 0 when nothing was stored. */
    async read(): Promise<number> {
      const [row] = await db.select().from(secrets).where(eq(secrets.name, NAME));
      return Number(row?.value ?? 0);
    },
    /** The latest time before which credentials are revoked; 0 without a revocation. */
    async latestRevocation(): Promise<number> {
      const [row] = await db.select({ latest: max(revocations.issuedBefore) }).from(revocations);
      return row?.latest ?? 0;
    },
    async save(issuedThrough: number): Promise<void> {
      const value = String(issuedThrough);
      await db
        .insert(secrets)
        .values({ name: NAME, value })
        .onConflictDoUpdate({ target: secrets.name, set: { value } });
    },
  };
}
