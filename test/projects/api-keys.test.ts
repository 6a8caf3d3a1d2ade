import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { createApiKeys } from '../../src/projects/api-keys.ts';
import { createJweVault } from '../../src/secrets/vault.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { codeOf } from '../support/projects.ts';
import { API_KEY, startService, startServiceOnPostgres, type ServiceClient } from '../support/service.ts';

const CREATE = `mutation ($name: String) { createApiKey(name: $name) { secret apiKey { id name isOperator } } }`;
const LIST = `{ project { apiKeys { nodes { id name expiresAt revokedAt } } } }`;
const VIEWER = `{ viewer { kind apiKey { id } } }`;

test('creates an API key that authenticates, and lists it without its secret', async () => {
  await using signalbox = await startService();
  const { createApiKey } = await signalbox.request(CREATE, { name: 'billing' });
  expect(createApiKey.secret).toMatch(/^key_[a-z0-9]{26}\.[A-Za-z0-9_-]{43}$/);
  expect(createApiKey.apiKey).toMatchObject({ name: 'billing', isOperator: false });
  expect(await signalbox.request(VIEWER, {}, createApiKey.secret)).toEqual({
    viewer: { kind: 'API_KEY', apiKey: { id: createApiKey.apiKey.id } },
  });
  const { project } = await signalbox.request(LIST);
  expect(project.apiKeys.nodes.map(({ name }: { name: string }) => name)).toEqual(['billing', 'bootstrap']);
  expect(JSON.stringify(project)).not.toContain(createApiKey.secret.split('.')[1]);
});

test('writes the id of an API key to the database file but never its secret', async () => {
  using folder = createFolder();
  const signalbox = await startService({ data: folder.path });
  const { secret } = (await signalbox.request(CREATE)).createApiKey;
  await signalbox[Symbol.asyncDispose]();
  const stored = readFileSync(join(folder.path, 'signalbox.sqlite')).toString('latin1');
  expect(stored).toContain(secret.split('.')[0]);
  expect(stored).not.toContain(secret.split('.')[1]);
  expect(stored).not.toContain(API_KEY.split('.')[1]);
});

test('accepts a rotated key until its overlap ends, and its successor at once', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const old = (await signalbox.request(CREATE)).createApiKey;
  const { rotateApiKey } = await signalbox.request(
    `mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 60) { secret } }`,
    { id: old.apiKey.id },
  );
  const client = signalbox.client({ apiKey: old.secret });
  const events = queueResults(client, `subscription { events { __typename } }`);
  await events.next();
  await clock.advance(59_999);
  expect((await signalbox.request(VIEWER, {}, old.secret)).viewer.kind).toBe('API_KEY');
  expect((await signalbox.request(VIEWER, {}, rotateApiKey.secret)).viewer.kind).toBe('API_KEY');
  await clock.advance(1);
  expect((await signalbox.ask(VIEWER, {}, old.secret)).errors?.[0]?.extensions['code']).toBe(
    'UNAUTHENTICATED',
  );
  expect((await signalbox.request(VIEWER, {}, rotateApiKey.secret)).viewer.kind).toBe('API_KEY');
  expect(await events.ended).toMatchObject({ code: 4403 });
});

test('refuses to rotate a revoked key with CONFLICT and an unknown key with NOT_FOUND', async () => {
  await using signalbox = await startService();
  const { apiKey } = (await signalbox.request(CREATE)).createApiKey;
  await signalbox.request(`mutation ($id: ID!) { revokeApiKey(id: $id) { id } }`, { id: apiKey.id });
  const rotate = `mutation ($id: ID!) { rotateApiKey(id: $id) { secret } }`;
  expect(codeOf(await signalbox.ask(rotate, { id: apiKey.id }))).toBe('CONFLICT');
  expect(codeOf(await signalbox.ask(rotate, { id: 'key_absent' }))).toBe('NOT_FOUND');
});

const ROTATE = `mutation ($id: ID!) { rotateApiKey(id: $id) { secret apiKey { id } } }`;

/** The codes of two rotations of a key, and the keys that the project did not have before. */
async function rotateTwice(nodes: readonly [ServiceClient, ServiceClient], id: string) {
  const idsOf = async () =>
    (await nodes[0].request(LIST)).project.apiKeys.nodes.map((key: { id: string }) => key.id) as string[];
  const before = await idsOf();
  const answers = await Promise.all(nodes.map((node) => node.ask(ROTATE, { id })));
  const added = (await idsOf()).filter((key) => !before.includes(key));
  const winner = answers.find(({ data }) => data?.rotateApiKey)?.data.rotateApiKey;
  return { codes: answers.map(codeOf).toSorted(), added, winner };
}

test('of two rotations of a key at the same moment in one process, one creates a successor', async () => {
  await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const clock = createManualClock();
  const apiKeys = createApiKeys({
    store,
    clock,
    newId: createIds(clock.now, randomBytes),
    randomBytes,
    vault: createJweVault(['the-master-key-of-this-test']),
    announce: async (write) => ({ result: await write(store), connections: 0 }),
  });
  const { apiKey } = await apiKeys.create('default', {});
  const rotate = () => apiKeys.rotate('default', apiKey.id, 60);
  // The second time, the overlap does not move the expiry of the key.
  for (const count of [2, 3]) {
    const results = await Promise.allSettled([rotate(), rotate()]);
    const [won, ...more] = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    expect(more).toEqual([]);
    expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({
      code: 'CONFLICT',
    });
    expect((await apiKeys.verify(won?.secret ?? ''))?.id).toBe(won?.apiKey.id);
    expect((await apiKeys.list('default', { first: 9 })).items).toHaveLength(count);
  }
});

test('of two rotations of a key at the same moment on two nodes, one creates a successor', async (context) => {
  requirePostgres(context);
  const postgres = await sharedPostgres();
  const url = await postgres.createDatabase();
  await using first = await startServiceOnPostgres(url);
  await using second = await startServiceOnPostgres(url);
  const { apiKey } = (await first.request(CREATE)).createApiKey;
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  for (const _ of ['first', 'second']) {
    // Both nodes read the key, and then wait to write.
    await database.query('BEGIN; LOCK TABLE api_keys, projects IN SHARE MODE');
    const rotating = rotateTwice([first, second], apiKey.id);
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(() => postgres.query(url, waiting)).toHaveLength(2);
    await database.query('COMMIT');
    const { codes, added, winner } = await rotating;
    expect(codes).toEqual(['CONFLICT', undefined]);
    expect(added).toEqual([winner.apiKey.id]);
  }
  await database.end();
});

test('closes connections with 4403 and refuses the key when it is revoked', async () => {
  await using signalbox = await startService();
  const { secret, apiKey } = (await signalbox.request(CREATE)).createApiKey;
  const events = queueResults(
    signalbox.client({ apiKey: secret }),
    `subscription { events { __typename ... on Disconnecting { reason } } }`,
  );
  await events.next();
  await signalbox.request(`mutation ($id: ID!) { revokeApiKey(id: $id) { revokedAt } }`, { id: apiKey.id });
  expect(await events.next()).toEqual({ events: { __typename: 'Disconnecting', reason: 'KEY_ENDED' } });
  expect(await events.ended).toMatchObject({ code: 4403 });
  expect((await signalbox.ask(VIEWER, {}, secret)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
});

test.each([
  ['a key with a wrong secret', `${API_KEY.slice(0, -1)}x`],
  ['a key with an unknown id', 'key_unknown.0123456789abcdef0123456789'],
  ['a key without a secret', 'key_test'],
  ['a key with an empty secret', 'key_test.'],
  ['a key with the secret of another key', `key_test.${'0'.repeat(43)}`],
])('refuses %s with UNAUTHENTICATED', async (_, bearer) => {
  await using signalbox = await startService();
  const { errors } = await signalbox.ask(VIEWER, {}, bearer);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
});
