import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createClockHistory } from '../../src/clock-history.ts';
import { defaultConfig } from '../../src/config.ts';
import { createPostgresLogStore } from '../../src/messages/log/postgres-log-store.ts';
import { createRetention } from '../../src/messages/retention.ts';
import { type Address } from '../../src/broker/message.ts';
import { openBroker, type BrokerOnPostgres } from '../support/broker-on-postgres.ts';
import { createChannel } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { draft, from, keyed } from '../support/drafts.ts';
import { countWaiting, lockTable } from '../support/locked-table.ts';
import { hasPostgres, requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { publishNumbers } from '../support/publish.ts';
import { startServiceOnPostgres } from '../support/service.ts';

/** A node with a retention that keeps one message of each address, and purges only when it is told to. */
async function openNode(url?: string) {
  const made = await openBroker(url === undefined ? {} : { url });
  const { broker, store, nodeId } = made;
  const clock = createManualClock();
  const log = createPostgresLogStore(store, { nodeId, randomBytes });
  const retention = createRetention({
    log,
    broker,
    findChannel: async () => undefined,
    reclaimSpace: () => 0,
    clock,
    clockHistory: createClockHistory(clock, () => undefined),
    config: defaultConfig({ retentionMessages: 1 }),
    onPurged: () => undefined,
    onFault: (error) => expect(error).toBeUndefined(),
  });
  return {
    ...made,
    log,
    retention,
    async [Symbol.asyncDispose]() {
      await retention[Symbol.asyncDispose]();
      await made[Symbol.asyncDispose]();
    },
  };
}

const ADA: Address = 'token:ada';
const BOB: Address = 'token:bob';

/** The sequence numbers of the messages to a token, in the order of the log. */
async function retained({ broker }: BrokerOnPostgres, address: Address = ADA): Promise<number[]> {
  const { messages } = await broker.read({ projectId: 'one', after: 0, addresses: from(address), limit: 99 });
  return messages.flatMap(({ logged }) => logged?.sequence ?? []);
}

/** Publishes a message to each address, in order. */
async function publish({ broker }: BrokerOnPostgres, ...addresses: Address[]): Promise<void> {
  for (const address of addresses) await broker.publish(draft({ address }));
}

/** Another session, in a transaction. */
async function beginElsewhere(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  return client;
}

const lockRow = (client: pg.Client, sequence: number) =>
  client.query('select from messages where sequence = $1 for update', [sequence]);

/** Resolves when `work` has ended, or `waiting` statements wait for locks. */
async function untilEndedOrWaiting(url: string, work: Promise<unknown>, waiting: number): Promise<void> {
  let hasEnded = false;
  const end = () => void (hasEnded = true);
  work.then(end, end);
  await expect.poll(async () => hasEnded || (await countWaiting(url)) >= waiting).toBe(true);
}

test('the purge after a failed one removes what a node that has left had published', async (context) => {
  requirePostgres(context);
  const { query } = await sharedPostgres();
  await using sweeper = await openNode();
  const { url } = sweeper;
  await using other = await openNode(url);
  await sweeper.retention.purge();
  await publish(other, ADA, ADA, ADA);
  await other.broker[Symbol.asyncDispose]();

  const unlock = await lockTable(url, 'idempotency_keys');
  const failed = expect(sweeper.retention.purge()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect.poll(() => countWaiting(url)).toBe(1);
  await query(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  await failed;
  await unlock();
  expect(await retained(sweeper)).toEqual([1, 2, 3]);

  await sweeper.retention.purge();
  expect(await retained(sweeper)).toEqual([3]);
});

test('a purge by age and one of addresses that remove the same messages end without a deadlock', async (context) => {
  requirePostgres(context);
  await using node = await openNode();
  const { log, url } = node;
  await publish(node, BOB, ADA);
  // Both wait for the first message, in this order, or for none.
  const other = await beginElsewhere(url);
  await lockRow(other, 1);
  const byAge = log.trimProject('one', 2, 100);
  await untilEndedOrWaiting(url, Promise.resolve(byAge), 1);
  const trims = [ADA, BOB].map((address) => ({ projectId: 'one', address, through: 2 }));
  const ofAddresses = log.trim(trims, 100);
  await untilEndedOrWaiting(url, Promise.resolve(ofAddresses), 2);
  await other.query('commit');
  await other.end();
  await Promise.all([byAge, ofAddresses]);
  await log.trimProject('one', 2, 100);
  expect([await retained(node, ADA), await retained(node, BOB)]).toEqual([[], []]);
});

test('what another transaction has locked is not removed, nor what follows it, and does not count as removed', async (context) => {
  requirePostgres(context);
  await using node = await openNode();
  const { log, url, broker } = node;
  await publish(node, ADA, BOB, ADA, ADA, BOB);
  const floors = () => Promise.all([ADA, BOB].map((address) => log.trimmedThrough('one', address)));
  const other = await beginElsewhere(url);
  await lockRow(other, 3);

  expect(await log.trimProject('one', 5, 100)).toBe(2);
  expect(await floors()).toEqual([1, 2]);
  const trims = [ADA, BOB].map((address) => ({ projectId: 'one', address, through: 5 }));
  log.takeDirtyAddresses();
  expect(await log.trim(trims, 100)).toBe(1);
  expect(await floors()).toEqual([1, 5]);
  expect(log.takeDirtyAddresses()).toEqual([{ projectId: 'one', address: ADA }]);
  const page = await broker.read({ projectId: 'one', after: 1, addresses: from(ADA), limit: 9 });
  expect(page.messages.map(({ logged }) => logged?.sequence)).toEqual([3, 4]);
  expect(page.lost).toEqual([]);

  await other.query('rollback');
  await other.end();
  expect(await log.trim(trims, 1)).toBe(1);
  expect(await floors()).toEqual([3, 5]);
  expect(await log.trim(trims, 100)).toBe(1);
  expect(await floors()).toEqual([4, 5]);
  expect(await log.trim(trims, 100)).toBe(0);
  expect(log.takeDirtyAddresses()).toEqual([]);
});

test.each(['commit', 'rollback'])(
  'a purge waits for no messages that another one is removing, and the next purge removes the rest after its %s',
  async (end) => {
    if (!hasPostgres) return;
    await using node = await openNode();
    await publish(node, ADA, ADA, ADA, ADA);
    const other = await beginElsewhere(node.url);
    // What another node removes at this moment.
    await other.query(`select trim_addresses_v1('{one}', '{${ADA}}', '{2}', 100)`);
    const purging = node.retention.purge();
    await untilEndedOrWaiting(node.url, purging, 1);
    expect(await countWaiting(node.url)).toBe(0);
    await purging;
    expect(await retained(node)).toEqual([1, 2, 3, 4]);
    await other.query(end);
    await other.end();
    await node.retention.purge();
    expect(await retained(node)).toEqual([4]);
  },
);

test('the sweeper removes the last batches of processes that have ended over an hour ago, in steps', async (context) => {
  requirePostgres(context);
  const { query, createDatabase } = await sharedPostgres();
  const url = await createDatabase();
  await using sweeper = await startServiceOnPostgres(url);
  const other = await startServiceOnPostgres(url);
  for (const service of [sweeper, other]) {
    await createChannel(service, service === other ? 'other' : 'sweeper');
    await publishNumbers(service, service === other ? 'other' : 'sweeper', 1);
  }
  const owners = async () =>
    (await query(url, 'select distinct node from lanes')).map(({ node }) => node as string);
  const [process] = await query(url, 'select split_part(id, $$.$$, 1) as id from nodes order by started_at');
  const [ended] = (await owners()).filter((node) => node !== process.id);
  await query(
    url,
    `insert into lanes (node, project_id, batch, has_epoch, answer)
     select '${ended}', 'project ' || n, 1, true, 'null' from generate_series(1, 3000) as n`,
  );
  await sweeper.service.retention.purge();
  await other[Symbol.asyncDispose]();
  await sweeper.service.retention.purge();
  expect(await query(url, `select from lanes where node = '${ended}'`)).toHaveLength(3001);

  const setEnd = (interval: string) =>
    query(url, `update node_processes set ended_at = now() - interval '${interval}' where id = '${ended}'`);
  await setEnd('59 minutes');
  await sweeper.service.retention.purge();
  expect(await query(url, `select from lanes where node = '${ended}'`)).toHaveLength(3001);
  await setEnd('61 minutes');
  await sweeper.service.retention.purge();
  expect(await owners()).toEqual([process.id]);
});

test('a purge keeps an expired idempotency key that a publish uses again at that moment', async (context) => {
  requirePostgres(context);
  await using node = await openNode();
  const { log, url, broker, store } = node;
  const keys = () => store.rows('SELECT key, expires_at FROM idempotency_keys ORDER BY key', []);
  for (const key of ['again', 'expired']) await broker.publish(keyed(key, { publishedAt: 1 }));
  const other = await beginElsewhere(url);
  await other.query(`UPDATE idempotency_keys SET expires_at = 9000 WHERE key = 'again'`);
  const removing = Promise.resolve(log.removeExpiredKeys(5000, 100));
  await untilEndedOrWaiting(url, removing, 1);
  await other.query('COMMIT');
  await other.end();
  expect(await removing).toBe(1);
  expect(await keys()).toEqual([{ key: 'again', expires_at: 9000 }]);
});

test('a purge of expired idempotency keys and a publish that uses two of them again end without a deadlock', async (context) => {
  requirePostgres(context);
  await using node = await openNode();
  const { log, url, broker } = node;
  // In the order of the table; an append uses keys in their own order.
  for (const key of ['b', 'a']) await broker.publish(keyed(key, { publishedAt: 1 }));
  const other = await beginElsewhere(url);
  await other.query(`SELECT FROM idempotency_keys WHERE key = 'b' FOR UPDATE`);
  const removing = Promise.resolve(log.removeExpiredKeys(5000, 100));
  await untilEndedOrWaiting(url, removing, 1);
  const publishing = Promise.all(['a', 'b'].map((key) => broker.publish(keyed(key, { publishedAt: 6000 }))));
  await untilEndedOrWaiting(url, publishing, 2);
  await other.query('COMMIT');
  await other.end();
  expect((await publishing).map(({ repeated }) => repeated)).toEqual([false, false]);
  await removing;
});
