import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { SignalboxError } from '../errors.ts';
import { compile } from './compiled.ts';
import { type SqliteStore } from './store.ts';

export interface SqliteOptions {
  /** A folder, made when missing, or `:memory:`. */
  data: string;
  /** `normal` survives a crash of the process, `full` a loss of power as well. */
  synchronous: 'normal' | 'full';
}

const MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Opens the store and brings its tables up to date.
 * @throws UNAVAILABLE when another process has this data folder open.
 */
export function openSqlite({ data, synchronous }: SqliteOptions): SqliteStore {
  const lock = data === ':memory:' ? undefined : lockFolder(data);
  const sqlite = new Database(data === ':memory:' ? data : join(data, 'signalbox.sqlite'));
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma(`synchronous = ${synchronous}`);
  sqlite.pragma('cache_size = -65536');
  const db = drizzle(sqlite);
  migrate(db, { migrationsFolder: MIGRATIONS });

  const transaction = <T>(work: () => T): T =>
    sqlite
      .transaction(() => {
        const result = work();
        if (result instanceof Promise)
          throw new TypeError('A transaction cannot wait: its work must be synchronous.');
        return result;
      })
      .immediate();

  return {
    db,
    transaction,
    compile: (query) => compile(sqlite, query),
    async batch(statements) {
      transaction(() => statements.forEach((statement) => statement.run()));
    },
    async [Symbol.asyncDispose]() {
      sqlite.close();
      lock?.close();
    },
  };
}

/** The kernel frees this lock when the process dies, however it dies; the data file itself stays open to backups. */
export function lockFolder(folder: string): Database.Database {
  mkdirSync(folder, { recursive: true });
  const lock = new Database(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch {
    lock.close();
    throw new SignalboxError(
      'UNAVAILABLE',
      `The data folder ${folder} is in use by another Signalbox process. Stop it, or set SIGNALBOX_DATA to another folder.`,
    );
  }
  return lock;
}
