import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import type pg from 'pg';
import { SignalboxError } from '../errors.ts';

const FOLDER = fileURLToPath(new URL('../../drizzle-postgres', import.meta.url));

/**
 * Applies pending migrations. The caller holds the lock of a start, so no other node migrates at the same time. A migration may take
 * longer than a statement of the service, so `client` must have no time limit.
 * @throws UNAVAILABLE when a newer version of Signalbox wrote the database
 */
export async function migrateDatabase(client: pg.Client): Promise<void> {
  await requireKnownSchema(client);
  await migrate(drizzle(client), { migrationsFolder: FOLDER });
}

async function requireKnownSchema(client: pg.Client): Promise<void> {
  const { rows: tables } = await client.query<{ exists: boolean }>(
    `select to_regclass('drizzle.__drizzle_migrations') is not null as exists`,
  );
  if (!tables[0]?.exists) return;
  const { rows } = await client.query<{ newest: number | null }>(
    'select max(created_at) as newest from drizzle.__drizzle_migrations',
  );
  const { entries } = JSON.parse(readFileSync(join(FOLDER, 'meta/_journal.json'), 'utf8')) as {
    entries: { when: number }[];
  };
  if ((rows[0]?.newest ?? 0) <= Math.max(...entries.map(({ when }) => when))) return;
  throw new SignalboxError(
    'UNAVAILABLE',
    'The database was written by a newer version of Signalbox. Use that version or a newer one, or restore a backup of this version.',
  );
}
