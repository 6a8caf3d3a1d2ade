import pg from 'pg';
import { expect, test } from 'vitest';
import { createNotifyWire } from '../../src/broker/wire-notify.ts';
import { type Message } from '../../src/broker/message.ts';
import { type Signal } from '../../src/broker/signal.ts';
import { projects } from '../../src/projects/tables.ts';
import { createNotifySessions } from '../../src/store/notify-session.ts';
import { createBroker, openBroker } from '../support/broker-on-postgres.ts';
import { draft, keyed } from '../support/drafts.ts';
import { hasPostgres, requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { createProxy } from '../support/proxy.ts';

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
  await expect.poll(() => other.broker.warning()).toBeUndefined();
});
