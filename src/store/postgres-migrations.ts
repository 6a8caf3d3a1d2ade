import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type pg from 'pg';
import { SignalboxError } from '../errors.ts';

const FOLDER = fileURLToPath(new URL('../../drizzle-postgres', import.meta.url));

/** The table of drizzle's `migrate`, which applied the migrations before. */
const CREATE_JOURNAL = `
CREATE SCHEMA IF NOT EXISTS drizzle;
CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`;

/**
 * Applies pending migrations. The caller holds the lock of a start, so no other node migrates at the same time. A migration may take
 * longer than a statement of the service, so `client` must have no time limit.
 *
 * Each migration is a transaction of its own, unlike in drizzle's `migrate`: nodes of the version before use the database meanwhile, in
 * several orders, so a transaction that locked one of their tables and then waited for another one could wait for ever.
 * @throws UNAVAILABLE when a newer version of Signalbox wrote the database
 */
export async function migrateDatabase(client: pg.Client): Promise<void> {
  const newest = await readNewest(client);
  const migrations = readMigrationFiles({ migrationsFolder: FOLDER });
  requireKnownSchema(migrations, newest);
  // As in drizzle's `migrate`, times in the journal of the migrations decide, not hashes.
  const pending = migrations.filter(({ folderMillis }) => newest === undefined || folderMillis > newest);
  if (pending.length === 0) return;
  await client.query(CREATE_JOURNAL);
  for (const { sql, hash, folderMillis } of pending) {
    await client.query('BEGIN');
    for (const statement of sql) await client.query(statement);
    await client.query('INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ($1, $2)', [
      hash,
      folderMillis,
    ]);
    await client.query('COMMIT');
  }
}

/** The time of the newest migration that was applied; undefined for an empty database. */
async function readNewest(client: pg.Client): Promise<number | undefined> {
  const { rows: tables } = await client.query<{ exists: boolean }>(
    `select to_regclass('drizzle.__drizzle_migrations') is not null as exists`,
  );
  if (!tables[0]?.exists) return undefined;
  const { rows } = await client.query<{ newest: number | null }>(
    'select max(created_at) as newest from drizzle.__drizzle_migrations',
  );
  return rows[0]?.newest ?? undefined;
}

function requireKnownSchema(migrations: readonly { folderMillis: number }[], newest = 0): void {
  if (newest <= Math.max(...migrations.map(({ folderMillis }) => folderMillis))) return;
  throw new SignalboxError(
    'UNAVAILABLE',
    'The database was written by a newer version of Signalbox. Use that version or a newer one, or restore a backup of this version.',
  );
}
