import { eq } from 'drizzle-orm';
import { type Store } from '../store/store.ts';
import { secrets } from './tables.ts';

/** A key of our own by its name, made at the first asking. */
export async function readSecret({ db }: Store, name: string, make: () => Uint8Array): Promise<Uint8Array> {
  const value = Buffer.from(make()).toString('base64url');
  await db.insert(secrets).values({ name, value }).onConflictDoNothing();
  const [row] = await db.select().from(secrets).where(eq(secrets.name, name));
  return Buffer.from(row?.value ?? value, 'base64url');
}
