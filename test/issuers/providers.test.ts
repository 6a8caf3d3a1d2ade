import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createIssuer, refusalMessageOf, tokenOf } from '../support/external-credentials.ts';
import { startProvider, trustCertificate, type ProviderServer } from '../support/provider.ts';
import { startService, type TestService } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';

/** Access tokens with the claims that OpenID providers really write, verified with a key set from a local server. */

const ISSUER = 'https://login.example/realms/app';
let trust: Disposable;
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let provider: ProviderServer;
let signalbox: TestService;

beforeAll(async () => {
  trust = trustCertificate();
  pair = await generateKeyPair('RS256', { extractable: true });
});
afterAll(() => trust[Symbol.dispose]());
beforeEach(async () => {
  provider = await startProvider();
  provider.publish([{ ...(await exportJWK(pair.publicKey)), kid: '1' }]);
  signalbox = await startService();
});
afterEach(async () => {
  await signalbox[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

const register = (options: object = {}) =>
  createIssuer(signalbox, {
    kind: 'JWKS',
    provider: { url: provider.url, issuer: ISSUER, audience: 'app', ...options },
  });
const mint = (claims: object) =>
  new SignJWT({ iss: ISSUER, aud: 'app', sub: 'ada', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: '1' })
    .sign(pair.privateKey);

test.each([
  ['Keycloak, with a user of a federation', 'f:6b6dbe2c-7d0e-4c7e-9f2f-5a4a1c1f0b11:ada'],
  ['ADFS, base64 with padding', '3Mc5mLzB3kX0rVv8rKgSgX0pXlq3mM4r8gV+0/5dZ0c='],
  ['Privy, a decentralized id', 'did:privy:cm3np4u9j001rc8b73seqmqqk'],
  ['Auth0', 'auth0|5f7c8ec7c33c6c004bbafe82'],
  ['a claim e-mail', "o'brien@example.org"],
  ['one visible character', '!'],
  ['255 visible characters', '~'.repeat(255)],
  ['a prefix like the one of guests', 'guests:ada'],
])('a token opens with the subject of %s', async (_, sub) => {
  await register();
  expect(await tokenOf(signalbox, await mint({ sub }))).toMatchObject({ identity: sub });
  const { tokens } = await signalbox.request(
    `query ($i: String) { tokens(identity: $i) { nodes { identity } } }`,
    {
      i: sub,
    },
  );
  expect(tokens.nodes).toEqual([{ identity: sub }]);
});

test.each([
  ['the prefix of guests', 'guest:ada', 'must not begin with guest:'],
  ['a blank', 'ada lovelace', 'has " " at position 3'],
  ['a control character', 'ada\u0000', 'position 3'],
  ['256 characters', 'x'.repeat(256), 'has 256 characters'],
  ['no character', '', 'must not be empty'],
])('a token is refused when its subject has %s', async (_, sub, reason) => {
  await register();
  expect(await refusalMessageOf(signalbox, await mint({ sub }))).toContain(reason);
});

test.each([
  ['Privy', 'privy.io', 'did:privy:cm3np4u9j001rc8b73seqmqqk'],
  ['Stytch', 'stytch.com/project-live-c60c0abe-c25a-4472-a9ed-320c6667d317', 'user-live-1f2e'],
  [
    'Dynamic',
    'app.dynamicauth.com/9d7bb4a7-1b1c-4f3b-8a52-6e0a3e6d2c11',
    '95b11417-f18f-457f-8804-68e361f9164f',
  ],
  ['Descope', 'P2OkfVnJi5Ht7mpCqHjx17nV5epH', 'U2P6O3tsPmf4iWhUuMcUPkzyzoBS'],
  ['Google, before it wrote a URL', 'accounts.google.com', '110169484474386276334'],
])('a provider may have a name that is no URL: %s', async (_, issuer, sub) => {
  await register({ issuer });
  expect(await tokenOf(signalbox, await mint({ iss: issuer, sub }))).toMatchObject({ identity: sub });
  expect(await refusalMessageOf(signalbox, await mint({ sub }))).toMatch(
    'no issuer of this project signed it',
  );
  const forged = new SignJWT({ iss: issuer, aud: 'app', sub }).setExpirationTime('1 minute');
  const publicKey = new TextEncoder().encode(JSON.stringify(await exportJWK(pair.publicKey)));
  expect(
    await refusalMessageOf(signalbox, await forged.setProtectedHeader({ alg: 'HS256' }).sign(publicKey)),
  ).toMatch('The credential is refused');
});

test.each([
  `${ISSUER}/`,
  ISSUER.replace('https', 'http'),
  ISSUER.replace('https://', ''),
  ISSUER.toUpperCase(),
])('names the spelling when iss is %s and the issuer of the project another spelling of it', async (iss) => {
  await register();
  expect(await refusalMessageOf(signalbox, await mint({ iss }))).toMatch('one has a similar name');
});

const ADD_ROLE = `mutation { updateProject(settings: { permissions: {
  roles: [{ name: "moderator", like: MODERATOR }]
} }) { id } }`;

test.each([
  [
    'Keycloak',
    '/realm_access/roles',
    { realm_access: { roles: ['offline_access', 'moderator'] } },
    'moderator',
  ],
  ['Entra ID', 'roles', { roles: ['Task.Read', 'moderator', 'OWNER'] }, 'moderator'],
  ['Cognito', 'cognito:groups', { 'cognito:groups': ['eu-west-1_abc_Google', 'MODERATOR'] }, 'MODERATOR'],
  [
    'a provider that writes names with blanks',
    'roles',
    { roles: ['All users', '', 7, null, 'moderator'] },
    'moderator',
  ],
  ['a provider without such a role', 'roles', { roles: ['offline_access'] }, 'PUBLISHER'],
  ['an empty list', 'roles', { roles: [] }, 'PUBLISHER'],
  ['null', 'roles', { roles: null }, 'PUBLISHER'],
  ['a parent that is null', '/realm_access/roles', { realm_access: null }, 'PUBLISHER'],
])('takes the first role of the project from the list of roles of %s', async (_, claim, claims, expected) => {
  await signalbox.request(ADD_ROLE);
  await register({ claims: { role: claim } });
  const { role, customRole } = await tokenOf(signalbox, await mint(claims));
  expect(customRole ?? role).toBe(expected);
});

test('a role that is no list and no role of the project is still refused', async () => {
  await register({ claims: { role: 'role' } });
  expect(await refusalMessageOf(signalbox, await mint({ role: 'offline_access' }))).toMatch(
    'is not a role of',
  );
  expect(await refusalMessageOf(signalbox, await mint({ role: { name: 'MODERATOR' } }))).toMatch(
    '“role” must be',
  );
});

test.each([
  ['Cognito, an access token of the web client', 'client_id', { aud: undefined, client_id: 'web' }],
  ['Cognito, an access token of the mobile client', 'client_id', { aud: undefined, client_id: 'mobile' }],
  ['Clerk, a session token', 'azp', { aud: undefined, azp: 'https://app.example' }],
  ['Keycloak, an access token', 'azp', { aud: 'account', azp: 'web' }],
  ['Auth0, an access token of an API', undefined, { aud: ['https://api.example', 'web'], azp: 'x' }],
  ['Firebase, an id token', undefined, { aud: 'web' }],
])('accepts the audiences of %s', async (_, audience, claims) => {
  const audiences = ['web', 'mobile', 'https://app.example'];
  await register({ audience: undefined, audiences, claims: { audience } });
  expect(await tokenOf(signalbox, await mint(claims))).toMatchObject({ identity: 'ada' });
});

test.each([
  ['another client', 'client_id', { client_id: 'other' }],
  ['no client', 'client_id', {}],
  ['a client that is null', 'client_id', { client_id: null }],
  ['the audience in aud only', 'azp', { aud: 'web' }],
  ['a nested list', undefined, { aud: [['web']] }],
  ['a part of an audience', undefined, { aud: 'we' }],
])('refuses a token with %s', async (_, audience, claims) => {
  await register({ audience: undefined, audiences: ['web', 'mobile'], claims: { audience } });
  const name = audience ?? 'aud';
  expect(await refusalMessageOf(signalbox, await mint({ aud: 'app', ...claims }))).toContain(
    `its “${name}” must contain an audience of its issuer`,
  );
});

test.each([
  ['no audience', { audience: undefined }, 'input.provider.audiences: has 0 entries'],
  ['an empty list', { audience: undefined, audiences: [] }, 'input.provider.audiences: has 0 entries'],
  ['both', { audiences: ['app', 'web'] }, 'mutually exclusive'],
  ['21 audiences', { audience: undefined, audiences: Array(21).fill('x') }, 'has 21 entries'],
  ['an empty audience', { audience: undefined, audiences: ['web', ''] }, 'audiences[1]: has 0 characters'],
])('createIssuer refuses %s', async (_, options, reason) => {
  await expect(register(options)).rejects.toThrow(reason);
});

test('a WebSocket with a key that the provider has just published may be retried', async () => {
  await register();
  await tokenOf(signalbox, await mint({}));
  const next = await generateKeyPair('RS256', { extractable: true });
  const sign = (kid: string) =>
    new SignJWT({ iss: ISSUER, aud: 'app', sub: 'ada', exp: Math.floor(Date.now() / 1000) + 60 })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(next.privateKey);
  await refusalMessageOf(signalbox, await sign('forged'));
  provider.publish([{ ...(await exportJWK(next.publicKey)), kid: '2' }]);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: await sign('2') } });
  expect(await socket.closed).toMatchObject({ code: 1013, reason: expect.stringContaining('Try again in') });
});
