import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { requirePostgres, startPostgres, type PostgresServer } from '../support/postgres.ts';
import { startProcess } from '../support/process.ts';
import { createProxy } from '../support/proxy.ts';
import { publishTo } from '../support/publish.ts';
import { MESSAGES, subscribeResuming } from '../support/resuming-subscription.ts';
import { API_KEY, startServiceOnPostgres, type ServiceClient } from '../support/service.ts';

/** Two nodes that reach the primary through a proxy, so that its address stays when a standby takes its place. */
async function startNodes(server: PostgresServer, failover: 'synchronous' | 'asynchronous') {
  const proxy = await createProxy(() => server.port);
  const url = Object.assign(new URL(await server.createDatabase()), { port: String(proxy.port) }).href;
  const env = {
    SIGNALBOX_DATABASE_URL: url,
    SIGNALBOX_DATABASE_FAILOVER: failover,
    SIGNALBOX_MASTER_KEY: 'the-master-key-of-these-test-processes',
    SIGNALBOX_API_KEY: API_KEY,
  };
  const first = await startProcess({ env });
  const second = await startProcess({ env });
  await createChannel(first, 'room');
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      for (const each of [first, second, proxy]) await each[Symbol.asyncDispose]();
    },
  };
}

/** Publishes with a key, again and again until the node has found the new primary. */
async function publish(node: ServiceClient, data: string): Promise<string> {
  let cursor = '';
  await expect
    .poll(async () => {
      const sent = await publishTo(node, { channel: 'room' }, data, { idempotencyKey: data }).catch(
        () => undefined,
      );
      cursor = sent?.message.cursor ?? '';
      return cursor;
    })
    .not.toBe('');
  return cursor;
}

const subscribe = (node: ServiceClient, since: string) =>
  subscribeResuming(node.client({ apiKey: API_KEY }, { retryAttempts: 0 }), MESSAGES, {
    channel: 'room',
    since,
  });

test('after the promotion of a standby that lacks a message, its subscriber is closed and its cursor is refused', async (context) => {
  requirePostgres(context);
  await using server = await startPostgres();
  await using nodes = await startNodes(server, 'asynchronous');
  const { first, second } = nodes;
  const start = await publish(first, 'start');
  await using replication = await createProxy(server.port);
  const standby = await server.addStandby({ isSynchronous: false, through: replication.port });
  const kept = await publish(first, 'kept');
  await standby.hasReceivedAll();
  const live = subscribe(second, start);
  replication.setBlackHole(true);
  const lost = await publish(first, 'lost');
  await live.until(({ messages }) => messages.length === 2);
  await standby.promote();
  // The new messages take the numbers of the lost one and of those after it.
  for (const data of ['new-1', 'new-2', 'new-3']) await publish(first, data);
  await live.ended;
  expect(live.messages.map(({ data }) => data)).toEqual(['kept', 'lost']);
  const refused = await second.ask(
    'query ($after: Cursor) { channel(id: "room") { messages(first: 5, after: $after) { nodes { data } } } }',
    { after: lost },
  );
  expect(refused.errors?.[0]?.extensions['code']).toBe('POSITION_LOST');
  const resumed = subscribe(second, kept);
  await resumed.until(({ messages }) => messages.length === 3);
  expect(resumed.messages.map(({ data }) => data)).toEqual(['new-1', 'new-2', 'new-3']);
});

test('after an older copy has taken the place of the database, its subscribers are closed and cursors of lost messages are refused', async (context) => {
  requirePostgres(context);
  await using server = await startPostgres();
  const url = await server.createDatabase();
  await using first = await startServiceOnPostgres(url, { databaseFailover: 'synchronous' });
  await using second = await startServiceOnPostgres(url, { databaseFailover: 'synchronous' });
  await createChannel(first, 'room');
  const start = await publish(first, 'start');
  const kept = await publish(second, 'kept');
  const copy = await server.saveCopy();
  const live = subscribe(first, start);
  const lost = await publish(second, 'lost');
  await live.until(({ messages }) => messages.length === 2);
  await copy.restore();
  // The node that published nothing to the lost part takes the number of the lost message.
  await publish(first, 'new-1');
  await live.ended;
  expect(live.messages.map(({ data }) => data)).toEqual(['kept', 'lost']);
  const refused = await second.ask(
    'query ($after: Cursor) { channel(id: "room") { messages(first: 5, after: $after) { nodes { data } } } }',
    { after: lost },
  );
  expect(refused.errors?.[0]?.extensions['code']).toBe('POSITION_LOST');
  const resumed = subscribe(second, kept);
  await resumed.until(({ messages }) => messages.length === 1);
  expect(resumed.messages.map(({ data }) => data)).toEqual(['new-1']);
});

test('every cursor stays valid after the promotion of a standby that has every commit', async (context) => {
  requirePostgres(context);
  await using server = await startPostgres(['-c', 'synchronous_commit=on']);
  await using nodes = await startNodes(server, 'synchronous');
  const { first, second } = nodes;
  const start = await publish(first, 'start');
  const standby = await server.addStandby({ isSynchronous: true });
  const kept = await publish(first, 'kept');
  await standby.promote();
  await publish(first, 'new-1');
  // Acknowledged by the other node, which has found the new primary then, too.
  await publish(second, 'new-2');
  const resumed = subscribe(second, start);
  await resumed.until(({ messages }) => messages.length === 3);
  expect(resumed.messages.map(({ data }) => data)).toEqual(['kept', 'new-1', 'new-2']);
  expect(resumed.messages.slice(1).map(({ previous }) => previous)).toEqual([
    kept,
    resumed.messages[1]?.cursor,
  ]);
});
