import { StreamChat } from 'stream-chat';
import { expect, test } from 'vitest';
import { queueResults } from '../support/result-queue.ts';
import { changeSettings, codeOf, createProject } from '../support/projects.ts';
import { startService, type ServiceClient } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const TOKEN = `{ viewer { token { id identity origin issuer role grants { channels } expiresAt } } }`;
const EVENTS = `subscription { events { ... on Connected { token { identity } } } }`;

const HEADER = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9';
const base64 = (payload: unknown) => Buffer.from(JSON.stringify(payload)).toString('base64');
/** Builds a token in the layout of Stream by hand. */
const unsigned = (payload: unknown) => `${HEADER}.${base64(payload)}.devtoken`;

const stream = new StreamChat('appkey', 'secret');

async function startWithDevelopmentTokens() {
  const signalbox = await startService();
  await changeSettings(signalbox, { developmentTokens: true });
  return signalbox;
}

async function tokenOf({ request }: ServiceClient, credential: string): Promise<any> {
  return (await request(TOKEN, {}, credential)).viewer.token;
}

test('a development token authenticates its identity as a publisher without expiry, with the same record at every use', async () => {
  await using signalbox = await startWithDevelopmentTokens();
  const token = await tokenOf(signalbox, unsigned({ user_id: 'ada' }));
  expect(token).toEqual({
    id: expect.stringMatching(/^token_/),
    identity: 'ada',
    origin: 'DEVELOPMENT',
    issuer: 'development',
    role: 'PUBLISHER',
    grants: null,
    expiresAt: null,
  });
  expect(await tokenOf(signalbox, unsigned({ user_id: 'ada' }))).toEqual(token);
  expect((await tokenOf(signalbox, unsigned({ user_id: 'ben' }))).id).not.toBe(token.id);
});

test('accepts tokens of stream-chat’s devToken() over every transport, with any base64 padding', async () => {
  await using signalbox = await startWithDevelopmentTokens();
  for (const identity of ['ada', 'adal', 'adalo', 'ada@example.org', 'a~~~|+']) {
    const credential = stream.devToken(identity);
    const [header, payload, signature] = credential.split('.') as [string, string, string];
    const bare = payload.replace(/=+$/, '');
    const url = Buffer.from(payload, 'base64').toString('base64url');
    for (const middle of [payload, bare, url])
      expect((await tokenOf(signalbox, `${header}.${middle}.${signature}`)).identity).toBe(identity);
    for (const client of [signalbox.client({ token: credential }), sseClient(signalbox, credential)])
      expect(await queueResults(client, EVENTS).next()).toEqual({ events: { token: { identity } } });
  }
});

test('createDevelopmentToken returns the token that stream-chat makes, for any caller, and names an invalid character', async () => {
  await using signalbox = await startWithDevelopmentTokens();
  const make = `mutation ($identity: String!) { createDevelopmentToken(identity: $identity) }`;
  const other = await createProject(signalbox, 'other');
  for (const identity of ['ada', 'ada@example.org']) {
    const { createDevelopmentToken } = await signalbox.request(make, { identity }, null);
    expect(createDevelopmentToken).toBe(stream.devToken(identity));
    expect((await tokenOf(signalbox, createDevelopmentToken)).identity).toBe(identity);
  }
  for (const [identity, fault] of [
    ['ada/1', 'has "/" at position 3'],
    ['', 'must not be empty'],
    ['a'.repeat(256), 'has 256 characters'],
  ]) {
    const { errors } = await signalbox.ask(make, { identity }, null);
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(`identity: ${fault}`),
        extensions: { code: 'BAD_USER_INPUT', field: 'identity' },
      },
    ]);
  }
  expect(codeOf(await other.ask(make, { identity: 'ada' }))).toBe('FORBIDDEN');
  await changeSettings(signalbox, { developmentTokens: false });
  for (const bearer of [null, signalbox.apiKey])
    expect(codeOf(await signalbox.ask(make, { identity: 'ada' }, bearer))).toBe('FORBIDDEN');
});

test.for(['development', 'production'] as const)(
  'refuses unsigned credentials in %s mode until the project enables them, and in every other project',
  async (mode) => {
    await using signalbox = await startService({ mode });
    const other = await createProject(signalbox, 'other');
    await changeSettings(other, { developmentTokens: true });
    const credential = unsigned({ user_id: 'ada' });
    expect(codeOf(await signalbox.ask(TOKEN, {}, credential))).toBe('UNAUTHENTICATED');
    expect(await queueResults(sseClient(signalbox, credential), EVENTS).ended).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
    expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
      code: 4401,
    });
    const elsewhere = signalbox.client({ token: credential, project: 'other' });
    expect(await queueResults(elsewhere, EVENTS).next()).toEqual({ events: { token: { identity: 'ada' } } });
    const originsIn = async ({ request }: ServiceClient) =>
      (await request(`{ tokens { nodes { origin } } }`)).tokens.nodes;
    expect(await originsIn(signalbox)).toEqual([]);
    expect(await originsIn(other)).toEqual([{ origin: 'DEVELOPMENT' }]);
  },
);

const payload = base64({ user_id: 'ada' });

test.for([
  ['another role', unsigned({ user_id: 'ada', role: 'MODERATOR' })],
  ['an expiry', unsigned({ user_id: 'ada', exp: 4_000_000_000 })],
  ['a server claim', unsigned({ user_id: 'ada', server: true })],
  ['no user id', unsigned({})],
  ['an empty user id', unsigned({ user_id: '' })],
  ['a number as the user id', unsigned({ user_id: 1 })],
  ['a list as the payload', unsigned(['ada'])],
  ['an invalid user id', unsigned({ user_id: 'ada/1' })],
  ['the identity of a guest', unsigned({ user_id: 'guest:ada' })],
  ['a user id that is too long', unsigned({ user_id: 'a'.repeat(256) })],
  ['a payload that is not JSON', `${HEADER}.${Buffer.from('ada').toString('base64')}.devtoken`],
  ['a payload that is not base64', `${HEADER}.*${payload}.devtoken`],
  ['half of the padding', `${HEADER}.${base64({ user_id: 'adalo' }).replace(/=$/, '')}.devtoken`],
  ['another signature', `${HEADER}.${payload}.DevToken`],
  ['no signature', `${HEADER}.${payload}.`],
  ['two signatures', `${HEADER}.${payload}.devtoken.devtoken`],
  [
    'another header',
    `${Buffer.from('{"typ":"JWT","alg":"HS256"}').toString('base64url')}.${payload}.devtoken`,
  ],
  ['no algorithm', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`],
  ['only a signature', 'devtoken'],
] as const)('refuses a development token with %s', async ([, credential]) => {
  await using signalbox = await startWithDevelopmentTokens();
  const { errors } = await signalbox.ask(TOKEN, {}, credential);
  expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED', retryable: false } }]);
  expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
    code: 4401,
  });
  expect((await signalbox.request(`{ tokens { nodes { id } } }`)).tokens.nodes).toEqual([]);
});
