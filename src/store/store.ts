import { type BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { type Compiled } from './compiled.ts';

/** A statement that was built and not yet run. */
export interface Statement {
  run(): unknown;
}

/**
 * The durable rows. Every read and write is awaited, as if it crossed a network: the Postgres
 * implementation will.
 */
export interface Store extends AsyncDisposable {
  /** Builds queries; each is one statement, atomic by itself. Await it. */
  readonly db: BetterSQLite3Database;
  /** Runs the statements in order, all or none. There is no transaction that waits for anything between two of them. */
  batch(statements: readonly Statement[]): Promise<void>;
}

/** What the embedded log builds on: one writer, in this process, and transactions that take no turn. */
export interface SqliteStore extends Store {
  /** @throws TypeError when `work` returns a promise: what follows its first `await` would run outside the transaction. */
  transaction<T>(work: () => T): T;
  /** For what is written most. */
  compile(query: { toSQL(): { sql: string; params: unknown[] } }): Compiled;
}
