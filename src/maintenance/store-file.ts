import { closeSync, existsSync, fsyncSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { SignalboxError } from '../errors.ts';
import { STORE_FILE } from '../store/data-folder.ts';
import { requireKnownSchema } from '../store/sqlite.ts';

/**
 * Opens a store file for maintenance, without migrating it.
 * @param name the file that errors name, if the operator gave another one
 * @throws UNAVAILABLE when the file is missing or is not a SQLite database
 */
export function openStoreFile(
  file: string,
  { readonly }: { readonly: boolean },
  name = file,
): Database.Database {
  if (!existsSync(file)) throw missingFile(name);
  // Reading a pipe would wait for its other end for ever.
  if (!statSync(file).isFile()) throw new SignalboxError('UNAVAILABLE', `${name} is not a file.`);
  try {
    const sqlite = new Database(file, { readonly, fileMustExist: true });
    sqlite.pragma('schema_version');
    return sqlite;
  } catch (cause) {
    const message = `${name} cannot be opened as a SQLite database: ${(cause as Error).message}.`;
    throw new SignalboxError('UNAVAILABLE', message, { cause });
  }
}

const missingFile = (file: string) =>
  new SignalboxError(
    'UNAVAILABLE',
    `There is no file ${file}. Set SIGNALBOX_DATA to the data folder of the service.`,
  );

/** The beginning of every SQLite database. */
const SQLITE_MAGIC = 'SQLite format 3\0';
/** The offset of the write version in the header of a database; 2 stands for a write-ahead log. */
const WRITE_VERSION = 18;

/** @throws UNAVAILABLE when the file is missing, cannot be read, or is no SQLite database */
export function requireStoreFile(file: string): void {
  if (!existsSync(file)) throw missingFile(file);
  if (
    !statSync(file).isFile() ||
    readHeader(file).toString('latin1', 0, SQLITE_MAGIC.length) !== SQLITE_MAGIC
  )
    throw new SignalboxError('UNAVAILABLE', `${file} is not a store of Signalbox.`);
}

/** Whether the newest rows of a SQLite database may be in a file `-wal` beside it. */
export function usesWriteAheadLog(file: string): boolean {
  return readHeader(file)[WRITE_VERSION] === 2;
}

function readHeader(file: string): Buffer {
  const header = Buffer.alloc(100);
  try {
    const descriptor = openSync(file, 'r');
    try {
      readSync(descriptor, header, 0, header.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new SignalboxError('UNAVAILABLE', `${file} cannot be read: ${(cause as Error).message}.`, {
      cause,
    });
  }
  return header;
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
