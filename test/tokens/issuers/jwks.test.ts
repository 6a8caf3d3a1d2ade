import { importJWK } from 'jose';
import { expect, test } from 'vitest';
import { type ClaimMap, JWKS_ALGORITHMS, type JwksAlgorithm } from '../../../src/tokens/issuers/issuer.ts';
import { forge } from '../../support/forge.ts';
import {
  HOUR,
  INVALID_SIGNATURE,
  ISSUER,
  setUpJwksVerifier,
  START,
  SUB,
} from '../../support/jwks-verifier.ts';
import { startProvider } from '../../support/provider.ts';

const jwks = setUpJwksVerifier();

test('accepts a JWT that a key of the provider signed', async () => {
  expect(await jwks.present(await jwks.first.sign({ iat: jwks.seconds() }))).toEqual({
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
  const signer = await jwks.createSigner('x', alg);
  jwks.server.publish([signer.jwk]);
  const credential = await signer.sign();
  expect(await jwks.refusal(credential, { algorithms: [alg] })).toBe('accepted');
  const others = JWKS_ALGORITHMS.filter((name) => name !== alg);
  expect(await jwks.refusal(credential, { algorithms: others })).toBe(INVALID_SIGNATURE);
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
  expect((await jwks.present(await jwks.first.sign(payload), { claims })).claims).toMatchObject({
    subject: 'ann@example.com',
    identity: 'ann@example.com',
    role: 'MODERATOR',
    grants: [{ channels: 'game:*', actions: ['PUBLISH'] }],
    connectionData: 'Ann',
  });
  const inherited = { ...SUB, role: 'constructor', grants: '/user/toString', connectionData: '__proto__' };
  expect((await jwks.present(await jwks.first.sign(), { claims: inherited })).claims).toMatchObject({
    role: null,
    grants: null,
    connectionData: null,
  });
  const withoutClaims = await jwks.present(await jwks.first.sign({ user: { 'e/mail': 'ann' } }), { claims });
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
  const refused = jwks.refusal(jwks.first.sign({ ...payload }), { claims: { ...SUB, identity } });
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
  expect(await jwks.refusal(jwks.first.sign(payload))).toMatch('UNAUTHENTICATED');
});

test.each<[keyof ClaimMap, unknown]>([
  ['role', 1],
  ['grants', [{ channels: '*' }]],
  ['grants', Array.from({ length: 11 }, () => ({ channels: 'a', actions: [] }))],
  ['connectionData', 'x'.repeat(1001)],
  ['connectionData', { name: 'Ann' }],
])('refuses a malformed %s claim', async (claim, value) => {
  expect(await jwks.refusal(jwks.first.sign({ x: value }), { claims: { ...SUB, [claim]: 'x' } })).toMatch(
    'UNAUTHENTICATED',
  );
});

test('accepts an aud list that contains the audience, and refuses an expired JWT', async () => {
  expect(await jwks.refusal(jwks.first.sign({ aud: ['other', 'app'] }))).toBe('accepted');
  expect(await jwks.refusal(jwks.first.sign({ exp: jwks.seconds() }))).toMatch('TOKEN_EXPIRED');
  expect(await jwks.refusal(jwks.first.sign({ exp: jwks.seconds(), aud: 'other' }))).toMatch(
    'UNAUTHENTICATED',
  );
});

test('never uses a public key as an HMAC secret', async () => {
  const rsa = await jwks.createSigner('1', 'RS256');
  const oct = { kty: 'oct', k: Buffer.from('known to all').toString('base64url'), kid: '3' };
  jwks.server.publish([rsa.jwk, oct]);
  const key: any = await importJWK(rsa.jwk, 'RS256');
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', key));
  const pem = `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`;
  const payload = { iss: ISSUER, aud: 'app', sub: 'ann', exp: jwks.seconds() + 60 };
  const algorithms = [...JWKS_ALGORITHMS, 'HS256'] as JwksAlgorithm[];
  for (const secret of [pem, spki, JSON.stringify(rsa.jwk), String(rsa.jwk['n']), 'known to all', '']) {
    for (const kid of ['1', '3', undefined]) {
      const credential = forge({ alg: 'HS256', typ: 'JWT', kid }, payload, secret);
      expect(await jwks.refusal(credential, { algorithms })).toBe(INVALID_SIGNATURE);
    }
  }
  expect(jwks.server.requestedPaths).toEqual([]);
  expect(await jwks.refusal(rsa.sign(), { algorithms })).toBe('accepted');
});

test('ignores keys and key URLs in the header', async () => {
  await using attacker = await startProvider();
  attacker.publish([jwks.second.jwk]);
  const header = { jku: attacker.url, x5u: attacker.url, jwk: jwks.second.jwk, x5c: ['AAAA'] };
  expect(await jwks.refusal(jwks.second.sign({}, { ...header, kid: '1' }))).toBe(INVALID_SIGNATURE);
  expect(await jwks.refusal(jwks.second.sign({}, header))).toBe(INVALID_SIGNATURE);
  expect(await jwks.refusal(jwks.first.sign({}, header))).toBe('accepted');
  expect(attacker.requestedPaths).toEqual([]);
});

test('refuses a JWT that is unsigned, has a changed signature or has critical extensions', async () => {
  const credential = await jwks.first.sign();
  const [header, payload, signature] = credential.split('.');
  const payloadOf = { iss: ISSUER, aud: 'app', sub: 'ann', exp: jwks.seconds() + 60 };
  for (const alg of ['none', 'NONE', 'nOnE', '', 'es256', 'ES256 ']) {
    expect(await jwks.refusal(forge({ alg, kid: '1' }, payloadOf))).toMatch('UNAUTHENTICATED');
  }
  const changed = (signature![0] === 'A' ? 'B' : 'A') + signature!.slice(1);
  for (const signature of ['', changed]) {
    expect(await jwks.refusal(`${header}.${payload}.${signature}`)).toBe(INVALID_SIGNATURE);
  }
  expect(await jwks.refusal(forge({ alg: 'ES256', kid: '1', crit: ['b64'], b64: false }, payloadOf))).toMatch(
    'extensions',
  );
});
