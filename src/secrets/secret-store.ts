import { eq } from 'drizzle-orm';
import { type Store } from '../store/store.ts';
import { secrets } from './tables.ts';

/**
 * Reads an internal secret of this installation by its name. The first call generates and stores it; where
 * several nodes call at the same time, all of them read the value that was stored first.
 */
export async function readSecret(
  { db }: Store,
  name: string,
  generate: () => Uint8Array,
): Promise<Uint8Array> {
  const value = Buffer.from(generate()).toString('base64url');
  await db.insert(secrets).values({ name, value }).onConflictDoNothing();
  const [row] = await db.select().from(secrets).where(eq(secrets.name, name));
  return Buffer.from(row?.value ?? value, 'base64url');
}

/** Whether the installation has a secret of this name. */
export async function hasSecret({ db }: Store, name: string): Promise<boolean> {
  const rows = await db.select({ name: secrets.name }).from(secrets).where(eq(secrets.name, name));
  return rows.length > 0;
}
