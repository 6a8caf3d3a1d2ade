import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { forge } from '../../support/forge.ts';
import { createTestVerifier, makeKey, refusalOf } from '../../support/issuers.ts';

const NOW = Date.UTC(2030, 0, 1);
const seconds = NOW / 1000;
const key = makeKey('key_app', 'a secret of 16 bytes or more');
const verifier = createTestVerifier('SIGNALBOX', [key]);
const HEADER = { alg: 'HS256', typ: 'JWT', kid: 'key_app' };
const sign = (
  payload: object | string,
  header: object = {},
  hash = 'sha256',
  secret = 'a secret of 16 bytes or more',
) => forge({ ...HEADER, ...header }, payload, secret, hash);
const refusal = (payload: object | string, header?: object) =>
  refusalOf(() => verifier.verify(sign(payload, header), NOW));

const NO_CLAIMS = {
  role: null,
  grants: null,
  connectionData: null,
  channels: [],
  issuedAt: null,
  expiresAt: null,
  isSingleCredential: false,
};

test('accepts a JWT with sub as its only claim', async () => {
  expect(await verifier.verify(sign({ sub: 'ann' }), NOW)).toEqual({
    key,
    claims: { subject: 'ann', identity: 'ann', ...NO_CLAIMS },
  });
});

test.each([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
])('accepts a JWT signed with %s whose key is named by iss', async (alg, hash) => {
  const credential = sign({ sub: 'ann', iss: 'key_app' }, { alg, kid: undefined }, hash);
  expect((await verifier.verify(credential, NOW)).claims.identity).toBe('ann');
});

test('reads sub, role, grants, data, channels, iat, nbf and exp, and ignores unknown claims', async () => {
  const payload = {
    sub: 'auth0|ann',
    role: 'HOST',
    grants: [
      { channels: 'game:*', actions: ['PUBLISH', 'SUBSCRIBE', 'PUBLISH'] },
      { channels: 'lobby', actions: [], exp: seconds + 30 },
    ],
    data: '{"name":"Ann"}',
    channels: ['game:1', 'lobby', 'game:1'],
    iat: seconds,
    nbf: seconds,
    exp: seconds + 60.5,
    other: ['ignored'],
  };
  expect((await verifier.verify(sign(payload), NOW)).claims).toMatchObject({
    subject: 'auth0|ann',
    identity: 'auth0|ann',
    role: 'HOST',
    grants: [
      { channels: 'game:*', actions: ['SUBSCRIBE', 'PUBLISH'] },
      { channels: 'lobby', actions: [], expiresAt: NOW + 30_000 },
    ],
    connectionData: '{"name":"Ann"}',
    channels: ['game:1', 'lobby'],
    issuedAt: NOW,
    expiresAt: NOW + 60_500,
    isSingleCredential: false,
  });
});

test('refuses claims over the limits of minted tokens', async () => {
  const grants = (count: number) => Array.from({ length: count }, () => ({ channels: 'a', actions: [] }));
  const channels = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  expect(await refusal({ sub: 'ann', grants: grants(50) })).toBe('accepted');
  expect(await refusal({ sub: 'ann', grants: grants(51) })).toMatch(
    'grants: has 51 grants; at most 50 are allowed.',
  );
  expect(await refusal({ sub: 'ann', channels: channels(100) })).toBe('accepted');
  expect(await refusal({ sub: 'ann', channels: channels(101) })).toMatch('a list of at most 100');
  expect(await refusal({ sub: 'ann', data: 'x'.repeat(1000) })).toBe('accepted');
  expect(await refusal({ sub: 'ann', data: 'x'.repeat(1001) })).toMatch('has 1001 characters');
  expect(await refusal({ sub: 'x'.repeat(255) })).toBe('accepted');
  expect(await refusal({ sub: 'x'.repeat(256) })).toMatch('has 256 characters');
});

test.each<[string, object | string]>([
  ['no sub', {}],
  ['an empty sub', { sub: '' }],
  ['a sub that is a number', { sub: 1 }],
  ['a sub with a space', { sub: 'a b' }],
  ['a sub inherited from __proto__', '{"__proto__":{"sub":"ann"}}'],
  ['a role that is a list', { sub: 'ann', role: ['MODERATOR'] }],
  ['an empty role', { sub: 'ann', role: '' }],
  ['a role with a space', { sub: 'ann', role: 'A B' }],
  ['a sub that is null', { sub: null }],
  ['grants that are an object', { sub: 'ann', grants: {} }],
  ['a grant that is null', { sub: 'ann', grants: [null] }],
  ['a grant that is a list', { sub: 'ann', grants: [[]] }],
  ['a grant without actions', { sub: 'ann', grants: [{ channels: 'a' }] }],
  ['a grant without channels', { sub: 'ann', grants: [{ actions: [] }] }],
  ['a grant with an unknown field', { sub: 'ann', grants: [{ channels: 'a', actions: [], until: 1 }] }],
  ['a grant whose actions are a string', { sub: 'ann', grants: [{ channels: 'a', actions: 'PUBLISH' }] }],
  ['an unknown action', { sub: 'ann', grants: [{ channels: 'a', actions: ['publish'] }] }],
  ['an action that is a list', { sub: 'ann', grants: [{ channels: 'a', actions: [['PUBLISH']] }] }],
  ['a grant whose channels are a list', { sub: 'ann', grants: [{ channels: ['a'], actions: [] }] }],
  ['a grant pattern with a space', { sub: 'ann', grants: [{ channels: 'a b', actions: [] }] }],
  [
    'a grant pattern with two wildcards in a segment',
    { sub: 'ann', grants: [{ channels: '*a*', actions: [] }] },
  ],
  ['data that is an object', { sub: 'ann', data: {} }],
  ['data with a control character', { sub: 'ann', data: '\0' }],
  ['channels that are a string', { sub: 'ann', channels: 'a' }],
  ['a channel that is a number', { sub: 'ann', channels: [1] }],
  ['a channel with a wildcard', { sub: 'ann', channels: ['*'] }],
  ['an iat 6 seconds in the future', { sub: 'ann', iat: seconds + 6 }],
  ['an nbf 6 seconds in the future', { sub: 'ann', nbf: seconds + 6 }],
  ['an exp that is a string', { sub: 'ann', exp: String(seconds + 60) }],
])('refuses a signed JWT with %s', async (_, payload) => {
  expect(await refusal(payload)).toMatch(/^UNAUTHENTICATED: The credential is refused: .+[^.]\.$/);
});

test('throws TOKEN_EXPIRED only when the JWT is valid except for its exp', async () => {
  expect(await refusal({ sub: 'ann', exp: seconds })).toBe(
    'TOKEN_EXPIRED: The token has expired. Fetch a new credential from your backend.',
  );
  expect(await refusal({ sub: 'ann', exp: seconds, role: 1 })).toMatch('UNAUTHENTICATED');
  const wronglySigned = sign({ sub: 'ann', exp: 1 }, {}, 'sha256', 'another');
  expect(await refusalOf(() => verifier.verify(wronglySigned, NOW))).toMatch('UNAUTHENTICATED');
});

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string;

test.each([
  ['an unknown key', sign({ sub: 'ann' }, { kid: 'key_other' })],
  ['the kid __proto__', sign({ sub: 'ann' }, { kid: '__proto__' })],
  ['another secret', sign({ sub: 'ann' }, {}, 'sha256', 'another')],
  ['the id of the key as its secret', sign({ sub: 'ann' }, {}, 'sha256', 'key_app')],
  ['a public key as its secret', sign({ sub: 'ann' }, {}, 'sha256', PEM)],
  ['an asymmetric algorithm', sign({ sub: 'ann' }, { alg: 'RS256' })],
  ['HS256 in the header of an HS512 signature', sign({ sub: 'ann' }, { alg: 'HS256' }, 'sha512')],
  ['an algorithm in lower case', sign({ sub: 'ann' }, { alg: 'hs256' })],
  ['the algorithm toString', sign({ sub: 'ann' }, { alg: 'toString' })],
  ['a key in its own header', sign({ sub: 'ann' }, { jwk: { kty: 'oct', k: 'AAAA' } }, 'sha256', '\0\0\0')],
])('refuses a JWT with %s, with the message for every invalid signature', async (_, credential) => {
  expect(await refusalOf(() => verifier.verify(credential, NOW))).toBe(
    'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it; check the id of the key, the secret and the algorithm.',
  );
});
