import { expect, test, type TestContext } from 'vitest';
import {
  createNodeRegistration,
  FRESH_MS,
  type NodeRegistration,
} from '../../src/broker/node-registration.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { startServiceOnPostgres } from '../support/service.ts';

/** A node that can register, and how often it has asked the database for that. */
async function openNode(url: string, nodeId: string) {
  const store = await openPostgres({ url, connections: 1, nodeId });
  let requests = 0;
  const registration = createNodeRegistration({
    store: {
      connectAs: store.connectAs,
      async controlRows(sql, params) {
        if (sql.includes('register_node')) requests++;
        return store.controlRows(sql, params);
      },
    },
    nodeId,
    leaseMs: 10_000,
    version: 'test',
  });
  return {
    registration,
    requests: () => requests,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

async function timeOf({ register }: NodeRegistration): Promise<number> {
  const startedAt = performance.now();
  await register();
  return performance.now() - startedAt;
}

test('after a crash of the server, nodes register once every node of before must have noticed it, and later ones at once', async (context: TestContext) => {
  requirePostgres(context);
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  await using first = await openNode(url, 'node_1');
  await using second = await openNode(url, 'node_2');
  await first.registration.register();
  await second.registration.register();
  expect([first.requests(), second.requests()]).toEqual([1, 1]);
  expect(first.registration.holds()).toBe(true);

  // A crash empties these tables. Nothing waits for a confirmation of the second node, which may still deliver.
  await server.query(url, 'truncate nodes, server_runs');
  const registering = Promise.all([timeOf(first.registration), timeOf(second.registration)]);
  await expect.poll(() => server.query(url, 'select from server_runs')).toHaveLength(1);
  expect(await server.query(url, 'select from nodes')).toEqual([]);
  // The database counts in milliseconds, and timers may be a part of one early.
  for (const elapsed of await registering) expect(elapsed).toBeGreaterThan(FRESH_MS - 10);
  expect(await server.query(url, 'select from nodes')).toHaveLength(2);

  const before = first.requests();
  await first.registration.register();
  expect(first.requests()).toBe(before + 1);
});

test('a node whose start fails after its registration leaves none, so that no change on another node waits for it', async (context) => {
  requirePostgres(context);
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  // The connection of the lease is the only one, so the one that listens is refused.
  await server.query(
    url,
    `CREATE ROLE limited LOGIN PASSWORD 'limited' CONNECTION LIMIT 1;
     ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO limited`,
  );
  const limited = Object.assign(new URL(url), { username: 'limited', password: 'limited' }).href;
  await expect(startServiceOnPostgres(limited)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('has no connection left'),
  });
  expect(await server.query(url, 'SELECT count(*)::int AS ended FROM node_processes')).toEqual([
    { ended: 1 },
  ]);
  expect(await server.query(url, 'SELECT id FROM nodes')).toEqual([]);
});
