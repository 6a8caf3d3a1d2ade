import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { type BrokerListener } from '../../src/broker/broker.ts';
import { createControlLog } from '../../src/broker/control-log.ts';
import { createDelivery } from '../../src/broker/delivery.ts';
import { createNodeRegistration } from '../../src/broker/node-registration.ts';
import { createSignalStore } from '../../src/broker/signal-store.ts';
import { type Signal } from '../../src/broker/signal.ts';
import { unavailable } from '../../src/errors.ts';
import { createNotifyWire } from '../../src/broker/wire-notify.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { type PostgresStore } from '../../src/store/store.ts';
import { createNotifySessions } from '../../src/store/notify-session.ts';
import { hasPostgres, requirePostgres, sharedPostgres, startPostgres } from '../support/postgres.ts';

const SIGNAL = { kind: 'CHANNEL_DELETED', projectId: 'one', channelId: 'lobby' } satisfies Signal;
const LEASE_MS = 10_000;

let opened: Promise<{ store: PostgresStore; url: string }> | undefined;
async function open() {
  const url = await (await sharedPostgres()).createDatabase();
  return { url, store: await openPostgres({ url, connections: 4, nodeId: 'node_of_the_tests' }) };
}
afterAll(async () => (await opened)?.store[Symbol.asyncDispose]());

let nodes = 0;

/** A node with its own registration; all nodes share the connections of one store. */
async function startNode({
  isWired = false,
  closeAfterMs,
  cleanUpIntervalMs,
}: { isWired?: boolean; closeAfterMs?: number; cleanUpIntervalMs?: number } = {}) {
  opened ??= open();
  const { store, url } = await opened;
  const nodeId = `node_${++nodes}`;
  const onFault = (error: unknown) => expect.unreachable(String(error));
  const delivery = createDelivery(onFault);
  let isCutOff = false;
  const registration = createNodeRegistration({
    store: {
      connectAs: () => undefined,
      controlRows: async (sql, params) => {
        if (isCutOff) throw unavailable('The database cannot be reached. Try again later.');
        return store.controlRows(sql, params);
      },
    },
    nodeId,
    leaseMs: LEASE_MS,
    version: 'test',
  });
  const fenced: string[] = [];
  const counts = { resets: 0, registrations: 0 };
  const wire = isWired
    ? await createNotifyWire({ open: createNotifySessions(url, nodeId), nodeId, onFault })
    : undefined;
  const controlLog = createControlLog({
    store,
    registration,
    through: await registration.register(),
    wire,
    apply: delivery.control,
    reset: () => counts.resets++,
    onLook: () => undefined,
    async onRegistered() {
      counts.registrations++;
    },
    onFenced: (ids) => fenced.push(...ids),
    onFault,
    ...(closeAfterMs !== undefined && { closeAfterMs }),
    ...(cleanUpIntervalMs !== undefined && { cleanUpIntervalMs }),
  });
  return {
    ...controlLog,
    /** Begins or ends a time in which the registration cannot be renewed. */
    cutOff: (isOn: boolean) => void (isCutOff = isOn),
    registration,
    fenced,
    counts,
    /** Applies signals with `connections` affected connections, and returns the signals. */
    listen(connections: number | Promise<number>) {
      const signals: Signal[] = [];
      const listener: BrokerListener = { applySignal: (signal) => (signals.push(signal), connections) };
      delivery.listen(listener);
      return signals;
    },
    async [Symbol.asyncDispose]() {
      await controlLog[Symbol.asyncDispose]();
      await wire?.[Symbol.asyncDispose]();
    },
  };
}

test.each([
  ['confirmations on the wire', true],
  ['confirmations in the database', false],
])(
  'control resolves after every node has applied the signal, to all affected connections: %s',
  async (_, isWired) => {
    if (!hasPostgres) return;
    await using first = await startNode({ isWired });
    await using second = await startNode({ isWired });
    await using third = await startNode({ isWired });
    const received = [first.listen(1), second.listen(20), third.listen(300)];
    const connections = await first.control(SIGNAL);
    for (const signals of received) expect(signals).toEqual([SIGNAL]);
    // A count that is lost on the way is missing in the sum; the signal is applied nevertheless.
    expect(connections).toBe(isWired ? 321 : 1);
    expect(first.fenced).toEqual([]);
  },
);

test('all nodes apply the signals of all nodes in the same order', async () => {
  if (!hasPostgres) return;
  await using first = await startNode({ isWired: true });
  await using second = await startNode({ isWired: true });
  const received = [first.listen(0), second.listen(0)];
  const sent = Array.from({ length: 40 }, (_, index): Signal => ({ ...SIGNAL, channelId: String(index) }));
  await Promise.all(sent.map((signal, index) => (index % 2 === 0 ? first : second).control(signal)));
  expect(received[0]).toHaveLength(sent.length);
  expect(received[1]).toEqual(received[0]);
});

test('a node that does not confirm a signal within two seconds is fenced, and registers again', async () => {
  if (!hasPostgres) return;
  await using first = await startNode();
  await using second = await startNode();
  const { id } = second.registration;
  second.listen(new Promise(() => undefined));
  await first.control(SIGNAL);
  expect(first.fenced).toEqual([id]);
  await expect.poll(() => second.counts.registrations).toBe(1);
  expect(second.registration.id).not.toBe(id);
  await expect.poll(() => second.registration.holds()).toBe(true);
});

test('a node resets when signals that it has not read are gone, and when it does not know a signal', async () => {
  if (!hasPostgres) return;
  await using node = await startNode();
  const { store } = await opened!;
  await store.rows(`UPDATE signal_log SET head = head + 1`, []);
  await expect.poll(() => node.counts.resets).toBe(1);
  await node.control({ ...SIGNAL, kind: 'OF_A_LATER_VERSION' as 'CHANNEL_DELETED' });
  expect(node.counts.resets).toBe(2);
  // The database was set back, for example by a failover to a standby that was behind.
  await store.rows(`UPDATE signal_log SET head = head - 2`, []);
  await expect.poll(() => node.counts.resets).toBe(3);
  expect(node.problem()).toBeUndefined();
});

test('a node that stays suspended closes its connections, so that their clients go to another node, and accepts signals again later', async () => {
  if (!hasPostgres) return;
  await using node = await startNode({ closeAfterMs: 300 });
  expect(node.problem()).toBeUndefined();
  node.cutOff(true);
  await expect.poll(node.problem).toContain('The node is suspended');
  expect(node.counts.resets).toBe(0);
  await expect.poll(() => node.counts.resets).toBe(1);
  node.cutOff(false);
  await expect.poll(node.problem).toBeUndefined();
});

/** Writes signals of two hours ago, with numbers that no node reads. */
async function insertExpired(store: PostgresStore, count: number): Promise<void> {
  await store.rows(
    `INSERT INTO signals (sequence, node, body, sent_at)
     SELECT -n, 'ended.1', '{}', now() - interval '2 hours' FROM generate_series(1, $1::bigint) AS n`,
    [count],
  );
}

const COUNT_EXPIRED = 'SELECT count(*) AS count FROM signals WHERE sequence < 0';

test('expired signals are removed while another session has locked one of them, and the lease is renewed meanwhile', async (context) => {
  requirePostgres(context);
  await using node = await startNode({ cleanUpIntervalMs: 20 });
  const { store, url } = await opened!;
  const other = new pg.Client({ connectionString: url });
  await other.connect();
  await other.query('BEGIN');
  await insertExpired(store, 3);
  await other.query('SELECT FROM signals WHERE sequence = -2 FOR UPDATE');
  await expect.poll(() => store.rows(COUNT_EXPIRED, [])).toEqual([{ count: 1 }]);
  await node.control(SIGNAL);
  expect(node.problem()).toBeUndefined();
  await other.end();
  await expect.poll(() => store.rows(COUNT_EXPIRED, [])).toEqual([{ count: 0 }]);
});

test('the node that has been registered longest removes expired signals, at most 5,000 in one statement', async (context) => {
  requirePostgres(context);
  await using first = await startNode();
  await using second = await startNode();
  const { store } = await opened!;
  const signalStore = createSignalStore(store);
  await insertExpired(store, 6000);
  expect(await signalStore.removeExpired(second.registration.id)).toBe(0);
  expect(await signalStore.removeExpired(first.registration.id)).toBe(5000);
  expect(await signalStore.removeExpired(first.registration.id)).toBe(1000);
  expect(await store.rows(COUNT_EXPIRED, [])).toEqual([{ count: 0 }]);
});

test('a fenced node ends no session that waits for a synchronous standby: its commit stays invisible until the standby has it', async (context) => {
  requirePostgres(context);
  // Only the session that asks for it waits for the standby, which does not exist.
  await using server = await startPostgres(['-c', 'synchronous_commit=local']);
  const url = await server.createDatabase();
  const setStandby = async (name: string) => {
    await server.query(url, `ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
    await server.query(url, 'SELECT pg_reload_conf()');
  };
  await setStandby('missing');
  await using store = await openPostgres({ url, connections: 2, nodeId: 'node_that_fences' });
  const registration = createNodeRegistration({ store, nodeId: 'node', leaseMs: LEASE_MS, version: 'test' });
  const ofFenced = async () => {
    const client = new pg.Client({ connectionString: url, application_name: 'signalbox:fenced.1' });
    const ended = new Promise<void>((resolve) => client.on('error', () => resolve()));
    await client.connect();
    return { client, ended };
  };
  const [committing, idle] = [await ofFenced(), await ofFenced()];
  await committing.client.query('SET synchronous_commit = on');
  const committed = committing.client.query(
    `INSERT INTO projects (id, name, created_at) VALUES ('one', 'one', 1)`,
  );
  const waitEvents = `SELECT wait_event FROM pg_stat_activity WHERE application_name = 'signalbox:fenced.1'`;
  const waits = async () =>
    (await server.query(url, waitEvents)).map(({ wait_event }) => wait_event as string);
  await expect.poll(waits).toContain('SyncRep');

  const fencing = registration.fence(['fenced.1']);
  await idle.ended;
  expect(await server.query(url, 'SELECT id FROM projects')).toEqual([]);
  await setStandby('');
  await Promise.all([committed, fencing]);
  expect(await server.query(url, 'SELECT id FROM projects')).toEqual([{ id: 'one' }]);
  await committing.client.end();
});
