import pg from 'pg';
import { sharedPostgres } from './postgres.ts';

/** Lets every statement that uses the table wait until the returned function is called. */
export async function lockTable(url: string, table: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return () => client.end();
}

/** The number of statements that wait for a lock; by default all. */
export async function countWaiting(url: string, statement = ''): Promise<number> {
  const postgres = await sharedPostgres();
  const query = `select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like '${statement}%'`;
  return (await postgres.query(url, query))[0].count as number;
}
