import type pg from 'pg';
import { DATABASE_URL_ENV } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { connect } from './postgres-connection.ts';

const OLDEST_VERSION = 140_000;

/** A property of the server that the service relies on, and what to do when it is missing. */
interface Check {
  /** An SQL expression that is true when all is well. */
  holds: string;
  otherwise: string;
}

const CHECKS: readonly Check[] = [
  {
    holds: `current_setting('server_version_num')::int >= ${OLDEST_VERSION}`,
    otherwise: 'PostgreSQL is too old. Version 14 or newer is required.',
  },
  {
    holds: `current_setting('server_encoding') = 'UTF8'`,
    otherwise:
      'The database does not store UTF-8. Create it with: createdb --encoding=UTF8 --template=template0',
  },
  {
    holds: 'not pg_is_in_recovery()',
    otherwise: `The database is a standby, which cannot be written. Set ${DATABASE_URL_ENV} to the primary.`,
  },
  {
    holds: `current_setting('fsync') = 'on'`,
    otherwise:
      'PostgreSQL runs with fsync=off: a crash of its machine can destroy the database. Set fsync=on in postgresql.conf and reload.',
  },
  {
    holds: `current_setting('synchronous_commit') <> 'off'`,
    otherwise:
      'PostgreSQL runs with synchronous_commit=off: acknowledged messages can be lost when it stops. Set synchronous_commit=on for the database and its user.',
  },
  {
    holds: `current_setting('default_transaction_read_only') = 'off'`,
    otherwise:
      'The database is read-only for this user. Set default_transaction_read_only=off for the database and its user.',
  },
];

/**
 * Refuses a server on which acknowledged messages could be lost, or the locks of the service would not hold.
 * @throws UNAVAILABLE with a sentence for the operator
 */
export async function checkServer(client: pg.Client, url: string, nodeId: string): Promise<void> {
  const { rows } = await client.query<boolean[]>({
    text: `select ${CHECKS.map(({ holds }) => holds).join(', ')}`,
    rowMode: 'array',
  });
  const failed = CHECKS.find((_, index) => rows[0]?.[index] !== true);
  if (failed) throw new SignalboxError('UNAVAILABLE', failed.otherwise);
  if (await poolsTransactions(client, url, nodeId))
    throw new SignalboxError(
      'UNAVAILABLE',
      `${DATABASE_URL_ENV} names a pooler in transaction or statement mode, such as PgBouncer; locks do not hold there. Set it to PostgreSQL itself, or use pool_mode=session.`,
    );
}

/**
 * Whether a pooler lends the server's session to another client between two transactions. The second connection takes the
 * session that the first one left, and keeps it; the first one then finds itself in another session.
 */
async function poolsTransactions(client: pg.Client, url: string, nodeId: string): Promise<boolean> {
  const sessionOf = async (of: pg.Client) => {
    const { rows } = await of.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]?.pid;
  };
  const before = await sessionOf(client);
  // A server announces the number of its session; a pooler announces one of its own.
  if (before === (client as pg.Client & { processID?: number }).processID) return false;
  const other = await connect(url, nodeId);
  try {
    try {
      await other.query('begin');
      await sessionOf(other);
    } catch {
      // A pooler in statement mode refuses transactions.
      return true;
    }
    return (await sessionOf(client)) !== before;
  } finally {
    await other.end();
  }
}
