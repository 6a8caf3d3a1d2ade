import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { SignalboxError } from '../errors.ts';
import { compileStatement } from './compiled-statement.ts';
import { type SqliteStore } from './store.ts';

export interface SqliteOptions {
  /** The data folder, created when missing, or `:memory:`. */
  data: string;
  /** `normal`: commits survive a crash of the process. `full`: commits also survive a loss of power, at the cost of an fsync each. */
  synchronous: 'normal' | 'full';
}

const MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Opens the SQLite store and applies pending migrations; see Store. Disposing closes it and releases the data folder.
 * @throws UNAVAILABLE when another process has the data folder open
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
          throw new TypeError('The work of a transaction must be synchronous; it returned a promise.');
        return result;
      })
      .immediate();

  return {
    db,
    transaction,
    compile: (query) => compileStatement(sqlite, query),
    async batch(statements) {
      transaction(() => statements.forEach((statement) => statement.run()));
    },
    async [Symbol.asyncDispose]() {
      sqlite.close();
      lock?.close();
    },
  };
}

/**
 * Locks the data folder for this process. The lock is held on a file of its own, so that backup tools can read the data
 * file. The kernel releases it when the process ends, even after `kill -9`.
 */
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
