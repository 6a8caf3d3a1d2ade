import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import { API_KEY, startService } from '../support/service.ts';

const CREATE = `mutation ($name: String) { createApiKey(name: $name) { secret apiKey { id name isOperator } } }`;
const LIST = `{ project { apiKeys { nodes { id name expiresAt revokedAt } } } }`;
const WHO = `{ viewer { kind apiKey { id } } }`;

test('a key is made, listed without its secret, and works', async () => {
  await using signalbox = await startService();
  const { createApiKey } = await signalbox.request(CREATE, { name: 'billing' });
  expect(createApiKey.secret).toMatch(/^key_[a-z0-9]{26}\.[A-Za-z0-9_-]{43}$/);
  expect(createApiKey.apiKey).toMatchObject({ name: 'billing', isOperator: false });
  expect(await signalbox.request(WHO, {}, createApiKey.secret)).toEqual({
    viewer: { kind: 'API_KEY', apiKey: { id: createApiKey.apiKey.id } },
  });
  const { project } = await signalbox.request(LIST);
  expect(project.apiKeys.nodes.map(({ name }: { name: string }) => name)).toEqual(['billing', 'bootstrap']);
  expect(JSON.stringify(project)).not.toContain(createApiKey.secret.split('.')[1]);
});

test('of a secret there is nothing but a hash in the store', async () => {
  using folder = createFolder();
  const signalbox = await startService({ data: folder.path });
  const { secret } = (await signalbox.request(CREATE)).createApiKey;
  await signalbox[Symbol.asyncDispose]();
  const stored = readFileSync(join(folder.path, 'signalbox.sqlite')).toString('latin1');
  expect(stored).toContain(secret.split('.')[0]);
  expect(stored).not.toContain(secret.split('.')[1]);
  expect(stored).not.toContain(API_KEY.split('.')[1]);
});

test('a rotated key works until its overlap ends, its successor from the start', async () => {
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
  expect((await signalbox.request(WHO, {}, old.secret)).viewer.kind).toBe('API_KEY');
  expect((await signalbox.request(WHO, {}, rotateApiKey.secret)).viewer.kind).toBe('API_KEY');
  await clock.advance(1);
  expect((await signalbox.ask(WHO, {}, old.secret)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  expect((await signalbox.request(WHO, {}, rotateApiKey.secret)).viewer.kind).toBe('API_KEY');
  expect(await events.ended).toMatchObject({ code: 4403 });
});

test('a key that has ended is not rotated, one that is unknown is not found', async () => {
  await using signalbox = await startService();
  const { apiKey } = (await signalbox.request(CREATE)).createApiKey;
  await signalbox.request(`mutation ($id: ID!) { revokeApiKey(id: $id) { id } }`, { id: apiKey.id });
  const rotate = `mutation ($id: ID!) { rotateApiKey(id: $id) { secret } }`;
  const codeOf = async (id: string) => (await signalbox.ask(rotate, { id })).errors?.[0]?.extensions['code'];
  expect(await codeOf(apiKey.id)).toBe('CONFLICT');
  expect(await codeOf('key_nobody')).toBe('NOT_FOUND');
});

test('revoking a key ends what it opened, at once', async () => {
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
  expect((await signalbox.ask(WHO, {}, secret)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
});

test.each([
  ['a wrong secret', `${API_KEY.slice(0, -1)}x`],
  ['an unknown id', 'key_unknown.0123456789abcdef0123456789'],
  ['no secret', 'key_test'],
  ['an empty secret', 'key_test.'],
  ['another key’s secret behind its id', `key_test.${'0'.repeat(43)}`],
])('%s opens nothing', async (_, bearer) => {
  await using signalbox = await startService();
  const { errors } = await signalbox.ask(WHO, {}, bearer);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
});
