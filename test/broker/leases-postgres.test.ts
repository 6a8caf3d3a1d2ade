import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { createPostgresLeases, type PostgresLeases } from '../../src/broker/leases-postgres.ts';
import { type Leases } from '../../src/broker/leases.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { type PostgresStore } from '../../src/store/store.ts';
import { leasesContract } from '../contracts/leases-contract.ts';
import { member as memberOf } from '../contracts/leases-model.ts';
import { type ManualClock } from '../support/clock.ts';
import { hasPostgres, sharedPostgres } from '../support/postgres.ts';

let opened: Promise<PostgresStore> | undefined;
const open = async () =>
  openPostgres({ url: await (await sharedPostgres()).createDatabase(), connections: 4, nodeId: 'node_test' });
const made: PostgresLeases[] = [];
afterAll(async () => {
  for (const leases of made) await leases[Symbol.asyncDispose]();
  await (await opened)?.[Symbol.asyncDispose]();
});

function createNode(store: Pick<PostgresStore, 'rows'>, nodeId: string): PostgresLeases {
  const onFault = (error: unknown) => expect.unreachable(String(error));
  const leases = createPostgresLeases({ store, nodeOf: () => nodeId, onFault });
  made.push(leases);
  return leases;
}

async function emptyStore(): Promise<PostgresStore> {
  opened ??= open();
  const store = await opened;
  await store.rows('WITH a AS (DELETE FROM nodes), b AS (DELETE FROM present) DELETE FROM entered', []);
  return store;
}

/** Every node of the contract has leases of its own. The leases of nodes end on the clock of the test. */
async function createLeases(clock: ManualClock): Promise<Leases> {
  const store = await emptyStore();
  const nodes = new Map<string, PostgresLeases>();
  const ends = new Map<string, number>();
  let ended = '';

  async function endLeases(): Promise<void> {
    const over = [...ends].filter(([, end]) => clock.monotonic() >= end).map(([id]) => id);
    if (over.join() === ended) return;
    ended = over.join();
    await store.rows(
      `UPDATE nodes SET lease_until = (CASE WHEN id = ANY ($1) THEN '-infinity' ELSE 'infinity' END)::timestamptz`,
      [over],
    );
  }

  function nodeOf(nodeId: string): PostgresLeases {
    const known = nodes.get(nodeId) ?? createNode(store, nodeId);
    nodes.set(nodeId, known);
    return known;
  }

  const onAll = async (work: (node: PostgresLeases) => Promise<void>): Promise<void> => {
    await endLeases();
    for (const node of nodes.values()) await work(node);
  };
  const onAny = async <T>(work: (node: PostgresLeases) => Promise<T>): Promise<T> => {
    await endLeases();
    return work(nodeOf('n'));
  };

  return {
    async renew(nodeId, leaseMs) {
      ends.set(nodeId, clock.monotonic() + leaseMs);
      await store.rows(
        `INSERT INTO nodes (id, lease_until, signals_through, version) VALUES ($1, 'infinity', 0, 'test')
         ON CONFLICT (id) DO UPDATE SET lease_until = 'infinity'`,
        [nodeId],
      );
      ended = '?';
      await endLeases();
    },
    addConnection: async (member) => {
      await endLeases();
      return nodeOf(member.nodeId).addConnection(member);
    },
    removeConnection: (...args) => onAll((node) => node.removeConnection(...args)),
    joinChannel: (...args) => onAll((node) => node.joinChannel(...args)),
    leaveChannel: (...args) => onAll((node) => node.leaveChannel(...args)),
    ofToken: (...args) => onAny((node) => node.ofToken(...args)),
    ofIdentity: (...args) => onAny((node) => node.ofIdentity(...args)),
    ofChannel: (...args) => onAny((node) => node.ofChannel(...args)),
    isIn: (...args) => onAny((node) => node.isIn(...args)),
    countOfChannel: (...args) => onAny((node) => node.countOfChannel(...args)),
    find: (...args) => onAny((node) => node.find(...args)),
    list: (...args) => onAny((node) => node.list(...args)),
    onlineTokens: (...args) => onAny((node) => node.onlineTokens(...args)),
    onlineAmong: (...args) => onAny((node) => node.onlineAmong(...args)),
    lapse: () => onAny((node) => node.lapse()),
  };
}

describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
  leasesContract('The leases of a cluster', createLeases, 0.03);
});

const member = (connectionId: string) => memberOf(connectionId, { nodeId: 'one' });

const register = (store: PostgresStore, id: string) =>
  store.rows(
    `INSERT INTO nodes (id, lease_until, signals_through, version) VALUES ($1, 'infinity', 0, 'test')`,
    [id],
  );

test.skipIf(!hasPostgres)(
  'two nodes that look for lapsed nodes at the same time get each connection once',
  async () => {
    const store = await emptyStore();
    const dead = createNode(store, 'dead');
    await Promise.all(Array.from({ length: 200 }, (_, index) => dead.addConnection(member(`conn_${index}`))));
    const [first, second] = [createNode(store, 'first'), createNode(store, 'second')];
    const found = (await Promise.all([first.lapse(), second.lapse(), first.lapse()])).flat();
    expect(new Set(found.map((one) => one.member.connectionId)).size).toBe(200);
    expect(found).toHaveLength(200);
  },
);

test.skipIf(!hasPostgres)('the changes of one turn are one statement', async () => {
  const store = await emptyStore();
  let statements = 0;
  const node = createNode({ rows: (sql, params) => (statements++, store.rows(sql, params)) }, 'one');
  await register(store, 'one');
  const ids = Array.from({ length: 50 }, (_, index) => `conn_${index}`);
  await Promise.all([
    ...ids.map((id) => node.addConnection(member(id))),
    ...ids.map((id) => node.joinChannel('one', id, 'lobby')),
    node.removeConnection('one', 'conn_7'),
  ]);
  expect(statements).toBe(1);
  expect(await node.countOfChannel('one', 'lobby')).toBe(49);
});

test.skipIf(!hasPostgres)(
  'addConnection resolves to the live connections of the token on all nodes',
  async () => {
    const store = await emptyStore();
    const [one, two, dead] = ['one', 'two', 'dead'].map((id) => createNode(store, id));
    await register(store, 'one');
    await register(store, 'two');
    await dead!.addConnection(member('conn_dead'));
    expect(await one!.addConnection(member('conn_1'))).toBe(1);
    expect(await two!.addConnection(member('conn_2'))).toBe(2);
  },
);

test.skipIf(!hasPostgres)(
  'the limit of a token holds when more nodes add a connection at the same moment than are expected',
  async () => {
    const { query, createDatabase } = await sharedPostgres();
    const url = await createDatabase();
    const ids = Array.from({ length: 20 }, (_, index) => `node_${index}`);
    await using store = await openPostgres({ url, connections: ids.length, nodeId: 'node_test' });
    for (const id of ids) await register(store, id);
    // Each transaction has counted when it waits to commit.
    await query(
      url,
      `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
       CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON present DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()`,
    );
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(1)');
    const limit = 10;
    const counted = ids.map((id) => createNode(store, id).addConnection(member(`conn_${id}`), limit));
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(() => query(url, waiting)).toHaveLength(ids.length);
    await holder.end();
    expect((await Promise.all(counted)).filter((count) => count <= limit).length).toBeLessThanOrEqual(limit);
  },
);

test.skipIf(!hasPostgres)(
  'rows that a failed write left wrong, or that were lost, are written again',
  async () => {
    const store = await emptyStore();
    let isBroken = false;
    const node = createNode(
      {
        rows: async (sql, params) => {
          if (isBroken) throw new Error('on purpose');
          return store.rows(sql, params);
        },
      },
      'one',
    );
    await register(store, 'one');
    for (const id of ['conn_1', 'conn_2', 'conn_3']) await node.addConnection(member(id));
    for (const id of ['conn_1', 'conn_2']) await node.joinChannel('one', id, 'lobby');
    isBroken = true;
    await expect(node.removeConnection('one', 'conn_1')).rejects.toThrow('on purpose');
    isBroken = false;
    // No ghost stays.
    await expect.poll(() => node.find('one', 'conn_1')).toBeUndefined();
    // A crash of the server empties the tables.
    await store.rows('WITH a AS (DELETE FROM present) DELETE FROM entered', []);
    await node.reconcile();
    expect((await node.ofToken('one', 'token_1')).map(({ connectionId }) => connectionId)).toEqual([
      'conn_2',
      'conn_3',
    ]);
    expect(await node.countOfChannel('one', 'lobby')).toBe(1);
  },
);
