import { type BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { type SQL } from 'drizzle-orm';
import { type BaseSQLiteDatabase, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { type CompiledStatement } from './compiled-statement.ts';
import { type RowWriter } from './write.ts';

/** A statement that was built but not executed. */
export interface Statement {
  toSQL(): { sql: string; params: unknown[] };
}

/**
 * Builds and executes queries. Its type is that of an asynchronous SQLite database, and the tables are defined in SQLite's
 * terms; PostgreSQL executes the same queries with the same tables. Use only what both have: select, insert, update, delete,
 * `returning`, `onConflict…`, `prepare().execute()`, and SQL that both read alike.
 */
export type Database = BaseSQLiteDatabase<'async', unknown>;

/** Runs a select with the values of its placeholders, by name. Resolves to the rows. */
export type Select<Row> = (values: Readonly<Record<string, unknown>>) => Promise<Row[]>;

/**
 * The port to the durable rows. Callers await every read and write as if it crossed a network, so that a networked
 * database can implement the port. `test/contracts/store-contract.ts` is its contract suite.
 */
export interface Store extends AsyncDisposable {
  /** Builds queries. Each query is one statement and atomic by itself; await it to execute it. */
  readonly db: Database;
  /**
   * Prepares a select of all columns of a table, for reads that every connect makes: on SQLite it runs without the work of
   * drizzle on each value. It rejects when the value of a placeholder is missing.
   * @param condition with placeholders
   * @example
   * const findOne = store.select(tokens, eq(tokens.id, sql.placeholder('id')));
   * const [row] = await findOne({ id });
   */
  select<T extends SQLiteTable>(table: T, condition: SQL | undefined): Select<T['$inferSelect']>;
  /**
   * Executes the statements in order in one transaction: either all take effect or none. The port offers no transaction
   * that awaits anything between two statements.
   */
  batch(statements: readonly Statement[]): Promise<void>;
  /** SQL for a number in a JSON column; 0 where it is absent or the column is damaged. */
  jsonNumber(column: SQLiteColumn, member: string): SQL<number>;
  /**
   * SQL after the condition of a select: keeps the rows as they are until the transaction ends. Empty on SQLite, where this
   * process is the only writer and keeps changes apart itself.
   */
  readonly lockingRows: SQL;
  /** As `lockingRows`, but others may change the rows, and keep them at the same time: they are not deleted until then. */
  readonly keepingRows: SQL;
  /** Reports a damaged row to the operator, once for each `place`. */
  reportDamage(table: string, place: string): void;
  /**
   * Why rows cannot be written, in a sentence for operators; undefined when they can be. Tries to write, at most once a
   * second.
   */
  writeProblem(): string | undefined;
  /**
   * Undefined while no other program holds the write lock. Otherwise resolves when it is free, and after 2 seconds in any
   * case. Await it before a write, so that the write does not fail.
   */
  untilUnlocked(): Promise<void> | undefined;
}

/** The store that the embedded log requires: this process is the only writer, and transactions are synchronous. */
export interface SqliteStore extends Store {
  /** The same database with synchronous queries, for the log. */
  readonly sync: BetterSQLite3Database;
  /**
   * Runs `work` in a transaction and returns its result; rolls back when `work` throws.
   * @throws TypeError when `work` returns a promise, because code after its first `await` would run outside the transaction
   */
  transaction<T>(work: () => T): T;
  /**
   * Returns up to `limit` unused pages of the file to the disk, beyond a tenth of the file. Returns the number of pages;
   * always 0 for a store that an older version created.
   */
  reclaimSpace(limit: number): number;
  /** The sizes of the files in bytes. A store in memory has no write-ahead log. */
  size(): { databaseBytes: number; walBytes: number };
  /**
   * Compiles a query for hot paths; see `compileStatement`.
   * @example
   * const insert = store.compile(db.insert(rows).values({ id: sql.placeholder('id') }));
   * insert({ id: 1 });
   */
  compile(query: { toSQL(): { sql: string; params: unknown[] } }): CompiledStatement;
}

/** The store on PostgreSQL, with what its log needs. */
export interface PostgresStore extends Store {
  /** Executes one statement and resolves to its rows, by column name. `bigint` is a number, `json` is its text. */
  rows<Row extends object>(sql: string, params: readonly unknown[]): Promise<Row[]>;
  /**
   * Like `rows`, on a connection of its own, so that a node renews its lease while the pool is busy. Rejects after 2 seconds
   * without an answer.
   */
  controlRows<Row extends object>(sql: string, params: readonly unknown[]): Promise<Row[]>;
  /** The statements and transactions that wait for a connection of the pool. */
  waiting(): number;
  /**
   * Names all connections `signalbox:<name>` from now on, by new ones. Statements that run finish on the old ones, under the
   * old name.
   */
  connectAs(name: string): void;
  /**
   * Executes `work` in one transaction on one connection of the pool: commits its statements, or none if it rejects. `work`
   * must use its argument only, because a statement that waits for a second connection can wait for ever.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** The statements of one transaction. */
export type Transaction = RowWriter & Pick<PostgresStore, 'rows'>;
