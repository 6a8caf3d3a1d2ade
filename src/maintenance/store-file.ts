import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { SignalboxError } from '../errors.ts';
import { STORE_FILE } from '../store/data-folder.ts';
import { requireKnownSchema } from '../store/sqlite.ts';

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
    throw new SignalboxError('UNAVAILABLE', message, { cause });
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
  requireKnownSchema(sqlite);
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
