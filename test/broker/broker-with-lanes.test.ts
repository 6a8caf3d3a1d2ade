import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { FRESH_MS } from '../../src/broker/node-registration.ts';
import { createNotifyWire } from '../../src/broker/wire-notify.ts';
import { type Published } from '../../src/broker/broker.ts';
import { type Message } from '../../src/broker/message.ts';
import { type Signal } from '../../src/broker/signal.ts';
import { projects } from '../../src/projects/tables.ts';
import { createNotifySessions } from '../../src/store/notify-session.ts';
import { block } from '../support/block.ts';
import { brokerContract } from '../contracts/broker-contract.ts';
import { createBroker, openBroker } from '../support/broker-on-postgres.ts';
import { type BrokerUnderTest } from '../support/broker.ts';
import { draft, from, keyed } from '../support/drafts.ts';
import { hasPostgres, requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { createProxy } from '../support/proxy.ts';

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

const lost = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });

test('a batch whose answer is lost is appended once and delivered once', async (context) => {
  requirePostgres(context);
  let losses = 0;
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const result = await store.rows<never>(sql, params);
        if (sql.includes('append_messages') && losses++ < 2) throw lost();
        return result;
      },
    }),
  });
  const { broker } = made;
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), []) });
  const first = await broker.publish(keyed('k'));
  const repeated = await broker.publish(keyed('k'));
  expect(first.message.logged).toMatchObject({ sequence: 1 });
  expect(repeated).toMatchObject({ repeated: true, message: { id: first.message.id } });
  expect(losses).toBe(4);
  expect(received).toEqual([first.message]);
  expect((await broker.head('one')).sequence).toBe(1);
});

test('a batch whose answer is lost before the node is fenced is acknowledged: it is in the log', async (context) => {
  requirePostgres(context);
  let isLost = false;
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const result = await store.rows<never>(sql, params);
        if (isLost || !sql.includes('append_messages')) return result;
        isLost = true;
        await store.rows('update nodes set fenced = true', []);
        throw lost();
      },
    }),
  });
  expect((await made.broker.publish(draft())).message.logged).toMatchObject({ sequence: 1 });
  expect((await made.broker.head('one')).sequence).toBe(1);
});

test('messages of an append that was given up are delivered before the next ones, in order', async (context) => {
  requirePostgres(context);
  let isBroken = false;
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const result = await store.rows<never>(sql, params);
        if (sql.includes('append_messages') && isBroken) throw lost();
        return result;
      },
    }),
  });
  const { broker } = made;
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), []) });
  await broker.publish(draft());
  isBroken = true;
  await expect(broker.publish(draft())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('may or may not have been published'),
    fields: { outcomeUnknown: true },
  });
  isBroken = false;
  await broker.publish(draft());
  expect(received.map(({ logged }) => [logged?.sequence, logged?.previous])).toEqual([
    [1, 0],
    [2, 1],
    [3, 2],
  ]);
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

const SIGNAL = { kind: 'CHANNEL_DELETED', projectId: 'one', channelId: 'lobby' } satisfies Signal;

test.each([
  ['after the commit takes effect', true],
  ['before the commit does not take effect', false],
])('the signal of a change whose connection is lost %s, like the change', async (_, isCommitted) => {
  if (!hasPostgres) return;
  const { query, createDatabase } = await sharedPostgres();
  const url = await createDatabase();
  await using made = await openBroker({ url });
  const { broker, store } = made;
  const signals: Signal[] = [];
  broker.listen({ applySignal: (signal) => signals.push(signal) });
  const row = { id: 'one', name: 'one', createdAt: 1 };
  // A commit that waits for a standby is kept, but its answer is not sent; a row that is locked stops the write itself.
  const stop = isCommitted ? 'SyncRep' : 'transactionid';
  const blocker = new pg.Client(url);
  await blocker.connect();
  if (isCommitted) await requireStandby(url, true);
  else await blocker.query(`begin; insert into projects (id, name, created_at) values ('one', 'other', 1)`);
  try {
    const announcing = broker.announce(
      async ({ db }) => db.insert(projects).values(row),
      () => SIGNAL,
    );
    const refused = expect(announcing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const terminate = `select pg_terminate_backend(pid) as ended from pg_stat_activity where wait_event = '${stop}'`;
    await expect.poll(() => query(url, terminate)).toEqual([{ ended: true }]);
    await refused;
  } finally {
    await blocker.end();
    if (isCommitted) await requireStandby(url, false);
  }
  if (isCommitted) await expect.poll(() => signals).toEqual([SIGNAL]);
  await broker.control({ ...SIGNAL, channelId: 'next' });
  expect(signals.map((signal) => 'channelId' in signal && signal.channelId)).toEqual(
    isCommitted ? ['lobby', 'next'] : ['next'],
  );
  expect(await store.db.select({ id: projects.id }).from(projects)).toEqual(
    isCommitted ? [{ id: 'one' }] : [],
  );
});

/** Makes every commit wait for a standby that does not exist. */
async function requireStandby(url: string, isRequired: boolean): Promise<void> {
  const { query } = await sharedPostgres();
  await query(url, `alter system set synchronous_standby_names = '${isRequired ? 'nobody' : ''}'`);
  await query(url, 'select pg_reload_conf()');
  const current = `select setting from pg_settings where name = 'synchronous_standby_names'`;
  await expect.poll(() => query(url, current)).toEqual([{ setting: isRequired ? 'nobody' : '' }]);
}

test('warns while the connection that receives notifications is lost', async (context) => {
  requirePostgres(context);
  const server = await sharedPostgres();
  await using made = await openBroker();
  await using proxy = await createProxy(server.port);
  const open = createNotifySessions(Object.assign(new URL(made.url), { port: String(proxy.port) }).href, 'n');
  await using wire = await createNotifyWire({ open, nodeId: 'n', onFault: () => undefined });
  await using other = await createBroker({ ...made, wire, faults: [] });
  await expect.poll(() => other.broker.problem()).toBeUndefined();
  expect(other.broker.warning()).toBeUndefined();
  proxy.cut();
  proxy.setBlackHole(true);
  await expect.poll(() => other.broker.warning()).toMatch(/notifications of other nodes is lost/);
  expect(other.broker.problem()).toBeUndefined();
  proxy.setBlackHole(false);
  await expect.poll(() => other.broker.warning(), { timeout: 10_000 }).toBeUndefined();
});

test('subscribers are reset when the database was set back: its next messages have numbers that they have seen', async (context) => {
  requirePostgres(context);
  await using made = await openBroker();
  const { broker, store } = made;
  let resets = 0;
  broker.listen({ reset: () => (resets += 1) });
  await broker.follow('one');
  for (let n = 0; n < 3; n++) await broker.publish(draft());
  await store.rows(
    `WITH a AS (UPDATE logs SET head = 1), b AS (UPDATE addresses SET last = 1) DELETE FROM messages WHERE sequence > 1`,
    [],
  );
  await expect.poll(() => resets).toBe(1);
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), []) });
  const { message } = await broker.publish(draft());
  expect(message.logged?.sequence).toBe(2);
  expect(received).toEqual([message]);
});

test('subscribers are reset when the log was set back and has grown beyond that again before the next look', async (context) => {
  requirePostgres(context);
  await using made = await openBroker();
  const { broker, store } = made;
  let resets = 0;
  broker.listen({ reset: () => (resets += 1) });
  await broker.follow('one');
  for (let n = 0; n < 3; n++) await broker.publish(draft());
  // The history after the first message is another one, as long as the one before.
  const replace = () =>
    store.rows(
      `WITH a AS (UPDATE messages SET id = id || '-new' WHERE sequence > 1)
       INSERT INTO log_epochs (project_id, began_after, epoch) VALUES ('one', 1, 1)
       ON CONFLICT (project_id, began_after) DO UPDATE SET epoch = log_epochs.epoch + 1`,
      [],
    );
  await replace();
  await expect.poll(() => resets).toBe(1);
  await broker.publish(draft());
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), []) });
  await replace();
  // Subscribers that received it would have a cursor of the new history, without its messages.
  await broker.publish(draft());
  expect(resets).toBe(2);
  expect(received).toEqual([]);
});

test('a node that was paused while it read answers only after it has looked for signals', async (context) => {
  requirePostgres(context);
  let waiting: (() => void)[] = [];
  let isPaused = false;
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const result = await store.rows<never>(sql, params);
        if (!isPaused) return result;
        await new Promise<void>((resolve) => {
          if (waiting.push(resolve) < 3) return;
          block(FRESH_MS + 100);
          for (const answer of waiting) answer();
          waiting = [];
        });
        return result;
      },
    }),
  });
  const { broker } = made;
  await broker.publish(draft());
  isPaused = true;
  const problems: (string | undefined)[] = [];
  const note = () => void problems.push(broker.problem());
  await Promise.all([
    broker.readBack('one', 'channel:lobby', { after: 0, before: 9 }, 9).then(note),
    broker.trimmedThrough('one', 'channel:lobby').then(note),
    broker.expiredThrough('one', 'channel:lobby', { keep: 1, since: undefined }, 0).then(note),
  ]);
  expect(problems).toEqual([undefined, undefined, undefined]);
});

test('a node that was paused delivers what arrived meanwhile after it has looked for signals, and closes no connection', async (context) => {
  requirePostgres(context);
  let isPaused = false;
  let publishNext = () => {};
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const isAppend = isPaused && sql.includes('append_messages');
        if (isAppend) publishNext();
        const result = await store.rows<never>(sql, params);
        if (isAppend) block(FRESH_MS + 100);
        return result;
      },
    }),
  });
  const { broker } = made;
  const received: Message[] = [];
  const problems = new Set<string | undefined>();
  let resets = 0;
  broker.listen({
    deliver(batch) {
      problems.add(broker.problem());
      received.push(...batch);
      return batch.map(() => 1);
    },
    reset: () => (resets += 1),
  });
  const first = await broker.publish(draft());
  isPaused = true;
  let ephemeral: Promise<Published> | undefined;
  // It waits for the append, and skips the log, which would refuse what a fenced node sends.
  publishNext = () => {
    const isStale = () => broker.problem() !== undefined;
    ephemeral = broker.publish(draft({ ephemeral: true }), isStale);
  };
  const second = await broker.publish(draft());
  isPaused = false;
  const between = await ephemeral!;
  const third = await broker.publish(draft());
  expect(received.filter(({ logged }) => logged)).toEqual(
    [first, second, third].map(({ message }) => message),
  );
  expect(received).toContainEqual(between.message);
  expect(second.connections).toBe(1);
  expect([...problems]).toEqual([undefined]);
  expect(resets).toBe(0);
});
