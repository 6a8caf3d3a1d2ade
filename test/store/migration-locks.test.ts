import { readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, test } from 'vitest';
import { openPostgres } from '../../src/store/postgres.ts';
import { countWaiting } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';

const FOLDER = new URL('../../drizzle-postgres/', import.meta.url);
const { entries } = JSON.parse(readFileSync(new URL('meta/_journal.json', FOLDER), 'utf8')) as {
  entries: { tag: string; when: number }[];
};
const sqlOf = (tag: string) => readFileSync(new URL(`${tag}.sql`, FOLDER), 'utf8');

/** Before the next one, no version ran beside another one. */
const LAST_WITHOUT_RULE = '0004_drop_trimmed_events';

/** Migrations that lock several tables, in the order in which all functions and transactions of the nodes use these tables. */
const IN_ORDER: Record<string, readonly string[]> = {
  // A registration reads the runs and then writes itself.
  '0009_node_runs': ['nodes', 'server_runs'],
};

async function connect(url: string, name = 'tests'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: name });
  await client.connect();
  return client;
}

/** Tables that were there before, and that the transaction keeps the nodes from reading or writing. */
const LOCKED_TABLES = `
SELECT DISTINCT relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE pid = pg_backend_pid() AND relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname = ANY ($1)
  AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
ORDER BY relname`;

test('each migration locks one table that nodes use, so that it cannot wait for them while they wait for it', async (context) => {
  requirePostgres(context);
  const client = await connect(await (await sharedPostgres()).createDatabase());
  const names = async (sql: string, params: unknown[] = []) =>
    (await client.query<{ relname: string }>(sql, params)).rows.map(({ relname }) => relname);
  const first = entries.findIndex(({ tag }) => tag === LAST_WITHOUT_RULE) + 1;
  expect(first).toBeGreaterThan(0);
  for (const [index, { tag }] of entries.entries()) {
    const before = await names(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    await client.query('BEGIN');
    await client.query(sqlOf(tag));
    const locked = await names(LOCKED_TABLES, [before]);
    await client.query('COMMIT');
    if (index < first) continue;
    if (IN_ORDER[tag]) expect(locked, tag).toEqual(IN_ORDER[tag]);
    else expect(locked.length, `${tag} locks ${locked.join()}`).toBeLessThanOrEqual(1);
  }
  await client.end();
});

/** A database that the version after migration `last` has written, with a registered node of it and one log. */
async function createAfter(last: string) {
  const { createDatabase, query } = await sharedPostgres();
  const url = await createDatabase();
  const applied = entries.slice(0, entries.findIndex(({ tag }) => tag === last) + 1);
  expect(applied.length).toBeGreaterThan(0);
  for (const { tag } of applied) await query(url, sqlOf(tag));
  await query(
    url,
    `CREATE SCHEMA drizzle;
     CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);
     INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('${last}', ${applied.at(-1)?.when})`,
  );
  await query(url, `SELECT log_head_v1('first', 'one', 1)`);
  await query(url, `SELECT register_node_v2('old.1', 'old', 60000, 0, true)`);
  return { url, old: await connect(url, 'signalbox:old.1') };
}

/** The version before the first migration that locked the tables in another order than its nodes. */
const OLD = '0008_self_made_memberships';

test('an append of the version before that is in flight ends, and then the migration', async (context) => {
  requirePostgres(context);
  const { url, old } = await createAfter(OLD);
  // The append waits where it has used the nodes, and not yet the channels.
  const other = await connect(url);
  await other.query(`BEGIN; INSERT INTO log_epochs (project_id, began_after, epoch) VALUES ('one', 0, 2)`);
  const appending = old.query(
    `SELECT append_messages_v3('old', 1, 0, 'one', 3, '{msg}', '{token:ada}', '{e}', '{null}', '{"{}"}', '{1}', '{0}',
      '{null}', '{false}', '{null}', '{null}', '{null}', '{null}')`,
  );
  await expect.poll(() => countWaiting(url)).toBe(1);
  const opening = openPostgres({ url, connections: 1, nodeId: 'new' });
  await expect.poll(() => countWaiting(url)).toBe(2);
  await other.end();
  const [appended, opened] = await Promise.allSettled([appending, opening]);
  if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]();
  await old.end();
  expect([appended, opened]).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
});

test('a change of a channel by the version before ends, with its signal, and then the migration', async (context) => {
  requirePostgres(context);
  const { url, old } = await createAfter(OLD);
  await old.query(`BEGIN; UPDATE channels SET version = version + 1`);
  const opening = openPostgres({ url, connections: 1, nodeId: 'new' });
  await expect.poll(() => countWaiting(url)).toBe(1);
  const announcing = old.query(`SELECT append_signals_v1('old.1', '{"{}"}')`).then(() => old.query('COMMIT'));
  const [announced, opened] = await Promise.allSettled([announcing, opening]);
  if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]();
  await old.end();
  expect([announced, opened]).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
});

test('a database that has the migration of the channels from before the one of the nodes was taken out of it starts', async (context) => {
  requirePostgres(context);
  const { createDatabase, query } = await sharedPostgres();
  const url = await createDatabase();
  await using first = await openPostgres({ url, connections: 1, nodeId: 'first' });
  const journal = 'drizzle.__drizzle_migrations';
  const count = async () => (await first.rows(`SELECT FROM ${journal}`, [])).length;
  expect(await count()).toBe(entries.length);
  const moved = entries.find(({ tag }) => tag === '0009_node_runs')?.when;
  await query(url, `DELETE FROM ${journal} WHERE created_at = ${moved}`);
  await using second = await openPostgres({ url, connections: 1, nodeId: 'second' });
  expect(await second.rows('SELECT server_run FROM nodes', [])).toEqual([]);
  expect(await count()).toBe(entries.length - 1);
});

test('a node of the version before that registers during the migration is recorded among the processes', async (context) => {
  requirePostgres(context);
  const { url, old } = await createAfter('0010_channel_instance_ids');
  await old.query(`BEGIN; SELECT register_node_v3('late.1', 'old', 60000, 0, true)`);
  const opening = openPostgres({ url, connections: 1, nodeId: 'new' });
  await expect.poll(() => countWaiting(url)).toBe(1);
  await old.query('COMMIT');
  await old.end();
  await using store = await opening;
  const recorded = await store.rows('SELECT id, ended_at FROM node_processes ORDER BY id', []);
  expect(recorded).toEqual(['late', 'old'].map((id) => ({ id, ended_at: null })));
});
