import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { SignalboxError } from '../errors.ts';
import { compileSelect, compileStatement } from './compiled-statement.ts';
import { folderError, lockFolder, prepareDataFolder, STORE_FILE } from './data-folder.ts';
import { type Database as AsyncDatabase, type SqliteStore } from './store.ts';
import { createWriteGuard, type WriteGuard } from './write-guard.ts';

export interface SqliteOptions {
  /** The data folder, created when missing, or `:memory:`. */
  data: string;
  /** `normal`: commits survive a crash of the process. `full`: commits also survive a loss of power, at the cost of an fsync each. */
  synchronous: 'normal' | 'full';
}

/** The share of the file that stays unused, so that it does not shrink and grow all the time. */
const KEPT_UNUSED = 0.1;

/** Further rows are not reported, so that the memory of what was reported is bounded. */
const MAX_REPORTED_DAMAGE = 1000;

const MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Opens the SQLite store and applies pending migrations; see Store. Disposing closes it and releases the data folder.
 * @throws UNAVAILABLE when another process has the data folder open, the folder cannot be used, the store is damaged, or a
 * newer version of Signalbox wrote it
 */
export function openSqlite(
  { data, synchronous }: SqliteOptions,
  onDamage: (damage: { table: string; place: string }) => void = () => undefined,
): SqliteStore {
  if (data !== ':memory:') prepareDataFolder(data);
  const lock = data === ':memory:' ? undefined : lockFolder(data);
  const { sqlite, db } = openDatabase({ data, synchronous }, () => lock?.close());

  const reported = new Set<string>();
  const guard = createWriteGuard(sqlite);
  guardStatements(sqlite, guard);

  const runInTransaction = sqlite.transaction((work: () => unknown) => {
    const result = work();
    if (result instanceof Promise)
      throw new TypeError('The work of a transaction must be synchronous; it returned a promise.');
    return result;
  });
  const transaction = <T>(work: () => T): T => guard.run(() => runInTransaction.immediate(work) as T);

  return {
    // Queries of better-sqlite3 can be awaited too; only the types differ.
    db: db as unknown as AsyncDatabase,
    sync: db,
    transaction,
    compile: (query) => compileStatement(sqlite, query),
    select: (table, condition) => compileSelect(sqlite, table, condition),
    lockingRows: sql``,
    keepingRows: sql``,
    jsonNumber: (column, member) =>
      sql<number>`case when json_valid(${column}) then coalesce(json_extract(${column}, ${`$.${member}`}), 0) else 0 end`,
    reportDamage(table, place) {
      const key = `${table} ${place}`;
      if (reported.has(key) || reported.size >= MAX_REPORTED_DAMAGE) return;
      reported.add(key);
      onDamage({ table, place });
    },
    writeProblem: guard.problem,
    untilUnlocked: guard.untilUnlocked,
    reclaimSpace(limit) {
      const count = (name: string) => Number(sqlite.pragma(name, { simple: true }));
      const unused = count('freelist_count');
      const excess = Math.floor(unused - count('page_count') * KEPT_UNUSED);
      if (excess <= 0) return 0;
      guard.run(() => sqlite.pragma(`incremental_vacuum(${Math.min(limit, excess)})`));
      return unused - count('freelist_count');
    },
    size() {
      const bytesOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      const path = sqlite.memory ? undefined : sqlite.name;
      if (path !== undefined) return { databaseBytes: bytesOf(path), walBytes: bytesOf(`${path}-wal`) };
      const pages = (name: string) => Number(sqlite.pragma(name, { simple: true }));
      return { databaseBytes: pages('page_count') * pages('page_size'), walBytes: 0 };
    },
    async batch(statements) {
      await guard.untilUnlocked();
      transaction(() => {
        for (const { sql, params } of statements.map((statement) => statement.toSQL()))
          sqlite.prepare(sql).run(params);
      });
    },
    async [Symbol.asyncDispose]() {
      guard[Symbol.dispose]();
      sqlite.close();
      lock?.close();
    },
  };
}

/** Translates the errors of every statement that is prepared from now on. */
function guardStatements(sqlite: Database.Database, guard: WriteGuard): void {
  const prepare = sqlite.prepare.bind(sqlite);
  sqlite.prepare = ((source: string) => {
    const statement = prepare(source);
    const { run, get, all } = statement;
    return Object.assign(statement, {
      run: guard.guarded(run.bind(statement)),
      get: guard.guarded(get.bind(statement)),
      all: guard.guarded(all.bind(statement)),
    });
  }) as typeof sqlite.prepare;
}

function openDatabase({ data, synchronous }: SqliteOptions, onFailure: () => void) {
  let sqlite: Database.Database | undefined;
  try {
    sqlite = new Database(data === ':memory:' ? data : join(data, STORE_FILE));
    // Takes effect for a new store only: the setting is part of the file.
    sqlite.pragma('auto_vacuum = INCREMENTAL');
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma(`synchronous = ${synchronous}`);
    sqlite.pragma('cache_size = -65536');
    requireKnownSchema(sqlite);
    const db = drizzle(sqlite);
    migrate(db, { migrationsFolder: MIGRATIONS });
    return { sqlite, db };
  } catch (error) {
    sqlite?.close();
    onFailure();
    throw error instanceof SignalboxError ? error : folderError(data, error);
  }
}

/**
 * Refuses a store that a newer version wrote: this version would ignore columns that the newer one relies on.
 * @throws UNAVAILABLE when a migration was applied that this version does not have
 */
export function requireKnownSchema(sqlite: Database.Database): void {
  const hasMigrations = sqlite
    .prepare(`select 1 from sqlite_master where name = '__drizzle_migrations'`)
    .get();
  if (!hasMigrations) return;
  const newest = sqlite.prepare('select max(created_at) from __drizzle_migrations').pluck().get() as
    number | null;
  const { entries } = JSON.parse(readFileSync(join(MIGRATIONS, 'meta/_journal.json'), 'utf8')) as {
    entries: { when: number }[];
  };
  if ((newest ?? 0) <= Math.max(...entries.map(({ when }) => when))) return;
  throw new SignalboxError(
    'UNAVAILABLE',
    'The store was written by a newer version of Signalbox. Use that version or a newer one, or restore a backup of this version.',
  );
}
