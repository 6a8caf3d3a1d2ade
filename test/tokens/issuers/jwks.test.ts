import { type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import {
  type ClaimMap,
  JWKS_ALGORITHMS,
  type JwksAlgorithm,
  type Provider,
} from '../../../src/tokens/issuers/issuer.ts';
import { createProviders, type Providers } from '../../../src/tokens/issuers/jwks.ts';
import { createManualClock, type ManualClock } from '../../support/clock.ts';
import { forge } from '../../support/forge.ts';
import { makeIssuer, refusalOf } from '../../support/issuers.ts';
import { type ProviderServer, startProvider, trustCertificate } from '../../support/provider.ts';

const START = Date.UTC(2030, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ISSUER = 'https://id.example/';
const SUB: ClaimMap = { audience: 'aud', identity: 'sub', role: null, grants: null, connectionData: null };

/** A key pair that signs JWTs; they are valid unless `payload` or `header` says otherwise. */
async function createSigner(kid: string, alg: string = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig' };
  return {
    jwk: jwk as Record<string, unknown>,
    sign: (payload: object = {}, header: object = {}) =>
      new SignJWT({ iss: ISSUER, aud: 'app', sub: 'ann', exp: seconds() + 3600, ...payload })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
  };
}
type Signer = Awaited<ReturnType<typeof createSigner>>;

let trust: Disposable;
let [first, second]: Signer[] = [];
let clock: ManualClock;
let server: ProviderServer;
let providers: Providers;
let failures: string[];
const seconds = () => clock.now() / 1000;

beforeAll(async () => {
  trust = trustCertificate();
  clock = createManualClock(START);
  [first, second] = [await createSigner('1'), await createSigner('2')];
});
afterAll(() => trust[Symbol.dispose]());

beforeEach(async () => {
  // jose measures its cooldown by the system clock.
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  clock = createManualClock(START);
  server = await startProvider();
  server.publish([first!.jwk]);
  failures = [];
  const onFetchFailed = (_: string, error: unknown) => failures.push((error as Error).message);
  providers = createProviders({ clock, allowsPrivateAddress: true, timeoutMs: 2000, onFetchFailed });
});
afterEach(async () => {
  vi.useRealTimers();
  await server[Symbol.asyncDispose]();
});

/** Advances the injected clock and the system clock. */
async function advance(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await clock.advance(ms);
}

const issuer = (overrides: Partial<Provider> = {}, id = 'issuer_1') =>
  makeIssuer('JWKS', {
    id,
    provider: {
      url: server.url,
      issuer: ISSUER,
      audiences: ['app'],
      algorithms: ['ES256'],
      claims: SUB,
      ...overrides,
    },
  });
const present = (credential: string, overrides?: Partial<Provider>, id?: string) =>
  providers.verify(credential, issuer(overrides, id), { now: clock.now(), maxGrants: 10 });
const refusal = async (credential: string | Promise<string>, overrides?: Partial<Provider>) => {
  const text = await credential;
  return refusalOf(() => present(text, overrides));
};
const INVALID_SIGNATURE =
  'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it; check the id of the key, the secret and the algorithm.';

test('accepts a JWT that a key of the provider signed', async () => {
  expect(await present(await first!.sign({ iat: seconds() }))).toEqual({
    key: null,
    claims: {
      subject: 'ann',
      identity: 'ann',
      role: null,
      grants: null,
      connectionData: null,
      channels: [],
      issuedAt: START,
      expiresAt: START + HOUR,
      isSingleCredential: false,
    },
  });
});

test.each(JWKS_ALGORITHMS)('accepts %s only when the issuer lists it', async (alg) => {
  const signer = await createSigner('x', alg);
  server.publish([signer.jwk]);
  const credential = await signer.sign();
  expect(await refusal(credential, { algorithms: [alg] })).toBe('accepted');
  const others = JWKS_ALGORITHMS.filter((name) => name !== alg);
  expect(await refusal(credential, { algorithms: others })).toBe(INVALID_SIGNATURE);
});

test('reads claims by name and by JSON pointer', async () => {
  const claims = {
    audience: 'aud',
    identity: '/user/e~1mail',
    role: '/realm_access/roles/1',
    grants: 'https://app.example/grants',
    connectionData: '/user/~0name',
  };
  const payload = {
    user: { 'e/mail': 'ann@example.com', '~name': 'Ann' },
    realm_access: { roles: ['a', 'MODERATOR'] },
    'https://app.example/grants': [{ channels: 'game:*', actions: ['PUBLISH'] }],
  };
  expect((await present(await first!.sign(payload), { claims })).claims).toMatchObject({
    subject: 'ann@example.com',
    identity: 'ann@example.com',
    role: 'MODERATOR',
    grants: [{ channels: 'game:*', actions: ['PUBLISH'] }],
    connectionData: 'Ann',
  });
  const inherited = { ...SUB, role: 'constructor', grants: '/user/toString', connectionData: '__proto__' };
  expect((await present(await first!.sign(), { claims: inherited })).claims).toMatchObject({
    role: null,
    grants: null,
    connectionData: null,
  });
  const withoutClaims = await present(await first!.sign({ user: { 'e/mail': 'ann' } }), { claims });
  expect(withoutClaims.claims).toMatchObject({ role: null, grants: null, connectionData: null });
});

test.each([
  ['constructor', {}],
  ['__proto__', {}],
  ['/__proto__/constructor/name', {}],
  ['/constructor/name', {}],
  ['/sub/0', {}],
  ['/list/length', { list: ['a'] }],
  ['/list/-', { list: ['a'] }],
  ['/list/00', { list: ['a'] }],
  ['/list/at/name', { list: ['a'] }],
  ['/', {}],
  ['/nothing/at/all', {}],
  ['number', { number: 42 }],
  ['empty', { empty: '' }],
  ['list', { list: ['ann'] }],
  ['null', { null: null }],
  ['/a.b', { a: { b: 'ann' } }],
])('refuses a JWT when the identity claim “%s” is absent or not a string', async (identity, payload) => {
  const refused = refusal(first!.sign({ ...payload }), { claims: { ...SUB, identity } });
  expect(await refused).toMatch(/^UNAUTHENTICATED: The credential is refused: its “/);
});

test.each([
  ['another iss', { iss: 'https://id.example' }],
  ['an iss in a list', { iss: [ISSUER] }],
  ['no iss', { iss: undefined }],
  ['another aud', { aud: 'app2' }],
  ['no aud', { aud: undefined }],
  ['an aud list without the audience', { aud: ['app2', ['app']] }],
  ['no exp', { exp: undefined }],
  ['an exp that is a string', { exp: '9999999999' }],
  ['an iat in the future', { iat: START / 1000 + 6 }],
  ['an nbf in the future', { nbf: START / 1000 + 6 }],
  ['an identity with a space', { sub: 'a b' }],
])('refuses a signed JWT with %s', async (_, payload) => {
  expect(await refusal(first!.sign(payload))).toMatch('UNAUTHENTICATED');
});

test.each<[keyof ClaimMap, unknown]>([
  ['role', 1],
  ['grants', [{ channels: '*' }]],
  ['grants', Array.from({ length: 11 }, () => ({ channels: 'a', actions: [] }))],
  ['connectionData', 'x'.repeat(1001)],
  ['connectionData', { name: 'Ann' }],
])('refuses a malformed %s claim', async (claim, value) => {
  expect(await refusal(first!.sign({ x: value }), { claims: { ...SUB, [claim]: 'x' } })).toMatch(
    'UNAUTHENTICATED',
  );
});

test('accepts an aud list that contains the audience, and refuses an expired JWT', async () => {
  expect(await refusal(first!.sign({ aud: ['other', 'app'] }))).toBe('accepted');
  expect(await refusal(first!.sign({ exp: seconds() }))).toMatch('TOKEN_EXPIRED');
  expect(await refusal(first!.sign({ exp: seconds(), aud: 'other' }))).toMatch('UNAUTHENTICATED');
});

test('never uses a public key as an HMAC secret', async () => {
  const rsa = await createSigner('1', 'RS256');
  const oct = { kty: 'oct', k: Buffer.from('known to all').toString('base64url'), kid: '3' };
  server.publish([rsa.jwk, oct]);
  const key: any = await importJWK(rsa.jwk, 'RS256');
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', key));
  const pem = `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`;
  const payload = { iss: ISSUER, aud: 'app', sub: 'ann', exp: seconds() + 60 };
  const algorithms = [...JWKS_ALGORITHMS, 'HS256'] as JwksAlgorithm[];
  for (const secret of [pem, spki, JSON.stringify(rsa.jwk), String(rsa.jwk['n']), 'known to all', '']) {
    for (const kid of ['1', '3', undefined]) {
      const credential = forge({ alg: 'HS256', typ: 'JWT', kid }, payload, secret);
      expect(await refusal(credential, { algorithms })).toBe(INVALID_SIGNATURE);
    }
  }
  expect(server.requestedPaths).toEqual([]);
  expect(await refusal(rsa.sign(), { algorithms })).toBe('accepted');
});

test('ignores keys and key URLs in the header', async () => {
  await using attacker = await startProvider();
  attacker.publish([second!.jwk]);
  const header = { jku: attacker.url, x5u: attacker.url, jwk: second!.jwk, x5c: ['AAAA'] };
  expect(await refusal(second!.sign({}, { ...header, kid: '1' }))).toBe(INVALID_SIGNATURE);
  expect(await refusal(second!.sign({}, header))).toBe(INVALID_SIGNATURE);
  expect(await refusal(first!.sign({}, header))).toBe('accepted');
  expect(attacker.requestedPaths).toEqual([]);
});

test('refuses a JWT that is unsigned, has a changed signature or has critical extensions', async () => {
  const credential = await first!.sign();
  const [header, payload, signature] = credential.split('.');
  const payloadOf = { iss: ISSUER, aud: 'app', sub: 'ann', exp: seconds() + 60 };
  for (const alg of ['none', 'NONE', 'nOnE', '', 'es256', 'ES256 ']) {
    expect(await refusal(forge({ alg, kid: '1' }, payloadOf))).toMatch('UNAUTHENTICATED');
  }
  const changed = (signature![0] === 'A' ? 'B' : 'A') + signature!.slice(1);
  for (const signature of ['', changed]) {
    expect(await refusal(`${header}.${payload}.${signature}`)).toBe(INVALID_SIGNATURE);
  }
  expect(await refusal(forge({ alg: 'ES256', kid: '1', crit: ['b64'], b64: false }, payloadOf))).toMatch(
    'extensions',
  );
});

test('fetches the keys once for concurrent credentials, and again after ten minutes', async () => {
  const credential = await first!.sign();
  await Promise.all(Array.from({ length: 20 }, () => present(credential)));
  await advance(10 * MINUTE - 1);
  await present(credential);
  expect(server.requestedPaths).toEqual(['/keys']);
  await advance(1);
  await present(credential);
  expect(server.requestedPaths).toHaveLength(2);
});

test('fetches early for a new key of the provider, and refuses the removed key then', async () => {
  await present(await first!.sign());
  server.publish([second!.jwk]);
  expect(await refusal(second!.sign())).toBe('accepted');
  expect(server.requestedPaths).toHaveLength(2);
  await advance(30_000);
  expect(await refusal(first!.sign())).toBe(INVALID_SIGNATURE);
});

test('throws UNAVAILABLE with the rest of the interval for a new key when the early fetch is used up', async () => {
  await present(await first!.sign());
  expect(await refusal(first!.sign({}, { kid: 'forged' }))).toBe(INVALID_SIGNATURE);
  expect(server.requestedPaths).toHaveLength(2);
  server.publish([second!.jwk, first!.jwk]);
  await advance(10_000);
  await expect(present(await second!.sign())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    fields: { retryAfterSeconds: 20 },
    message: expect.stringContaining('Try again in 20 seconds.'),
  });
  expect(await refusal(first!.sign())).toBe('accepted');
  expect(server.requestedPaths).toHaveLength(2);
  await advance(20_000);
  expect(await refusal(second!.sign())).toBe('accepted');
});

test('refuses a removed key after ten minutes at most', async () => {
  const credential = await first!.sign();
  await present(credential);
  server.publish([]);
  await advance(10 * MINUTE - 1);
  expect(await refusal(credential)).toBe('accepted');
  await advance(1);
  expect(await refusal(credential)).toBe(INVALID_SIGNATURE);
});

test('fetches twice in 30 seconds when credentials name unknown keys', async () => {
  await present(await first!.sign());
  const unknown = await Promise.all(
    Array.from({ length: 30 }, (_, index) => first!.sign({}, { kid: `x${index}` })),
  );
  for (let round = 1; round <= 3; round++) {
    await advance(30_000);
    for (const [index, credential] of unknown.entries())
      expect(await refusal(credential)).toMatch(index < 2 ? INVALID_SIGNATURE : /^UNAVAILABLE/);
    await Promise.all(unknown.map((credential) => refusal(credential)));
    expect(server.requestedPaths).toHaveLength(1 + 2 * round);
  }
});

test('does not fetch for a credential that cannot be of this provider', async () => {
  await refusal(first!.sign({ iss: 'https://evil.example/' }));
  await refusal(first!.sign(), { algorithms: ['RS256'] });
  await refusal(forge({ alg: 'ES256', kid: 1 }, { iss: ISSUER }));
  await refusal('a.b.c');
  expect(server.requestedPaths).toEqual([]);
});

test('accepts a JWT without kid only when exactly one key matches', async () => {
  const credential = await first!.sign({}, { kid: undefined });
  expect(await refusal(credential)).toBe('accepted');
  server.publish([first!.jwk, second!.jwk]);
  await advance(10 * MINUTE);
  expect(await refusal(credential)).toMatch('it does not say which key signed it');
});

const UNAVAILABLE = /^UNAVAILABLE/;
const startOutage = () => server.answer((_, response) => response.writeHead(503).end('{"keys":[]}'));

test('uses the last keys for 24 hours of an outage, without waiting for a fetch', async () => {
  const credential = await first!.sign({ exp: seconds() + 90_000 });
  await present(credential);
  startOutage();
  await advance(10 * MINUTE);
  expect(await refusal(credential)).toBe('accepted');
  expect(failures).toEqual(['The response status was 503, not 200.']);

  // From here on the provider never answers, so waiting for a fetch would last until the time-out.
  const asked = new Promise<ServerResponse>((resolve) => server.answer((_, response) => resolve(response)));
  await advance(4999);
  expect(await refusal(credential)).toBe('accepted');
  expect(server.requestedPaths).toHaveLength(2);
  await advance(1);
  expect(await refusal(credential)).toBe('accepted');
  const response = await asked;
  expect(await refusal(credential)).toBe('accepted');
  expect(failures).toHaveLength(1);
  response.destroy();
  await vi.waitFor(() => expect(failures).toHaveLength(2));

  startOutage();
  await advance(24 * HOUR - 10 * MINUTE - 5001);
  expect(await refusal(credential)).toBe('accepted');
  await vi.waitFor(() => expect(failures).toHaveLength(3));
  await advance(1);
  expect(await refusal(credential)).toMatch(UNAVAILABLE);
  server.publish([first!.jwk]);
  expect(await refusal(credential)).toMatch(UNAVAILABLE);
  await advance(5000);
  expect(await refusal(credential)).toBe('accepted');
  // The outage is over, so verification waits for a fetch that is due.
  server.publish([]);
  await advance(10 * MINUTE);
  expect(await refusal(credential)).toBe(INVALID_SIGNATURE);
});

test('throws UNAVAILABLE for an unknown key during an outage, and fetches every five seconds at most', async () => {
  await present(await first!.sign());
  startOutage();
  await advance(MINUTE);
  const byNewKey = await second!.sign();
  for (let round = 0; round < 10; round++) expect(await refusal(byNewKey)).toMatch(UNAVAILABLE);
  expect(server.requestedPaths).toHaveLength(2);
  expect(await refusal(first!.sign())).toBe('accepted');
  await advance(5000);
  server.publish([first!.jwk, second!.jwk]);
  expect(await refusal(byNewKey)).toBe('accepted');
});

test('throws UNAVAILABLE with retryAfterSeconds when no keys were ever fetched', async () => {
  startOutage();
  const credential = await first!.sign();
  for (let round = 1; round <= 3; round++) {
    for (let turn = 0; turn < 10; turn++) expect(await refusal(credential)).toMatch(UNAVAILABLE);
    expect(server.requestedPaths).toHaveLength(round);
    await advance(5000);
  }
  const error: any = await present(credential).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, fields: { retryAfterSeconds: 5 } });
});

const KEY_LIST = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ kty: 'EC', kid: `k${index}` }));
const json = (body: unknown, status = 200) => [status, {}, JSON.stringify(body)] as const;

test.each<[string, readonly [number, Record<string, string>, string], RegExp]>([
  ['too many keys', json({ keys: KEY_LIST(101) }), /more than 100 keys/],
  ['too many bytes', json({ keys: [], pad: 'x'.repeat(256 * 1024) }), /larger than 262144 bytes/],
  ['a body that is not JSON', [200, {}, '<html>'], /JSON/],
  ['no keys', json({}), /not a JSON Web Key Set/],
  ['keys that are an object', json({ keys: { length: 0 } }), /not a JSON Web Key Set/],
  ['a key that is null', json({ keys: [null] }), /not a JSON Web Key Set/],
  ['null', json(null), /not a JSON Web Key Set/],
  ['the status 203', json({ keys: [] }, 203), /was 203/],
])('throws UNAVAILABLE when the provider answers with %s', async (_, [status, headers, body], reason) => {
  server.answer((_, response) => response.writeHead(status, headers).end(body));
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(failures).toEqual([expect.stringMatching(reason)]);
});

test('accepts a key set of 100 keys and 256 KiB', async () => {
  server.answer((_, response) => {
    const text = JSON.stringify({ keys: [first!.jwk, ...KEY_LIST(99)] });
    response.end(text.padEnd(256 * 1024));
  });
  expect(await refusal(first!.sign())).toBe('accepted');
});

test('stops reading a response without end at 256 KiB', async () => {
  const closed = new Promise<void>((resolve) =>
    server.answer((_, response) => {
      const fill = () => {
        while (response.write(' '.repeat(65_536)));
      };
      response.on('drain', fill).on('close', resolve);
      fill();
    }),
  );
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(failures).toEqual([expect.stringMatching(/larger/)]);
  await closed;
});

test('closes the connection without reading the body when the status is not 200', async () => {
  // Longer than the test, so that the time-out does not close the connection.
  providers = createProviders({ clock, allowsPrivateAddress: true, timeoutMs: 600_000 });
  const closed = new Promise<void>((resolve) =>
    server.answer((_, response) => response.on('close', resolve).writeHead(500).write('…')),
  );
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  await closed;
});

test('does not follow a redirect', async () => {
  server.answer((request, response) => {
    if (request.url === '/keys') response.writeHead(302, { location: '/other' }).end();
    else response.end(JSON.stringify({ keys: [first!.jwk] }));
  });
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(server.requestedPaths).toEqual(['/keys']);
  expect(failures).toEqual(['The response status was 302, not 200.']);
});

test.each<[string, (response: any) => void]>([
  ['does not answer', () => undefined],
  ['stops in the middle of the response', (response) => response.write('{"keys":')],
])('throws UNAVAILABLE after the time-out when the provider %s', async (_, answer) => {
  providers = createProviders({
    clock,
    allowsPrivateAddress: true,
    timeoutMs: 100,
    onFetchFailed: (url) => failures.push(url),
  });
  const closed = new Promise<void>((resolve) =>
    server.answer((_, response) => {
      response.on('close', resolve);
      answer(response);
    }),
  );
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(failures).toEqual([server.url]);
  await closed;
});

test('throws UNAVAILABLE when the provider closes the connection in the middle of the response', async () => {
  server.answer((_, response) => response.write('{"keys":[', () => server.reset()));
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  await advance(5000);
  server.answer((_, response) => response.write('{"keys":[', () => response.destroy()));
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
});

test('throws UNAVAILABLE when the certificate of the provider is not trusted', async () => {
  trust[Symbol.dispose]();
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(server.requestedPaths).toEqual([]);
  trust = trustCertificate();
});

test('throws UNAVAILABLE, not UNAUTHENTICATED, when the key of the provider is malformed', async () => {
  server.publish([{ ...first!.jwk, x: 'AAAA' }]);
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
});

test('throws a TypeError when the URL of the key set is not https', async () => {
  const credential = await first!.sign();
  for (const url of [server.url.replace('https', 'http'), 'file:///etc/passwd', 'data:,{}', 'keys']) {
    await expect(present(credential, { url })).rejects.toThrow(TypeError);
  }
  const withoutProvider = providers.verify(credential, makeIssuer('JWKS'), { now: START, maxGrants: 1 });
  await expect(withoutProvider).rejects.toThrow(TypeError);
});

test('caches a key set for each issuer, and drops the least recently used one beyond 1,000', async () => {
  const credential = await first!.sign();
  const useOthers = async (count: number) => {
    for (let index = 0; index < count; index++) {
      await present(forge({ alg: 'ES256' }, {}), {}, `issuer_other_${index}`).catch(() => undefined);
    }
  };
  await present(credential);
  await useOthers(999);
  await present(credential);
  expect(server.requestedPaths).toHaveLength(1);
  await present(credential, {}, 'issuer_new');
  await present(credential);
  expect(server.requestedPaths).toHaveLength(2);
  await useOthers(1000);
  await present(credential);
  expect(server.requestedPaths).toHaveLength(3);
});
