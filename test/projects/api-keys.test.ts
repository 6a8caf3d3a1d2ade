import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import { API_KEY, startService } from '../support/service.ts';

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
  const codeOf = async (id: string) => (await signalbox.ask(rotate, { id })).errors?.[0]?.extensions['code'];
  expect(await codeOf(apiKey.id)).toBe('CONFLICT');
  expect(await codeOf('key_absent')).toBe('NOT_FOUND');
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
