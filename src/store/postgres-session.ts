import { PgDatabase, PgDialect } from 'drizzle-orm/pg-core';
import { PgRemoteSession } from 'drizzle-orm/pg-proxy';
import { type Database } from './store.ts';

/** Executes a statement; resolves to its rows, each a list of values in the order of the columns. */
export type Execute = (sql: string, params: unknown[]) => Promise<unknown[][]>;

/** Drizzle's query builders in PostgreSQL's dialect, executed by `execute`. */
export function createDatabase(execute: Execute): Database {
  const dialect = new PgDialect();
  const session = new Session(
    async (sql, params) => ({ rows: await execute(sql, params) }),
    dialect,
    undefined,
  );
  return new PgDatabase(dialect, session, undefined) as unknown as Database;
}

/**
 * Drizzle wraps every error in one whose message holds the parameters of the statement, which are secrets and messages.
 * This session passes the errors of the database on.
 */
class Session extends PgRemoteSession<Record<string, unknown>, Record<string, never>> {
  override prepareQuery(
    ...args: Parameters<PgRemoteSession<Record<string, unknown>, Record<string, never>>['prepareQuery']>
  ) {
    const query = super.prepareQuery(...args);
    return Object.assign(query, {
      queryWithCache: (_sql: string, _params: unknown[], execute: () => unknown) => execute(),
    });
  }
}
