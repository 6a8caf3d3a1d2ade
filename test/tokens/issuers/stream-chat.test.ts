import { StreamChat } from 'stream-chat';
import { expect, test } from 'vitest';
import { verifyStream } from '../../../src/tokens/issuers/stream-chat.ts';
import { forge } from '../../support/forge.ts';
import { createTestVerifier, makeIssuer, makeKey, refusalOf } from '../../support/issuers.ts';

const NOW = Date.UTC(2030, 0, 1);
const seconds = NOW / 1000;
const client = new StreamChat('appkey', 'apisecret');
const key = makeKey('appkey', 'apisecret');
const verifier = createTestVerifier('STREAM', [key]);
const HS256 = { alg: 'HS256', typ: 'JWT' };
const sign = (payload: object, header: object = HS256, secret = 'apisecret', hash = 'sha256') =>
  forge(header, payload, secret, hash);

const FIXTURE =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiam9obiJ9.zZBNbTXIm9p90l2t7XmkRCRXAF3guIKrXzuZFgjSqaQ';

test('accepts a token of createToken() of stream-chat as a user without an expiry', async () => {
  expect(client.createToken('john')).toBe(FIXTURE);
  expect(await verifier.verify(FIXTURE, NOW)).toEqual({
    key,
    claims: {
      subject: 'john',
      identity: 'john',
      role: null,
      grants: null,
      connectionData: null,
      channels: [],
      issuedAt: null,
      expiresAt: null,
      isSingleCredential: false,
    },
  });
});

test('reads exp, iat and nbf, and refuses a token outside of them', async () => {
  const presentWith = (exp?: number, iat?: number) =>
    verifier.verify(client.createToken('john', exp, iat), NOW);
  expect((await presentWith(seconds + 60, seconds)).claims).toMatchObject({
    issuedAt: NOW,
    expiresAt: NOW + 60_000,
  });
  expect(await refusalOf(() => presentWith(seconds))).toMatch('TOKEN_EXPIRED');
  expect(await refusalOf(() => presentWith(undefined, seconds + 5))).toBe('accepted');
  expect(await refusalOf(() => presentWith(undefined, seconds + 500))).toMatch(
    'UNAUTHENTICATED: The credential is refused: it was issued',
  );
  const notYet = sign({ user_id: 'john', nbf: seconds + 60 });
  expect(await refusalOf(() => verifier.verify(notYet, NOW))).toMatch(
    'UNAUTHENTICATED: The credential is refused: it is not valid yet',
  );
});

test('tries each key during a rotation, and returns the key that verified the token', async () => {
  const [oldKey, newKey] = [makeKey('a', 'old secret'), makeKey('b', 'new secret')];
  const rotating = createTestVerifier('STREAM', [oldKey, newKey]);
  expect((await rotating.verify(sign({ user_id: 'john' }, HS256, 'old secret'), NOW)).key).toBe(oldKey);
  expect((await rotating.verify(sign({ user_id: 'john' }, HS256, 'new secret'), NOW)).key).toBe(newKey);
  expect(await refusalOf(() => rotating.verify(FIXTURE, NOW))).toMatch('UNAUTHENTICATED');
  expect(await refusalOf(() => createTestVerifier('STREAM', []).verify(FIXTURE, NOW))).toMatch(
    'UNAUTHENTICATED',
  );
});

const [header, payload, signature] = FIXTURE.split('.');
const forged: [string, string][] = [
  ['another secret', sign({ user_id: 'john' }, HS256, 'apisecret ')],
  ['an empty secret', sign({ user_id: 'john' }, HS256, '')],
  ['HS512 instead of HS256', sign({ user_id: 'john' }, { alg: 'HS512' }, 'apisecret', 'sha512')],
  ['HS384 in the header of an HS256 signature', sign({ user_id: 'john' }, { alg: 'HS384' })],
  ['an asymmetric algorithm', sign({ user_id: 'john' }, { alg: 'RS256' })],
  ['an algorithm in lower case', sign({ user_id: 'john' }, { alg: 'hs256' })],
  ['no signature', `${header}.${payload}.`],
  [
    'another payload under a valid signature',
    `${header}.${Buffer.from('{"user_id":"jahn"}').toString('base64url')}.${signature}`,
  ],
  [
    'a key in its own header',
    sign({ user_id: 'john' }, { ...HS256, jwk: { kty: 'oct', k: 'AAAA' } }, '\0\0\0'),
  ],
  ['an expired payload with a wrong signature', sign({ user_id: 'john', exp: 1 }, HS256, 'mine')],
];

test.each(forged)(
  'refuses a token with %s, with the message for every invalid signature',
  async (_, credential) => {
    expect(await refusalOf(() => verifier.verify(credential, NOW))).toBe(
      'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it; check the id of the key, the secret and the algorithm.',
    );
  },
);

test('refuses other base64url spellings of a valid signature', async () => {
  // The last base64url character of 32 bytes has two surplus bits.
  const last = FIXTURE.at(-1)!;
  const others = ['R', 'S', 'T']
    .filter((letter) => letter !== last)
    .map((letter) => FIXTURE.slice(0, -1) + letter);
  for (const credential of [...others, `${FIXTURE}=`, `${FIXTURE}\n`, ` ${FIXTURE}`]) {
    expect(await refusalOf(() => verifier.verify(credential, NOW))).toMatch('UNAUTHENTICATED');
  }
});

test.each([
  ['an empty user_id', { user_id: '' }],
  ['a user_id with a space', { user_id: 'a b' }],
  ['an exp that is not a number', { user_id: 'john', exp: 'never' }],
  ['a negative iat', { user_id: 'john', iat: -1 }],
])('refuses a signed token with %s', async (_, payload) => {
  expect(await refusalOf(() => verifier.verify(sign(payload), NOW))).toMatch('UNAUTHENTICATED');
});

test('refuses a Stream server token in the verifier too, when classification is skipped', async () => {
  const credential = sign({ user_id: 'john', server: true });
  const verified = verifyStream(credential, makeIssuer('STREAM'), [key], { now: NOW, maxGrants: 1 });
  expect(await refusalOf(() => verified)).toMatch(
    'UNAUTHENTICATED: The credential is refused: it is for a server',
  );
});
