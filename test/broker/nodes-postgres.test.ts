import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_OPEN_QUESTIONS, createPostgresNodes } from '../../src/broker/nodes-postgres.ts';
import { MAX_ANSWER_MS } from '../../src/broker/nodes.ts';
import { createNodeRegistration } from '../../src/broker/node-registration.ts';
import { createNotifyWire } from '../../src/broker/wire-notify.ts';
import { createNotifySessions } from '../../src/store/notify-session.ts';
import { systemClock } from '../../src/clock.ts';
import { createDeliveryRecords } from '../../src/observability/delivery-records.ts';
import { createExplainDelivery } from '../../src/observability/explain-delivery.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { blankToken } from '../../src/tokens/token.ts';
import { apiKeyCaller } from '../support/callers.ts';
import { draft } from '../support/drafts.ts';
import { hasPostgres, requirePostgres, sharedPostgres, startPostgres } from '../support/postgres.ts';

let opened = 0;

async function openNode(url: string) {
  const nodeId = `node_${++opened}`;
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  const store = await openPostgres({ url, connections: 2, nodeId });
  const registration = createNodeRegistration({ store, nodeId, leaseMs: 60_000, version: 'test' });
  await registration.register();
  const wire = await createNotifyWire({ open: createNotifySessions(url, nodeId), nodeId, onFault });
  const nodes = createPostgresNodes({ store, wire, nodeId, onFault });
  return {
    nodeId,
    nodes,
    wire,
    registration,
    faults,
    async [Symbol.asyncDispose]() {
      nodes[Symbol.dispose]();
      await wire[Symbol.asyncDispose]();
      await registration.remove();
      await store[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!hasPostgres)('questions to other nodes', () => {
  let url: string;
  let query: (sql: string) => Promise<any[]>;
  let a: Awaited<ReturnType<typeof openNode>>;
  let b: typeof a;
  let c: typeof a;

  beforeAll(async () => {
    const server = await sharedPostgres();
    url = await server.createDatabase();
    query = (sql) => server.query(url, sql);
    [a, b, c] = [await openNode(url), await openNode(url), await openNode(url)];
  });
  afterAll(async () => {
    for (const node of [a, b, c]) await node[Symbol.asyncDispose]();
  });

  test('every other node answers, and one that has no answer in time is named', async () => {
    for (const node of [a, b]) node.nodes.onQuestion('sum', (question) => [node.nodeId, question]);
    const fromNew = c.nodes.onQuestion('sum', () => 'c');
    expect(await a.nodes.ask('sum', { of: 1 })).toEqual({
      answers: new Map<string, unknown>([
        [b.nodeId, [b.nodeId, { of: 1 }]],
        [c.nodeId, 'c'],
      ]),
      unanswered: [],
    });
    fromNew[Symbol.dispose]();
    expect(await a.nodes.ask('sum', 2)).toEqual({
      answers: new Map([[b.nodeId, [b.nodeId, 2]]]),
      unanswered: [c.nodeId],
    });
  });

  test('a question waits for no more than it needs, and one that throws is reported where it threw', async () => {
    b.nodes.onQuestion('soon', () => 'here');
    c.nodes.onQuestion('soon', () => {
      throw new RangeError('on purpose');
    });
    const startedAt = performance.now();
    const { answers } = await a.nodes.ask('soon', null, { isEnough: ({ size }) => size === 1 });
    expect(performance.now() - startedAt).toBeLessThan(MAX_ANSWER_MS);
    expect(answers).toEqual(new Map([[b.nodeId, 'here']]));
    await expect.poll(() => c.faults).toEqual([new RangeError('on purpose')]);
  });

  test('answers to the questions of two nodes, which have the same number, are not confused', async () => {
    for (const { nodeId, nodes } of [a, b, c])
      nodes.onQuestion('echo', (question) => `${nodeId}, ${String(question)}`);
    // The first question of each of them.
    const [ofB, ofC] = await Promise.all([
      b.nodes.ask('echo', 'asked by b'),
      c.nodes.ask('echo', 'asked by c'),
    ]);
    expect(new Set(ofB.answers.values())).toEqual(
      new Set([`${a.nodeId}, asked by b`, `${c.nodeId}, asked by b`]),
    );
    expect(new Set(ofC.answers.values())).toEqual(
      new Set([`${a.nodeId}, asked by c`, `${b.nodeId}, asked by c`]),
    );
  });

  test('refuses more questions at the same time than it may hold, and holds none after their answers', async () => {
    for (const node of [b, c]) node.nodes.onQuestion('many', (question) => question);
    const questions = Array.from({ length: MAX_OPEN_QUESTIONS }, (_, nth) => a.nodes.ask('many', nth));
    await expect(a.nodes.ask('many', 'one more')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    for (const [nth, { answers }] of (await Promise.all(questions)).entries())
      expect([...answers.values()]).toEqual([nth, nth]);
    expect((await a.nodes.ask('many', 'again')).answers.size).toBe(2);
  });

  test('ignores what no node sends', async () => {
    b.nodes.onQuestion('odd', (question) => question);
    c.nodes.onQuestion('odd', (question) => question);
    for (const payload of [null, 1, [], {}, { id: '1', kind: 'odd' }, { id: 1, kind: 2 }])
      b.wire.send('question', payload);
    for (const payload of [null, {}, { to: a.nodeId }, { to: a.nodeId, id: 999, answer: 1 }])
      b.wire.send('answer', payload);
    expect((await a.nodes.ask('odd', 'asked')).answers.size).toBe(2);
    expect([...a.faults, ...b.faults]).toEqual([]);
  });

  test('names the nodes that have ended since a moment, and not one that has registered again', async () => {
    const before = Date.now();
    const d = await openNode(url);
    await d.registration.register();
    expect(await a.nodes.endedSince(before - 60_000, 10)).toEqual([]);
    await d[Symbol.asyncDispose]();
    expect(await a.nodes.endedSince(before, 10)).toEqual([d.nodeId]);
    expect(await a.nodes.endedSince(Date.now() + 60_000, 10)).toEqual([]);
    // As if it had been killed a while ago.
    await query(`INSERT INTO nodes (id, lease_until, signals_through, version)
      VALUES ('node_killed.1', clock_timestamp() - interval '1 hour', 0, 'test')`);
    await query('SELECT FROM lapse_nodes_v1()');
    expect(await a.nodes.endedSince(before, 10)).toEqual([d.nodeId]);
    expect(await a.nodes.endedSince(before - 2 * 3_600_000, 10)).toEqual([d.nodeId, 'node_killed']);
    expect(await a.nodes.endedSince(before - 2 * 3_600_000, 1)).toEqual([d.nodeId]);
  });

  test('an explanation misses no node that ends while the others are asked', async () => {
    for (const { nodes } of [b, c])
      nodes.onQuestion('delivery', () => ({
        ...{ deliveries: [], receptions: [], wasConnected: false, hasForgotten: false },
      }));
    const d = await openNode(url);
    const records = createDeliveryRecords(systemClock);
    const message = { ...draft({ projectId: 'default', publishedAt: Date.now() }), logged: null };
    records.recorder.delivered([message], 1);
    const nodes = {
      ...a.nodes,
      async ask(...question: Parameters<typeof a.nodes.ask>) {
        await d[Symbol.asyncDispose]();
        return a.nodes.ask(...question);
      },
    };
    using explaining = createExplainDelivery({
      records,
      broker: { nodes, trimmedThrough: async () => 0 },
      nodeId: a.nodeId,
      connections: { ofToken: () => [] },
      tokens: { find: async (projectId, id) => blankToken(id, projectId, 1) },
      restrictionsOf: async () => [],
    });
    const question = { message: message.id, token: 'token_1' };
    expect(await a.nodes.endedSince(Date.now(), 10)).not.toContain(d.nodeId);
    expect(await explaining.explain(apiKeyCaller(), question)).toMatchObject({
      ...{ outcome: 'UNKNOWN', unansweredNodes: [], endedNodes: expect.arrayContaining([d.nodeId]) },
    });
  });

  test('a crash of the database that removes the registrations ends the nodes that do not register again', async () => {
    await query(`INSERT INTO nodes (id, lease_until, signals_through, version)
      VALUES ('node_lost.1', clock_timestamp() + interval '1 hour', 0, 'test')`);
    // As a crash does: no trigger of a row sees it.
    await query('TRUNCATE nodes');
    const before = Date.now();
    expect(await a.nodes.endedSince(before + 60_000, 1)).not.toEqual([]);
    for (const node of [a, b, c]) await node.registration.register();
    const ended = await a.nodes.endedSince(before - 1000, 10);
    expect(ended).toContain('node_lost');
    for (const node of [a, b, c]) expect(ended).not.toContain(node.nodeId);
    expect(await a.nodes.endedSince(before + 60_000, 1)).toEqual([]);
  });

  test('keeps a bounded number of nodes that have ended', async () => {
    await query(`INSERT INTO node_processes (id, ended_at)
      SELECT 'node_old_' || n, clock_timestamp() - n * interval '1 minute' FROM generate_series(1, 1500) AS n`);
    await a.registration.register();
    const [{ count, oldest }] = await query(
      `SELECT count(*)::int AS count, max(ended_at) FILTER (WHERE id = 'node_old_1400') AS oldest
       FROM node_processes WHERE ended_at IS NOT NULL`,
    );
    expect({ count, oldest }).toEqual({ count: 1000, oldest: null });
    expect((await a.nodes.endedSince(0, 2000)).slice(-1)[0]).toMatch(/^node_old_9/);
  });
});

test('nodes end, lapse and move their connections while the synchronous standby is lost', async (context) => {
  requirePostgres(context);
  await using server = await startPostgres();
  const url = await server.createDatabase();
  await using node = await openNode(url);
  const add = (ids: readonly string[], lease: string) =>
    server.query(
      url,
      `INSERT INTO nodes (id, lease_until, signals_through, version)
       SELECT unnest('{${ids.join(',')}}'::text[]), clock_timestamp() + interval '${lease}', 0, 'test'`,
    );
  await add(['lapsed.1'], '-1 second');
  await add(['stopped.1', 'moved.1'], '1 hour');
  const setStandby = async (name: string) => {
    await server.query(url, `ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
    await server.query(url, 'SELECT pg_reload_conf()');
  };
  await setStandby('missing');
  const client = new pg.Client({ connectionString: url, query_timeout: 5000 });
  await client.connect();
  await client.query('SELECT lapse_nodes_v1()');
  await client.query(`SELECT remove_node_v1('stopped.1')`);
  await client.query(`SELECT move_presence_v1('moved.1', 'moved.2')`);
  await client.end();
  expect(new Set(await node.nodes.endedSince(0, 10))).toEqual(new Set(['lapsed', 'stopped', 'moved']));
  await setStandby('');
});
