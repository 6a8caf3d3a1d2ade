import { createSign, generateKeyPairSync, createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProviders } from '../../src/tokens/issuers/jwks.ts';
import { createManualClock } from '../support/clock.ts';
import { createIssuer, refusalMessageOf, tokenOf } from '../support/external-credentials.ts';
import { errorOf, listIssuers } from '../support/issuer-management.ts';
import { startProvider, trustCertificate, type ProviderServer } from '../support/provider.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const ISS = 'https://id.example/';
const UPDATE = `mutation ($i: ID!, $input: UpdateIssuerInput!) { updateIssuer(issuer: $i, input: $input) { id } }`;
const CREATE = `mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`;
const pair = await generateKeyPair('RS256', { extractable: true });
const next = await generateKeyPair('RS256', { extractable: true });

let signalbox: TestService;
let server: ProviderServer;
let trust: Disposable;
const jwkOf = async ({ publicKey }: typeof pair, kid: string) => ({
  ...(await exportJWK(publicKey)),
  kid,
  alg: 'RS256',
});
beforeEach(async () => {
  trust = trustCertificate();
  server = await startProvider();
  server.publish([await jwkOf(pair, 'one')]);
  signalbox = await startService();
});
afterEach(async () => {
  await signalbox[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  trust[Symbol.dispose]();
});

const sign = (claims: object, { kid = 'one', keys = pair } = {}) =>
  new SignJWT({ iss: ISS, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid })
    .setIssuedAt()
    .setExpirationTime('1 hour')
    .sign(keys.privateKey);
const provider = (options: object) => ({
  kind: 'JWKS',
  provider: { url: server.url, issuer: ISS, ...options },
});

test('one provider may have several audiences, and the claim that names them may be client_id or azp', async () => {
  await createIssuer(signalbox, provider({ audiences: ['web', 'app'] }));
  for (const aud of ['web', 'app', ['other', 'app']])
    expect(await tokenOf(signalbox, await sign({ sub: 'ada', aud }))).toMatchObject({ identity: 'ada' });
  expect(await refusalMessageOf(signalbox, await sign({ sub: 'ada', aud: 'other' }))).toMatch('“aud”');
  expect(await refusalMessageOf(signalbox, await sign({ sub: 'ada', client_id: 'web' }))).toMatch('“aud”');

  await using byClientId = await startService();
  await createIssuer(byClientId, provider({ audiences: ['web'], claims: { audience: 'client_id' } }));
  expect(await tokenOf(byClientId, await sign({ sub: 'ada', client_id: 'web' }))).toMatchObject({
    identity: 'ada',
  });
  for (const claims of [{ client_id: 'other' }, { aud: 'web' }, { client_id: null }, {}])
    expect(await refusalMessageOf(byClientId, await sign({ sub: 'ada', ...claims }))).toMatch('“client_id”');
});

test('two issuers of one provider are distinguished by their audiences, and may not share one', async () => {
  const web = await createIssuer(signalbox, provider({ audience: 'web', claims: { role: 'role' } }));
  const app = await createIssuer(signalbox, provider({ audience: 'app' }));
  const claims = { sub: 'ada', role: 'MODERATOR' };
  expect(await tokenOf(signalbox, await sign({ ...claims, aud: 'web' }))).toMatchObject({
    issuer: web,
    role: 'MODERATOR',
  });
  expect(await tokenOf(signalbox, await sign({ ...claims, aud: 'app' }))).toMatchObject({
    issuer: app,
    role: 'PUBLISHER',
  });
  for (const options of [{ audiences: ['app', 'tv'] }, { audience: 'tv', claims: { audience: 'azp' } }])
    expect(await errorOf(signalbox, CREATE, { input: provider(options) })).toEqual({ code: 'CONFLICT' });
  expect(await errorOf(signalbox, UPDATE, { i: app, input: { provider: { audiences: ['web'] } } })).toEqual({
    code: 'CONFLICT',
  });
});

test('updateIssuer changes the given fields only, for credentials that are presented from then on', async () => {
  const id = await createIssuer(signalbox, provider({ audience: 'web', claims: { role: 'role' } }));
  const credential = await sign({ sub: 'ada', aud: 'app', role: 'MODERATOR' });
  expect(await refusalMessageOf(signalbox, credential)).toMatch('“aud”');
  const update = (input: object) => signalbox.request(UPDATE, { i: id, input });
  await update({ name: 'Login', provider: { audiences: ['web', 'app'] } });
  expect(await tokenOf(signalbox, credential)).toMatchObject({ identity: 'ada', role: 'MODERATOR' });
  await update({ provider: { claims: { identity: 'email' } } });
  expect(await listIssuers(signalbox)).toMatchObject([
    {
      id,
      name: 'Login',
      provider: {
        url: server.url,
        issuer: ISS,
        audiences: ['web', 'app'],
        algorithms: ['RS256'],
        claims: { identity: 'email', audience: 'aud', role: null },
      },
    },
  ]);
  for (const [input, field] of [
    [{ service: 'IS1' }, 'input.service'],
    [{ provider: { audiences: [] } }, 'input.provider.audiences'],
    [
      { provider: { audiences: Array.from({ length: 21 }, (_, n) => `app-${n}`) } },
      'input.provider.audiences',
    ],
    [{ provider: { url: 'http://id.example' } }, 'input.provider.url'],
  ] as const)
    expect([field, await errorOf(signalbox, UPDATE, { i: id, input })]).toEqual([
      field,
      { code: 'BAD_USER_INPUT', field },
    ]);
  expect(await errorOf(signalbox, UPDATE, { i: 'issuer_0', input: {} })).toEqual({ code: 'NOT_FOUND' });
});

test.each([
  ['Keycloak', ['offline_access', 'MODERATOR', 'uma_authorization'], 'MODERATOR'],
  ['a list that begins with a known role', ['SUBSCRIBER', 'MODERATOR'], 'SUBSCRIBER'],
  ['a list without a known role', ['offline_access', 'x'.repeat(500), ''], 'PUBLISHER'],
  ['an empty list', [], 'PUBLISHER'],
  ['a list of other types', [1, null, { a: 1 }, ['MODERATOR']], 'PUBLISHER'],
  ['null', null, 'PUBLISHER'],
])('takes the role from %s', async (_, roles, role) => {
  await createIssuer(signalbox, provider({ audience: 'web', claims: { role: '/realm_access/roles' } }));
  const credential = await sign({ sub: 'ada', aud: 'web', realm_access: { roles } });
  expect(await tokenOf(signalbox, credential)).toMatchObject({ role });
});

test('refuses a role claim that is a string and not a role of the project', async () => {
  await createIssuer(signalbox, provider({ audience: 'web', claims: { role: 'role' } }));
  const credential = await sign({ sub: 'ada', aud: 'web', role: 'offline_access' });
  expect(await refusalMessageOf(signalbox, credential)).toMatch('not a role of this project');
});

test.each([
  'f:6b6dbe2c-7e51-4d0a-9d7c-3f4e3c1d2b1a:ada',
  'QWRhIExvdmVsYWNl+/8=',
  'did:privy:cm0x1y2z3',
  'auth0|5f7c8ec7c33c6c004bbafe82',
  "o'brien@example.org",
  'x'.repeat(255),
  'guest',
])('accepts the subject %s of a provider', async (sub) => {
  await createIssuer(signalbox, provider({ audience: 'web' }));
  const { id, identity } = await tokenOf(signalbox, await sign({ sub, aud: 'web' }));
  expect(identity).toBe(sub);
  const { isOnline } = await signalbox.request('query ($t: ID!) { isOnline(token: $t) }', { t: id });
  expect(isOnline).toBe(false);
});

test.each(['guest:ada', 'a b', '', 'x'.repeat(256), 'a\u0000', 7])(
  'refuses the subject %s of a provider',
  async (sub) => {
    await createIssuer(signalbox, provider({ audience: 'web' }));
    expect(await refusalMessageOf(signalbox, await sign({ sub, aud: 'web' }))).toMatch(
      'The credential is refused',
    );
  },
);

test('accepts a new provider key at once; another new key within 30 seconds closes with 1013, so that the client retries', async () => {
  await createIssuer(signalbox, provider({ audience: 'web' }));
  await tokenOf(signalbox, await sign({ sub: 'ada', aud: 'web' }));
  server.publish([await jwkOf(next, 'two'), await jwkOf(pair, 'one')]);
  const rotated = await sign({ sub: 'ben', aud: 'web' }, { kid: 'two', keys: next });
  expect(await tokenOf(signalbox, rotated)).toMatchObject({ identity: 'ben' });
  const third = await sign({ sub: 'eve', aud: 'web' }, { kid: 'three', keys: next });
  const { errors } = await signalbox.ask('{ viewer { kind } }', {}, third);
  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    retryAfterSeconds: 30,
  });
  const socket = connectSocket(signalbox, { token: third });
  await expect(socket).rejects.toThrow('1013');
});

test.each([
  'https://127.0.0.1/keys',
  'https://localhost/keys',
  'https://2130706433/keys',
  'https://0x7f.1/keys',
  'https://0177.0.0.1/keys',
  'https://[::1]/keys',
  'https://[::ffff:127.0.0.1]/keys',
  'https://[::ffff:a9fe:a9fe]/keys',
  'https://[64:ff9b::7f00:1]/keys',
  'https://169.254.169.254/latest/meta-data',
  'https://10.1.2.3/keys',
  'https://172.31.0.1/keys',
  'https://192.168.1.1/keys',
  'https://100.64.0.1/keys',
  'https://0.0.0.0/keys',
  'https://[fd00::1]/keys',
  'https://[fe80::1]/keys',
])('createIssuer and updateIssuer refuse %s unless private providers are allowed', async (url) => {
  await using guarded = await startService({ privateProviders: 'off' });
  const refused = { code: 'BAD_USER_INPUT', field: 'input.provider.url' };
  const input = { kind: 'JWKS', provider: { url, issuer: ISS, audience: 'web' } };
  expect(await errorOf(guarded, CREATE, { input })).toEqual(refused);
  const i = await createIssuer(guarded, {
    kind: 'JWKS',
    provider: { url: 'https://name.invalid/keys', issuer: ISS, audience: 'web' },
  });
  expect(await errorOf(guarded, UPDATE, { i, input: { provider: { url } } })).toEqual(refused);
});

test('does not fetch keys from a host name that later resolves to a private address', async () => {
  const failures: unknown[] = [];
  const providers = createProviders({
    clock: createManualClock(Date.now()),
    onFetchFailed: (_, error) => failures.push(error),
  });
  const issuer = {
    id: 'issuer_1',
    provider: {
      url: server.url.replace('127.0.0.1', 'localhost'),
      issuer: ISS,
      audiences: ['web'],
      algorithms: ['RS256'],
      claims: { identity: 'sub', audience: 'aud', role: null, grants: null, connectionData: null },
    },
  };
  const credential = await sign({ sub: 'ada', aud: 'web' });
  await expect(
    providers.verify(credential, issuer as never, { now: Date.now(), maxGrants: 1 }),
  ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(failures).toMatchObject([{ message: expect.stringContaining('private address') as string }]);
  expect(server.requestedPaths).toEqual([]);
});

const vonage = generateKeyPairSync('rsa', { modulusLength: 2048 });
const APPLICATION = '78d335fa-323d-0114-9c3d-d6f0d48968cf';
const PEM = vonage.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const SESSION = '2_MX43OGQzMzVmYS0zMjNkLTAxMTQtOWMzZC1kNmYwZDQ4OTY4Y2Z-fjE3-fg';

/** As `@vonage/video` lays its client tokens out (packages/video/lib/video.ts, generateClientToken). */
function vonageToken(claims: object = {}, alg = 'RS256'): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode({
    application_id: APPLICATION,
    scope: 'session.connect',
    session_id: SESSION,
    role: 'publisher',
    sub: 'video',
    acl: { paths: { '/session/**': {} } },
    initial_layout_class_list: '',
    jti: 'a6f1c2d0',
    iat: now,
    exp: now + 3600,
    ...claims,
  })}`;
  const signature =
    alg === 'RS256'
      ? createSign('sha256').update(signed).sign(vonage.privateKey).toString('base64url')
      : createHmac('sha256', PEM).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

test('a Vonage application opens its session as an OPENTOK issuer with a public key', async () => {
  const issuer = await createIssuer(signalbox, { kind: 'OPENTOK', key: { id: APPLICATION, publicKey: PEM } });
  expect(await tokenOf(signalbox, vonageToken({ role: 'moderator', connection_data: 'Ada' }))).toMatchObject({
    issuer,
    role: 'MODERATOR',
    connectionData: 'Ada',
    claimedGrants: [{ channels: SESSION }],
  });
  for (const forged of [
    vonageToken({}, 'HS256'),
    vonageToken({ application_id: 'other' }),
    vonageToken({ scope: undefined }),
    vonageToken({ iss: APPLICATION, application_id: 'other' }),
    vonageToken().slice(0, -4),
    vonageToken({ exp: Math.floor(Date.now() / 1000) + 31 * 86_400 }),
  ])
    expect(await refusalMessageOf(signalbox, forged)).toMatch('The credential is refused');
});

test('createIssuer refuses a public key as a secret, a weak or wrong public key, and both at once', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    type: 'spki',
    format: 'pem',
  });
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    type: 'spki',
    format: 'pem',
  });
  const privatePem = vonage.privateKey.export({ type: 'pkcs8', format: 'pem' });
  for (const [kind, key, field] of [
    ['OPENTOK', { secret: PEM }, 'secret'],
    ['STREAM', { secret: PEM }, 'secret'],
    ['OPENTOK', {}, 'secret'],
    ['OPENTOK', { secret: 'a', publicKey: PEM }, 'secret'],
    ['STREAM', { publicKey: PEM }, 'publicKey'],
    ['OPENTOK', { publicKey: weak }, 'publicKey'],
    ['OPENTOK', { publicKey: elliptic }, 'publicKey'],
    ['OPENTOK', { publicKey: privatePem }, 'publicKey'],
    ['OPENTOK', { publicKey: 'x' }, 'publicKey'],
  ] as const)
    expect(await errorOf(signalbox, CREATE, { input: { kind, key: { id: APPLICATION, ...key } } })).toEqual({
      code: 'BAD_USER_INPUT',
      field: `input.key.${field}`,
    });
});

test('a credential may be as long as the setting allows, over HTTP and WebSocket', async () => {
  await using small = await startService({ maxCredentialBytes: 2048 });
  await createIssuer(small, provider({ audience: 'web' }));
  await createIssuer(signalbox, provider({ audience: 'web' }));
  const roles = Array.from({ length: 700 }, (_, n) => `application-role-${n}`);
  const credential = await sign({ sub: 'ada', aud: 'web', roles });
  expect(credential.length).toBeGreaterThan(16_384);
  expect(await tokenOf(signalbox, credential)).toMatchObject({ identity: 'ada' });
  using _ = await connectSocket(signalbox, { token: credential });
  expect(
    await refusalMessageOf(small, await sign({ sub: 'ada', aud: 'web', roles: roles.slice(0, 150) })),
  ).toMatch('longer than 2048 bytes');
});
