import { inspect } from 'node:util';
import { eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { projects } from '../../src/projects/tables.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { asUnavailable, isOutcomeUnknown } from '../../src/store/postgres-errors.ts';
import { storeContract } from '../contracts/store-contract.ts';
import { createProxy } from '../support/proxy.ts';
import { hasPostgres, requirePostgres, sharedPostgres, startPostgres } from '../support/postgres.ts';

let nodes = 0;
const open = (url: string) => openPostgres({ url, connections: 4, nodeId: `node_${++nodes}` });
const emptyDatabase = async () => (await sharedPostgres()).createDatabase();

describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
  storeContract('PostgreSQL', async () => open(await emptyDatabase()));
});

test('several nodes that start at once on an empty database migrate it one after another', async (context) => {
  requirePostgres(context);
  const url = await emptyDatabase();
  const stores = await Promise.all([open(url), open(url), open(url)]);
  await stores[0].db.insert(projects).values({ id: 'one', name: 'shared', createdAt: 1 });
  for (const store of stores)
    expect(await store.db.select({ name: projects.name }).from(projects)).toEqual([{ name: 'shared' }]);
  for (const store of stores) await store[Symbol.asyncDispose]();
});

test('continues after the database crashed and restarted, and reports the write problem in between', async (context) => {
  requirePostgres(context);
  await using server = await startPostgres();
  const url = await server.createDatabase();
  await using store = await open(url);
  await store.db.insert(projects).values({ id: 'one', name: 'kept', createdAt: 1 });
  expect(store.writeProblem()).toBeUndefined();
  await server.crash();
  await expect
    .poll(async () => store.db.select({ name: projects.name }).from(projects).catch(String))
    .toEqual([{ name: 'kept' }]);
  await expect.poll(() => store.writeProblem()).toBeUndefined();
});

test('statements and transactions on a connection that is dead without an error fail within the limit, and later ones use a new connection', async (context) => {
  requirePostgres(context);
  await using proxy = await createProxy((await sharedPostgres()).port);
  const url = Object.assign(new URL(await emptyDatabase()), { port: String(proxy.port) }).href;
  const answerTimeoutMs = 3000;
  await using store = await openPostgres({ url, connections: 1, nodeId: `node_${++nodes}`, answerTimeoutMs });
  const count = () => store.rows<{ count: number }>('SELECT count(*) AS count FROM projects', []);
  const insert = (id: string) =>
    store.batch([store.db.insert(projects).values({ id, name: id, createdAt: 1 })]);
  const attempts = [count, () => insert('lost')];
  for (const attempt of attempts) {
    await insert(`before ${attempts.indexOf(attempt)}`);
    proxy.setBlackHole(true);
    const startedAt = performance.now();
    await expect(attempt()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(performance.now() - startedAt).toBeLessThan(1.9 * answerTimeoutMs);
    proxy.setBlackHole(false);
    expect(await count()).toEqual([{ count: attempts.indexOf(attempt) + 1 }]);
  }
});

test('the transaction that PostgreSQL ends in a deadlock fails with UNAVAILABLE, and the other one is committed', async (context) => {
  requirePostgres(context);
  await using store = await open(await emptyDatabase());
  for (const id of ['one', 'two'])
    await store.db.insert(projects).values({ id, name: 'before', createdAt: 1 });
  const locks = new Map<string, () => void>();
  const hasLocked = (id: string) => new Promise<void>((resolve) => void locks.set(id, resolve));
  const bothHaveLocked = Promise.all([hasLocked('one'), hasLocked('two')]);
  const rename = (first: string, second: string) =>
    store.transaction(async ({ db }) => {
      await db.update(projects).set({ name: first }).where(eq(projects.id, first));
      locks.get(first)?.();
      await bothHaveLocked;
      await db.update(projects).set({ name: first }).where(eq(projects.id, second));
      return first;
    });
  const outcomes = await Promise.allSettled([rename('one', 'two'), rename('two', 'one')]);
  const kept = outcomes.find(({ status }) => status === 'fulfilled');
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'UNAVAILABLE', retryable: true, message: expect.stringContaining('Nothing was changed') },
  });
  const names = await store.db.selectDistinct({ name: projects.name }).from(projects);
  expect(names).toEqual([{ name: (kept as PromiseFulfilledResult<string>).value }]);
});

test('the end of a transaction that was idle for too long is UNAVAILABLE, and took no effect', () => {
  const ended = Object.assign(new Error('terminating connection due to idle-in-transaction timeout'), {
    code: '25P03',
  });
  expect(asUnavailable(ended)).toMatchObject({ code: 'UNAVAILABLE', retryable: true, cause: ended });
  expect(isOutcomeUnknown(asUnavailable(ended))).toBe(false);
});

const settings = (name: string, value: string) => (url: string) => [
  `alter database ${new URL(url).pathname.slice(1)} set ${name} = ${value}`,
];

test.each([
  ['synchronous_commit=off', settings('synchronous_commit', 'off'), 'Set synchronous_commit=on'],
  ['a read-only database', settings('default_transaction_read_only', 'on'), 'The database is read-only'],
] as const)('refuses %s with an error message', async (_, statements, sentence) => {
  if (!hasPostgres) return;
  const { query } = await sharedPostgres();
  const url = await emptyDatabase();
  for (const statement of statements(url)) await query(url, statement);
  await expect(open(url)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(sentence),
  });
});

test('refuses fsync=off with an error message', async (context) => {
  requirePostgres(context);
  await using server = await startPostgres(['-c', 'fsync=off']);
  await expect(open(await server.createDatabase())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('Set fsync=on'),
  });
});

test('refuses a database that a newer version wrote', async (context) => {
  requirePostgres(context);
  const url = await emptyDatabase();
  await (await open(url))[Symbol.asyncDispose]();
  const { query } = await sharedPostgres();
  await query(
    url,
    `insert into drizzle.__drizzle_migrations (hash, created_at) values ('future', 9999999999999)`,
  );
  await expect(open(url)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('newer version of Signalbox'),
  });
});

const WRONG_URLS: readonly [
  name: string,
  change: Partial<Pick<URL, 'password' | 'pathname' | 'port' | 'hostname'>>,
  sentence: string,
][] = [
  ['a wrong password', { password: 'not-the-password' }, 'refuses the user “owner” or its password'],
  ['a missing database', { pathname: '/nowhere' }, 'has no database “nowhere”. Create it: createdb nowhere'],
  ['a closed port', { port: '1' }, 'does not accept connections'],
  ['an unknown host', { hostname: 'nowhere.invalid' }, 'is not found'],
];

test.each(WRONG_URLS)(
  'reports that the URL has %s, without printing the password',
  async (_, change, sentence) => {
    if (!hasPostgres) return;
    const url = Object.assign(new URL(await emptyDatabase()), change);
    const error: unknown = await open(url.href).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(sentence) });
    expect(inspect(error)).not.toContain(url.password);
  },
);
