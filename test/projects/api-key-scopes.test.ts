import { expect, test } from 'vitest';
import { createChannel, mint, subscribeToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService, type ServiceClient } from '../support/service.ts';

// Which call needs which scope is the subject of the authorization matrix.

const CREATE = `mutation ($scopes: [ApiKeyScope!], $channels: String, $expiresAt: DateTime, $canSign: Boolean) {
  createApiKey(scopes: $scopes, channels: $channels, expiresAt: $expiresAt, canSign: $canSign) {
    secret apiKey { id scopes channels expiresAt }
  }
}`;
const ROTATE = `mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 0) { secret apiKey { scopes channels expiresAt } } }`;
const UPDATE = 'mutation { updateChannel(id: "lobby", input: { type: PUBLIC }) { state } }';
const PUBLISH = 'mutation ($c: ID!) { publishMessage(channel: $c, event: "said") { message { id } } }';

const createKey = async ({ request }: ServiceClient, rights: object) =>
  (await request(CREATE, rights)).createApiKey;

async function errorOf(service: ServiceClient, query: string, variables: object, secret?: string) {
  return (await service.ask(query, variables, secret)).errors?.[0]?.extensions['code'];
}

test('a key without scopes may do everything and reports null for scopes and channels', async () => {
  await using signalbox = await startService();
  expect((await createKey(signalbox, {})).apiKey).toMatchObject({
    scopes: null,
    channels: null,
    expiresAt: null,
  });
});

test('the error of a refused operation names the missing scope', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const { secret, apiKey } = await createKey(signalbox, { scopes: ['TOKENS', 'READ', 'READ'] });
  expect(apiKey.scopes).toEqual(['READ', 'TOKENS']);
  const { errors } = await signalbox.ask(PUBLISH, { c: 'lobby' }, secret);
  expect(errors?.[0]).toMatchObject({
    message: 'Refused: the API key lacks the scope PUBLISH.',
    extensions: { code: 'FORBIDDEN' },
  });
});

test('a limited key acts in the channels of its pattern only, and learns nothing of others', async () => {
  await using signalbox = await startService();
  for (const id of ['room:1', 'room:1:2', 'den']) await createChannel(signalbox, id);
  const { secret } = await createKey(signalbox, { scopes: ['PUBLISH', 'CHANNELS'], channels: 'room:*' });
  expect(await errorOf(signalbox, PUBLISH, { c: 'room:1' }, secret)).toBeUndefined();
  for (const c of ['room:1:2', 'den', 'no-such-channel'])
    expect(await errorOf(signalbox, PUBLISH, { c }, secret)).toBe('FORBIDDEN');
  const create = 'mutation ($id: ID) { createChannel(input: { id: $id }) { id } }';
  expect(await errorOf(signalbox, create, { id: 'room:2' }, secret)).toBeUndefined();
  for (const id of ['den:2', null])
    expect(await errorOf(signalbox, create, { id }, secret)).toBe('FORBIDDEN');
});

test('a key that may change a channel but not read it receives no state', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { state: { topic: 'secret' } });
  const [blind, reader] = [
    await createKey(signalbox, { scopes: ['CHANNELS'] }),
    await createKey(signalbox, { scopes: ['CHANNELS', 'READ'] }),
  ];
  expect(await signalbox.request(UPDATE, {}, blind.secret)).toEqual({ updateChannel: { state: null } });
  expect(await signalbox.request(UPDATE, {}, reader.secret)).toEqual({
    updateChannel: { state: { topic: 'secret' } },
  });
});

test('a subscription of a key without READ is refused', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const subscribe = 'subscription { messages(channel: "lobby") { __typename } }';
  const publisher = await createKey(signalbox, { scopes: ['PUBLISH'] });
  const client = signalbox.client({ apiKey: publisher.secret });
  for await (const result of client.iterate({ query: subscribe })) {
    expect(result.errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
  }
});

test.each([
  ['an empty list of scopes', { scopes: [] }],
  ['channels without scopes', { channels: 'room:*' }],
  ['channels with a scope that is not about a channel', { scopes: ['READ', 'TOKENS'], channels: 'room:*' }],
  ['a malformed pattern', { scopes: ['READ'], channels: 'room:**' }],
  ['signing without the scope TOKENS', { scopes: ['READ'], canSign: true }],
  ['an expiry in the past', { expiresAt: '2001-01-01T00:00:00Z' }],
])('refuses %s with BAD_USER_INPUT', async (_, rights) => {
  await using signalbox = await startService();
  expect(await errorOf(signalbox, CREATE, rights)).toBe('BAD_USER_INPUT');
});

test('a key creates and rotates only keys that may do no more than itself', async () => {
  await using signalbox = await startService();
  const { secret, apiKey } = await createKey(signalbox, { scopes: ['KEYS', 'READ'] });
  const full = await createKey(signalbox, {});
  expect(await errorOf(signalbox, CREATE, { scopes: ['READ'] }, secret)).toBeUndefined();
  expect(await errorOf(signalbox, CREATE, { scopes: ['READ', 'PUBLISH'] }, secret)).toBe('FORBIDDEN');
  expect(await errorOf(signalbox, CREATE, {}, secret)).toBe('FORBIDDEN');
  expect(await errorOf(signalbox, ROTATE, { id: full.apiKey.id }, secret)).toBe('FORBIDDEN');
  expect(await errorOf(signalbox, ROTATE, { id: apiKey.id }, secret)).toBeUndefined();
});

test('a key ends at its expiry, and its successor has the same rights and the same expiry', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const expiresAt = new Date(clock.now() + 60_000).toISOString();
  const old = await createKey(signalbox, { scopes: ['READ', 'KEYS'], expiresAt });
  expect(await errorOf(signalbox, CREATE, { scopes: ['READ'] }, old.secret)).toBe('FORBIDDEN');
  const { rotateApiKey } = await signalbox.request(ROTATE, { id: old.apiKey.id });
  expect(rotateApiKey.apiKey).toEqual({ scopes: ['READ', 'KEYS'], channels: null, expiresAt });
  const viewer = '{ viewer { kind } }';
  await clock.advance(59_999);
  expect(await errorOf(signalbox, viewer, {}, rotateApiKey.secret)).toBeUndefined();
  await clock.advance(1);
  expect(await errorOf(signalbox, viewer, {}, rotateApiKey.secret)).toBe('UNAUTHENTICATED');
});

test('a key that is limited to channels sees who is in a channel, but not the state and the grants of their tokens', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room:1');
  const grants = ['room:*', 'den:*'].map((channels) => ({ channels, actions: ['SUBSCRIBE'] }));
  const { id } = await mint(signalbox, { state: { plan: 'private' }, grants });
  await subscribeToken(signalbox, 'room:1', id);
  const { secret } = await createKey(signalbox, { scopes: ['READ'], channels: 'room:*' });
  const read = (fields: string) =>
    signalbox.ask(`{ channel(id: "room:1") { tokens { nodes { ${fields} } } } }`, {}, secret);
  expect((await read('id')).data.channel.tokens.nodes).toEqual([{ id }]);
  for (const fields of ['state', 'grants { channels }', 'claimedGrants { channels }']) {
    const { data, errors } = await read(fields);
    expect(Object.values(data.channel.tokens.nodes[0])).toEqual([null]);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
});
