import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { type Message } from '../../src/broker/message.ts';
import { brokerContract } from '../contracts/broker-contract.ts';
import { createBroker, openBroker } from '../support/broker-on-postgres.ts';
import { type BrokerUnderTest } from '../support/broker.ts';
import { draft, from } from '../support/drafts.ts';
import { hasPostgres, requirePostgres, sharedPostgres } from '../support/postgres.ts';

/** The brokers of the contract share a store: opening one costs more than the tests themselves. */
let shared: ReturnType<typeof openBroker> | undefined;
async function openEmpty(): Promise<BrokerUnderTest> {
  shared ??= openBroker().then(async (made) => {
    // It would have to confirm the signals of the others.
    await made.broker[Symbol.asyncDispose]();
    return made;
  });
  const made = await shared;
  await made.store.rows(
    `WITH a AS (DELETE FROM logs), b AS (DELETE FROM log_epochs), c AS (DELETE FROM messages), d AS (DELETE FROM addresses),
      e AS (DELETE FROM idempotency_keys) DELETE FROM lanes`,
    [],
  );
  const { url, nodeId, store, wire } = made;
  return createBroker({ url, nodeId, store, wire });
}
afterAll(async () => (await shared)?.[Symbol.asyncDispose]());

describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
  brokerContract('The broker with lanes', openEmpty, 0.2);
});

test('an ephemeral message that waits while its channel is deleted is refused', async (context) => {
  requirePostgres(context);
  let answer = () => {};
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const result = await store.rows<never>(sql, params);
        if (sql.includes('append_messages')) await new Promise<void>((resolve) => (answer = resolve));
        return result;
      },
    }),
  });
  const { broker } = made;
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), batch.map(() => 1)) });
  const inFlight = broker.publish(draft());
  await expect.poll(async () => (await broker.head('one')).sequence).toBe(1);
  const waiting = broker.publish(draft({ ephemeral: true }));
  const elsewhere = broker.publish(draft({ ephemeral: true, address: 'channel:attic' }));
  const refused = expect(waiting).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await broker.control({ kind: 'CHANNEL_DELETED', projectId: 'one', channelId: 'lobby' });
  answer();
  await refused;
  expect(received).toEqual([(await inFlight).message, (await elsewhere).message]);
});

test('rotated signing keys, which belong to no project, are confirmed after the appends in flight', async (context) => {
  requirePostgres(context);
  let answer = () => {};
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const result = await store.rows<never>(sql, params);
        if (sql.includes('append_messages')) await new Promise<void>((resolve) => (answer = resolve));
        return result;
      },
    }),
  });
  const { broker } = made;
  const inFlight = broker.publish(draft());
  await expect.poll(async () => (await broker.head('one')).sequence).toBe(1);
  let isAnswered = false;
  const rotated = broker.control({ kind: 'SIGNING_KEYS_ROTATED', projectId: null }).then(() => isAnswered);
  // It ends no rights, so it waits for no append, and its confirmation comes after the other one.
  await broker.control({
    kind: 'CONNECTION_DISCONNECTED',
    projectId: 'one',
    connectionId: 'conn',
    note: null,
  });
  isAnswered = true;
  answer();
  await inFlight;
  expect(await rotated).toBe(true);
});

test('the log continues on another node, which begins an epoch; a fenced node can append nothing', async (context) => {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const first = await openBroker({ url });
  const { message } = await first.broker.publish(draft());
  await first.store.rows('update nodes set fenced = true', []);
  // A node that was fenced registers again, which needs this row.
  const blocker = new pg.Client(url);
  await blocker.connect();
  await blocker.query('begin; select from signal_log for update');
  await first.store.rows('update nodes set fenced = true', []);
  await expect(first.broker.publish(draft())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await blocker.end();
  await first[Symbol.asyncDispose]();
  await using second = await openBroker({ url });
  const { broker } = second;
  const { epoch } = message.logged!;
  expect(await broker.head('one')).toEqual({ epoch, sequence: 1 });
  const request = { projectId: 'one', after: 0, addresses: from('channel:lobby'), limit: 9 };
  expect((await broker.read(request)).messages).toEqual([message]);
  const next = await broker.publish(draft());
  expect(next.message.logged).toMatchObject({ sequence: 2, previous: 1, previousEpoch: epoch });
  expect(await broker.holds('one', { epoch, sequence: 1 })).toBe(true);
  expect(await broker.holds('one', { epoch, sequence: 2 })).toBe(false);
});
