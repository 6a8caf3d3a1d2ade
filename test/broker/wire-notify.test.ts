import { describe, expect, test } from 'vitest';
import { createNotifyWire } from '../../src/broker/wire-notify.ts';
import {
  createNotifySessions,
  type NotifySession,
  type OpenNotifySession,
} from '../../src/store/notify-session.ts';
import { record, wireContract } from '../contracts/wire-contract.ts';
import { hasPostgres, requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { createProxy } from '../support/proxy.ts';

let nodes = 0;

type Wrap = (openSession: OpenNotifySession) => OpenNotifySession;

async function open(url: string, wrap: Wrap = (openSession) => openSession) {
  const nodeId = `node_${++nodes}`;
  const faults: unknown[] = [];
  const wire = await createNotifyWire({
    open: wrap(createNotifySessions(url, nodeId)),
    nodeId,
    onFault: (error) => faults.push(error),
  });
  return { wire, faults, [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose]() };
}

/** One database for all tests of the contract: they begin with new nodes, so nothing of the others arrives. */
let shared: Promise<string> | undefined;
async function pair() {
  shared ??= sharedPostgres().then((server) => server.createDatabase());
  const url = await shared;
  const [a, b] = [await open(url), await open(url)];
  return {
    a: a.wire,
    b: b.wire,
    async [Symbol.asyncDispose]() {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
  wireContract('The wire of notifications', pair);
});

/** A node that reaches the database through a proxy, and one that reaches it directly. */
async function openBehindProxy() {
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  const proxy = await createProxy(server.port);
  const proxied = Object.assign(new URL(url), { port: String(proxy.port) }).href;
  const [near, far] = [await open(url), await open(proxied)];
  let gaps = 0;
  far.wire.onGap(() => gaps++);
  return {
    url,
    server,
    proxy,
    near: near.wire,
    far: far.wire,
    gaps: () => gaps,
    async [Symbol.asyncDispose]() {
      await near[Symbol.asyncDispose]();
      await far[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

test('after a cut the wire listens again, reports the gap, and sends what waited, once', async (context) => {
  requirePostgres(context);
  await using made = await openBehindProxy();
  const { near, far, proxy, gaps } = made;
  const [atNear, atFar] = [record(near), record(far)];
  proxy.cut();
  far.send('test', 'waited');
  await expect.poll(gaps).toBe(1);
  near.send('test', 'after');
  await expect.poll(() => atFar.received).toEqual(['after']);
  await expect.poll(() => atNear.received).toEqual(['waited']);
  expect(far.counts).toMatchObject({ lost: 1, dropped: 0 });
});

test('the connection that listens is replaced when an own payload does not come back, even if it answers', async (context) => {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const sessions: NotifySession[] = [];
  await using near = await open(url);
  await using far = await open(url, (openSession) => async (onNotification) => {
    const session = await openSession(onNotification);
    sessions.push(session);
    return session;
  });
  const { received } = record(far.wire);
  let gaps = 0;
  far.wire.onGap(() => gaps++);
  // A pooler that lends the session to another client does this, too.
  await sessions[0]?.run('UNLISTEN *');
  far.wire.send('test', 'out');
  await expect.poll(() => gaps).toBe(1);
  near.wire.send('test', 'in');
  await expect.poll(() => received).toEqual(['in']);
  expect(sessions).toHaveLength(3);
});

test('ignores packets that are not of the protocol, and repeated packets', async (context) => {
  requirePostgres(context);
  await using made = await openBehindProxy();
  const { near, far, url, server } = made;
  const { received } = record(far);
  const hostile = [
    '',
    'v2|node_x|1|0/1|[["test",1]]',
    'v1|node_x|1|1/2|[["test",1]]',
    'v1|node_x|0|0/1|[["test",1]]',
    'v1|node_x|1|3/2|[["test",1]]',
    'v1|node_x|2|0/1|[["test"',
    'v1|node_x|3|0/1|{"test":1}',
    'v1|node_x|4|0/1|[["test",1],[1,"test"]]',
    `v1|${'x'.repeat(65)}|1|0/1|[["test",1]]`,
  ];
  const values = hostile.map((text, index) => `(${index}, '${text}')`).join();
  await server.query(
    url,
    `select pg_notify('signalbox', text) from (values ${values}) as v(nth, text) order by nth`,
  );
  // A node that lost the answer sends the same packet again.
  const packet = `select pg_notify('signalbox', 'v1|node_y|1|0/1|[["test","once"]]')`;
  for (const statement of [packet, packet]) await server.query(url, statement);
  near.send('test', 'fine');
  await expect.poll(() => received).toEqual(['once', 'fine']);
  expect(far.counts).toMatchObject({ ignored: hostile.length, received: 2 });
});
