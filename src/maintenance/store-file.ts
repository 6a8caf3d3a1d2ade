import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { SignalboxError } from '../errors.ts';

/** The file of the store within a data folder. */
export const STORE_FILE = 'signalbox.sqlite';

const JOURNAL = fileURLToPath(new URL('../../drizzle/meta/_journal.json', import.meta.url));

/**
 * Opens a store file for maintenance, without migrating it.
 * @throws UNAVAILABLE when the file is missing or is not a SQLite database
 */
export function openStoreFile(file: string, { readonly }: { readonly: boolean }): Database.Database {
  if (!existsSync(file)) {
    throw new SignalboxError(
      'UNAVAILABLE',
      `There is no file ${file}. Set SIGNALBOX_DATA to the data folder of the service.`,
    );
  }
  try {
    const sqlite = new Database(file, { readonly, fileMustExist: true });
    sqlite.pragma('schema_version');
    return sqlite;
  } catch (cause) {
    const message = `${file} cannot be opened as a SQLite database: ${(cause as Error).message}.`;
    throw new SignalboxError('UNAVAILABLE', message);
  }
}

/**
 * Checks that a file is a store of this version of Signalbox or of an older one.
 * @throws UNAVAILABLE when it is another database, or was written by a newer version
 */
export function requireOwnSchema(sqlite: Database.Database, file: string): void {
  const hasTables = sqlite
    .prepare(`select count(*) as count from sqlite_master where name in ('logs', 'messages', 'tokens')`)
    .get() as { count: number };
  if (hasTables.count !== 3)
    throw new SignalboxError('UNAVAILABLE', `${basename(file)} is not a store of Signalbox.`);
  const applied = sqlite.prepare('select max(created_at) as newest from __drizzle_migrations').get() as {
    newest: number | null;
  };
  const { entries } = JSON.parse(readFileSync(JOURNAL, 'utf8')) as { entries: { when: number }[] };
  const newest = Math.max(...entries.map(({ when }) => when));
  if ((applied.newest ?? 0) > newest) {
    throw new SignalboxError(
      'UNAVAILABLE',
      `${basename(file)} was written by a newer version of Signalbox. Use that version or a newer one.`,
    );
  }
}

/** Flushes a file to the disk, and the folder that names it. */
export function flushFile(file: string): void {
  for (const path of [file, dirname(file)]) {
    const descriptor = openSync(path, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

export const storeFileOf = (data: string) => join(data, STORE_FILE);
