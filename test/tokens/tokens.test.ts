import { expect, test } from 'vitest';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService } from '../support/service.ts';

const CREATE = `mutation ($input: CreateTokenInput) { createToken(input: $input) {
  credential
  token { id identity role grants { channels actions } connectionData state createdAt expiresAt revokedAt isOnline }
} }`;

test('createToken stores every field of its input', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'room:1');
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const input = {
    identity: 'auth0|ada',
    role: 'MODERATOR',
    grants: [{ channels: 'room:*', actions: ['PUBLISH', 'SUBSCRIBE', 'SUBSCRIBE'] }],
    connectionData: 'Ada 👩‍🚀\n(she)',
    state: { plan: 'pro', seats: [1, null, { deep: true }] },
    expiresIn: 3600,
    channels: ['room:1', 'room:1'],
  };
  const { createToken } = await signalbox.request(CREATE, { input });
  const { id, ...record } = createToken.token;
  expect(id).toMatch(/^token_[0-9a-z]{26}$/);
  expect(record).toEqual({
    identity: 'auth0|ada',
    role: 'MODERATOR',
    grants: [{ channels: 'room:*', actions: ['SUBSCRIBE', 'PUBLISH'] }],
    connectionData: 'Ada 👩‍🚀\n(she)',
    state: { plan: 'pro', seats: [1, null, { deep: true }] },
    createdAt: '2030-01-01T00:00:00.000Z',
    expiresAt: '2030-01-01T01:00:00.000Z',
    revokedAt: null,
    isOnline: false,
  });
  const viewer = `{ viewer { token { id state } channels { nodes { id } } } }`;
  expect((await signalbox.request(viewer, {}, createToken.credential)).viewer).toEqual({
    token: { id, state: input.state },
    channels: { nodes: [{ id: 'room:1' }] },
  });
});

test('createToken without input creates a publisher that does not expire', async () => {
  await using signalbox = await startService();
  const { createToken } = await signalbox.request(
    `mutation { createToken { token { role grants { channels } identity connectionData state expiresAt } } }`,
  );
  expect(createToken.token).toEqual({
    role: 'PUBLISHER',
    grants: null,
    identity: null,
    connectionData: null,
    state: null,
    expiresAt: null,
  });
});

test('createToken accepts expiresAt with milliseconds and in any time zone', async () => {
  await using signalbox = await startService({}, { clock: createManualClock(Date.UTC(2030, 0, 1)) });
  const { createToken } = await signalbox.request(CREATE, {
    input: { expiresAt: '2030-01-01T01:00:00.5+01:00' },
  });
  expect(createToken.token.expiresAt).toBe('2030-01-01T00:00:00.500Z');
});

test.for([
  { input: { identity: 'ada lovelace' }, code: 'BAD_USER_INPUT', field: 'input.identity' },
  { input: { identity: '' }, code: 'BAD_USER_INPUT', field: 'input.identity' },
  { input: { expiresIn: 0 }, code: 'BAD_USER_INPUT', field: 'input.expiresIn' },
  { input: { expiresAt: '2029-12-31T23:59:59Z' }, code: 'BAD_USER_INPUT', field: 'input.expiresAt' },
  { input: { expiresAt: '2131-01-01T00:00:00Z' }, code: 'BAD_USER_INPUT', field: 'input.expiresAt' },
  {
    input: { expiresIn: 60, expiresAt: '2031-01-01T00:00:00Z' },
    code: 'BAD_USER_INPUT',
    field: 'input.expiresIn',
  },
  { input: { connectionData: 'a\u0000b' }, code: 'BAD_USER_INPUT', field: 'input.connectionData' },
  { input: { connectionData: 'x'.repeat(1001) }, code: 'BAD_USER_INPUT', field: 'input.connectionData' },
  { input: { state: 'x'.repeat(300) }, code: 'PAYLOAD_TOO_LARGE', field: 'input.state', limit: 256 },
  {
    input: { grants: [{ channels: 'a:**', actions: [] }] },
    code: 'BAD_USER_INPUT',
    field: 'input.grants[0].channels',
  },
  {
    input: { grants: Array(3).fill({ channels: 'a', actions: [] }) },
    code: 'BAD_USER_INPUT',
    field: 'input.grants',
  },
  { input: { channels: ['lobby', 'nowhere'] }, code: 'NOT_FOUND' },
  { input: { channels: ['lobby'], role: 'GUEST' }, code: 'FORBIDDEN' },
  { input: { channels: ['lobby', 'a', 'b'] }, code: 'LIMIT_EXCEEDED', limit: 2 },
])('createToken refuses $input with $code and creates nothing', async ({ input, code, ...fields }) => {
  await using signalbox = await startService(
    { maxStateBytes: 256, maxGrantsPerToken: 2, maxMembershipsPerToken: 2 },
    { clock: createManualClock(Date.UTC(2030, 0, 1)) },
  );
  await createChannel(signalbox, 'lobby');
  const { errors } = await signalbox.ask(CREATE, { input });
  expect(errors).toMatchObject([{ extensions: { code, retryable: false, ...fields } }]);
  const { tokens, channel } = await signalbox.request(
    `{ tokens { nodes { id } } channel(id: "lobby") { tokens { nodes { id } } } }`,
  );
  expect([tokens.nodes, channel.tokens.nodes]).toEqual([[], []]);
});

test('refuses to create, update, revoke and list tokens for callers without an API key', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox, { role: 'MODERATOR' });
  for (const query of [
    `mutation { createToken { credential } }`,
    `mutation { createCredential(token: "${id}") { credential } }`,
    `mutation { updateToken(id: "${id}", input: { role: MODERATOR }) { id } }`,
    `mutation { revokeToken(id: "${id}") { id } }`,
    `{ tokens { nodes { id } } }`,
  ]) {
    expect((await signalbox.ask(query, {}, credential)).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect((await signalbox.ask(query, {}, null)).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  }
});

test('a token reads its own record, and is refused all others', async () => {
  await using signalbox = await startService();
  const [ada, bob] = [await mint(signalbox), await mint(signalbox)];
  const read = `query ($id: ID!) { token(id: $id) { id } isOnline(token: $id) }`;
  expect((await signalbox.request(read, { id: ada.id }, ada.credential)).token.id).toBe(ada.id);
  expect((await signalbox.ask(read, { id: bob.id }, ada.credential)).errors?.[0]?.extensions['code']).toBe(
    'FORBIDDEN',
  );
  expect(
    (await signalbox.ask(read, { id: 'token_none' }, ada.credential)).errors?.[0]?.extensions['code'],
  ).toBe('FORBIDDEN');
  expect((await signalbox.ask(`{ token(id: "token_none") { id } }`)).errors?.[0]?.extensions['code']).toBe(
    'NOT_FOUND',
  );
});

test('createCredential mints another credential for the token until the token expires or is revoked', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const createAnother = `mutation ($id: ID!) { createCredential(token: $id) { credential cursor token { id } } }`;
  const { id, credential } = await mint(signalbox, { expiresIn: 60 });
  const { createCredential } = await signalbox.request(createAnother, { id });
  expect(createCredential.credential).not.toBe(credential);
  expect(createCredential.token.id).toBe(id);
  expect(
    (await signalbox.request(`{ viewer { token { id } } }`, {}, createCredential.credential)).viewer.token.id,
  ).toBe(id);
  const codeOf = async (token: string) =>
    (await signalbox.ask(createAnother, { id: token })).errors?.[0]?.extensions['code'];
  expect(await codeOf('token_none')).toBe('NOT_FOUND');
  await clock.advance(60_000);
  expect(await codeOf(id)).toBe('TOKEN_EXPIRED');
  await revokeToken(signalbox, id);
  expect(await codeOf(id)).toBe('TOKEN_REVOKED');
});
