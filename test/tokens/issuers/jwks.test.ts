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
const SUB: ClaimMap = { identity: 'sub', role: null, grants: null, connectionData: null };

/** A key pair, and what it signs: a good token unless told otherwise. */
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
  // jose counts its cooldown by the system's clock.
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  clock = createManualClock(START);
  server = await startProvider();
  server.publish([first!.jwk]);
  failures = [];
  const onFetchFailed = (_: string, error: unknown) => failures.push((error as Error).message);
  providers = createProviders({ clock, timeoutMs: 2000, onFetchFailed });
});
afterEach(async () => {
  vi.useRealTimers();
  await server[Symbol.asyncDispose]();
});

/** Both clocks: ours, and the system's. */
async function pass(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await clock.advance(ms);
}

const issuer = (parts: Partial<Provider> = {}, id = 'issuer_1') =>
  makeIssuer('JWKS', {
    id,
    provider: {
      url: server.url,
      issuer: ISSUER,
      audience: 'app',
      algorithms: ['ES256'],
      claims: SUB,
      ...parts,
    },
  });
const present = (credential: string, parts?: Partial<Provider>, id?: string) =>
  providers.verify(credential, issuer(parts, id), { now: clock.now(), maxGrants: 10 });
const refusal = async (credential: string | Promise<string>, parts?: Partial<Provider>) => {
  const text = await credential;
  return refusalOf(() => present(text, parts));
};
const UNSIGNED = 'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it.';

test('what a provider signed is taken', async () => {
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
      isOneCredential: false,
    },
  });
});

test.each(JWKS_ALGORITHMS)('%s is taken where it is agreed on, and nowhere else', async (alg) => {
  const signer = await createSigner('x', alg);
  server.publish([signer.jwk]);
  const credential = await signer.sign();
  expect(await refusal(credential, { algorithms: [alg] })).toBe('accepted');
  const others = JWKS_ALGORITHMS.filter((name) => name !== alg);
  expect(await refusal(credential, { algorithms: others })).toBe(UNSIGNED);
});

test('its claims are found by name and by pointer', async () => {
  const claims = {
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
  const silent = await present(await first!.sign({ user: { 'e/mail': 'ann' } }), { claims });
  expect(silent.claims).toMatchObject({ role: null, grants: null, connectionData: null });
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
])('“%s” finds no identity', async (identity, payload) => {
  const found = refusal(first!.sign({ ...payload }), { claims: { ...SUB, identity } });
  expect(await found).toMatch(/^UNAUTHENTICATED: The credential is refused: its “/);
});

test.each([
  ['another iss', { iss: 'https://id.example' }],
  ['an iss in a list', { iss: [ISSUER] }],
  ['no iss', { iss: undefined }],
  ['another aud', { aud: 'app2' }],
  ['no aud', { aud: undefined }],
  ['an aud among which ours is not', { aud: ['app2', ['app']] }],
  ['no exp', { exp: undefined }],
  ['an exp in text', { exp: '9999999999' }],
  ['an iat in the future', { iat: START / 1000 + 6 }],
  ['an nbf in the future', { nbf: START / 1000 + 6 }],
  ['an identity with a blank', { sub: 'a b' }],
])('even signed, %s is refused', async (_, payload) => {
  expect(await refusal(first!.sign(payload))).toMatch('UNAUTHENTICATED');
});

test.each<[keyof ClaimMap, unknown]>([
  ['role', 1],
  ['role', ['MODERATOR']],
  ['grants', [{ channels: '*' }]],
  ['grants', Array.from({ length: 11 }, () => ({ channels: 'a', actions: [] }))],
  ['connectionData', 'x'.repeat(1001)],
  ['connectionData', { name: 'Ann' }],
])('a %s of another shape is refused', async (claim, value) => {
  expect(await refusal(first!.sign({ x: value }), { claims: { ...SUB, [claim]: 'x' } })).toMatch(
    'UNAUTHENTICATED',
  );
});

test('an audience may be one of several; an end is an end', async () => {
  expect(await refusal(first!.sign({ aud: ['other', 'app'] }))).toBe('accepted');
  expect(await refusal(first!.sign({ exp: seconds() }))).toMatch('TOKEN_EXPIRED');
  expect(await refusal(first!.sign({ exp: seconds(), aud: 'other' }))).toMatch('UNAUTHENTICATED');
});

test('a public key is no secret', async () => {
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
      expect(await refusal(credential, { algorithms })).toBe(UNSIGNED);
    }
  }
  expect(server.requestedPaths).toEqual([]);
  expect(await refusal(rsa.sign(), { algorithms })).toBe('accepted');
});

test('the keys, and the addresses of keys, in a header are never looked at', async () => {
  await using evil = await startProvider();
  evil.publish([second!.jwk]);
  const header = { jku: evil.url, x5u: evil.url, jwk: second!.jwk, x5c: ['AAAA'] };
  expect(await refusal(second!.sign({}, { ...header, kid: '1' }))).toBe(UNSIGNED);
  expect(await refusal(second!.sign({}, header))).toBe(UNSIGNED);
  expect(await refusal(first!.sign({}, header))).toBe('accepted');
  expect(evil.requestedPaths).toEqual([]);
});

test('an unsigned one, one with its signature changed, and one with extensions are refused', async () => {
  const credential = await first!.sign();
  const [header, payload, signature] = credential.split('.');
  const payloadOf = { iss: ISSUER, aud: 'app', sub: 'ann', exp: seconds() + 60 };
  for (const alg of ['none', 'NONE', 'nOnE', '', 'es256', 'ES256 ']) {
    expect(await refusal(forge({ alg, kid: '1' }, payloadOf))).toMatch('UNAUTHENTICATED');
  }
  const changed = (signature![0] === 'A' ? 'B' : 'A') + signature!.slice(1);
  for (const signature of ['', changed]) {
    expect(await refusal(`${header}.${payload}.${signature}`)).toBe(UNSIGNED);
  }
  expect(await refusal(forge({ alg: 'ES256', kid: '1', crit: ['b64'], b64: false }, payloadOf))).toMatch(
    'extensions',
  );
});

test('whoever asks at once, asks once; what was fetched serves for ten minutes', async () => {
  const credential = await first!.sign();
  await Promise.all(Array.from({ length: 20 }, () => present(credential)));
  await pass(10 * MINUTE - 1);
  await present(credential);
  expect(server.requestedPaths).toEqual(['/keys']);
  await pass(1);
  await present(credential);
  expect(server.requestedPaths).toHaveLength(2);
});

test('a new key is found when it is first used, an old one is gone within ten minutes', async () => {
  await present(await first!.sign());
  server.publish([second!.jwk]);
  const [old, young] = [await first!.sign(), await second!.sign()];
  expect(await refusal(young)).toBe(UNSIGNED);
  expect(server.requestedPaths).toHaveLength(1);
  await pass(30_000);
  expect(await refusal(young)).toBe('accepted');
  expect(server.requestedPaths).toHaveLength(2);
  expect(await refusal(old)).toBe(UNSIGNED);
});

test('a key that is taken back without another serves for ten minutes at most', async () => {
  const credential = await first!.sign();
  await present(credential);
  server.publish([]);
  await pass(10 * MINUTE - 1);
  expect(await refusal(credential)).toBe('accepted');
  await pass(1);
  expect(await refusal(credential)).toBe(UNSIGNED);
});

test('unknown keys do not make us fetch, but once in thirty seconds', async () => {
  await present(await first!.sign());
  const unknown = await Promise.all(
    Array.from({ length: 30 }, (_, index) => first!.sign({}, { kid: `x${index}` })),
  );
  for (let round = 1; round <= 3; round++) {
    await pass(30_000);
    for (const credential of unknown) expect(await refusal(credential)).toBe(UNSIGNED);
    await Promise.all(unknown.map((credential) => refusal(credential)));
    expect(server.requestedPaths).toHaveLength(1 + round);
  }
});

test('what is not of this provider does not make us fetch', async () => {
  await refusal(first!.sign({ iss: 'https://evil.example/' }));
  await refusal(first!.sign(), { algorithms: ['RS256'] });
  await refusal(forge({ alg: 'ES256', kid: 1 }, { iss: ISSUER }));
  await refusal('a.b.c');
  expect(server.requestedPaths).toEqual([]);
});

test('without a kid the key must be the only one that it may be', async () => {
  const credential = await first!.sign({}, { kid: undefined });
  expect(await refusal(credential)).toBe('accepted');
  server.publish([first!.jwk, second!.jwk]);
  await pass(10 * MINUTE);
  expect(await refusal(credential)).toMatch('it does not say which key signed it');
});

const UNAVAILABLE = /^UNAVAILABLE/;
const down = () => server.answer((_, response) => response.writeHead(503).end('{"keys":[]}'));

test('through an outage the last keys serve for a day, and nobody waits for new ones', async () => {
  const credential = await first!.sign({ exp: seconds() + 90_000 });
  await present(credential);
  down();
  await pass(10 * MINUTE);
  expect(await refusal(credential)).toBe('accepted');
  expect(failures).toEqual(['The answer was 503, not 200.']);

  // Hanging from now on: whoever waited for it would wait for the time-out.
  const asked = new Promise<ServerResponse>((resolve) => server.answer((_, response) => resolve(response)));
  await pass(4999);
  expect(await refusal(credential)).toBe('accepted');
  expect(server.requestedPaths).toHaveLength(2);
  await pass(1);
  expect(await refusal(credential)).toBe('accepted');
  const response = await asked;
  expect(await refusal(credential)).toBe('accepted');
  expect(failures).toHaveLength(1);
  response.destroy();
  await vi.waitFor(() => expect(failures).toHaveLength(2));

  down();
  await pass(24 * HOUR - 10 * MINUTE - 5001);
  expect(await refusal(credential)).toBe('accepted');
  await vi.waitFor(() => expect(failures).toHaveLength(3));
  await pass(1);
  expect(await refusal(credential)).toMatch(UNAVAILABLE);
  server.publish([first!.jwk]);
  expect(await refusal(credential)).toMatch(UNAVAILABLE);
  await pass(5000);
  expect(await refusal(credential)).toBe('accepted');
  // The outage is over: what is due is waited for again.
  server.publish([]);
  await pass(10 * MINUTE);
  expect(await refusal(credential)).toBe(UNSIGNED);
});

test('in an outage a new key is not called wrong, and is not asked for in a loop', async () => {
  await present(await first!.sign());
  down();
  await pass(MINUTE);
  const young = await second!.sign();
  for (let round = 0; round < 10; round++) expect(await refusal(young)).toMatch(UNAVAILABLE);
  expect(server.requestedPaths).toHaveLength(2);
  expect(await refusal(first!.sign())).toBe('accepted');
  await pass(5000);
  server.publish([first!.jwk, second!.jwk]);
  expect(await refusal(young)).toBe('accepted');
});

test('where nothing was ever fetched an outage is one, and asked about every five seconds', async () => {
  down();
  const credential = await first!.sign();
  for (let round = 1; round <= 3; round++) {
    for (let turn = 0; turn < 10; turn++) expect(await refusal(credential)).toMatch(UNAVAILABLE);
    expect(server.requestedPaths).toHaveLength(round);
    await pass(5000);
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
  ['no JSON', [200, {}, '<html>'], /JSON/],
  ['no keys', json({}), /no JSON Web Key Set/],
  ['keys that are an object', json({ keys: { length: 0 } }), /no JSON Web Key Set/],
  ['a key that is null', json({ keys: [null] }), /no JSON Web Key Set/],
  ['null', json(null), /no JSON Web Key Set/],
  ['another status', json({ keys: [] }, 203), /was 203/],
])('a provider that answers with %s has not answered', async (_, [status, headers, body], why) => {
  server.answer((_, response) => response.writeHead(status, headers).end(body));
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(failures).toEqual([expect.stringMatching(why)]);
});

test('as many keys and bytes as are allowed are taken', async () => {
  server.answer((_, response) => {
    const text = JSON.stringify({ keys: [first!.jwk, ...KEY_LIST(99)] });
    response.end(text.padEnd(256 * 1024));
  });
  expect(await refusal(first!.sign())).toBe('accepted');
});

test('an answer without end is not read to its end', async () => {
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

test('an answer that is not 200 is not read', async () => {
  // So long that it is not the time-out that ends it.
  providers = createProviders({ clock, timeoutMs: 600_000 });
  const closed = new Promise<void>((resolve) =>
    server.answer((_, response) => response.on('close', resolve).writeHead(500).write('…')),
  );
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  await closed;
});

test('a redirect is not followed', async () => {
  server.answer((request, response) => {
    if (request.url === '/keys') response.writeHead(302, { location: '/other' }).end();
    else response.end(JSON.stringify({ keys: [first!.jwk] }));
  });
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(server.requestedPaths).toEqual(['/keys']);
  expect(failures).toEqual(['The answer was 302, not 200.']);
});

test.each<[string, (response: any) => void]>([
  ['does not answer', () => undefined],
  ['begins to answer, and stops', (response) => response.write('{"keys":')],
])('a provider that %s is not waited for longer than the time-out', async (_, answer) => {
  providers = createProviders({ clock, timeoutMs: 100, onFetchFailed: (url) => failures.push(url) });
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

test('a provider that breaks off in the middle has not answered', async () => {
  server.answer((_, response) => response.write('{"keys":[', () => server.reset()));
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  await pass(5000);
  server.answer((_, response) => response.write('{"keys":[', () => response.destroy()));
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
});

test('a provider whose certificate nobody vouches for has not answered', async () => {
  trust[Symbol.dispose]();
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
  expect(server.requestedPaths).toEqual([]);
  trust = trustCertificate();
});

test('a key that is broken is no fault of the credential', async () => {
  server.publish([{ ...first!.jwk, x: 'AAAA' }]);
  expect(await refusal(first!.sign())).toMatch(UNAVAILABLE);
});

test('keys are fetched by https only', async () => {
  const credential = await first!.sign();
  for (const url of [server.url.replace('https', 'http'), 'file:///etc/passwd', 'data:,{}', 'keys']) {
    await expect(present(credential, { url })).rejects.toThrow(TypeError);
  }
  const none = providers.verify(credential, makeIssuer('JWKS'), { now: START, maxGrants: 1 });
  await expect(none).rejects.toThrow(TypeError);
});

test('each issuer has keys of its own, of a thousand at most', async () => {
  const credential = await first!.sign();
  const touch = async (count: number) => {
    for (let index = 0; index < count; index++) {
      await present(forge({ alg: 'ES256' }, {}), {}, `issuer_other_${index}`).catch(() => undefined);
    }
  };
  await present(credential);
  await touch(999);
  await present(credential);
  expect(server.requestedPaths).toHaveLength(1);
  await present(credential, {}, 'issuer_new');
  await present(credential);
  expect(server.requestedPaths).toHaveLength(2);
  await touch(1000);
  await present(credential);
  expect(server.requestedPaths).toHaveLength(3);
});
