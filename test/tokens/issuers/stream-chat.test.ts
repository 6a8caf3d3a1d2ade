import { StreamChat } from 'stream-chat';
import { expect, test } from 'vitest';
import { verifyStream } from '../../../src/tokens/issuers/stream-chat.ts';
import { forge } from '../../support/forge.ts';
import { createTestVerifier, makeIssuer, makeKey, refusalOf } from '../../support/issuers.ts';

const NOW = Date.UTC(2030, 0, 1);
const seconds = NOW / 1000;
const client = new StreamChat('appkey', 'apisecret');
const key = makeKey('appkey', 'apisecret');
const stream = createTestVerifier('STREAM', [key]);
const HS256 = { alg: 'HS256', typ: 'JWT' };
const sign = (payload: object, header: object = HS256, secret = 'apisecret', hash = 'sha256') =>
  forge(header, payload, secret, hash);

const FIXTURE =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiam9obiJ9.zZBNbTXIm9p90l2t7XmkRCRXAF3guIKrXzuZFgjSqaQ';

test('a token of Stream’s own client is taken: it names a user and lives for ever', async () => {
  expect(client.createToken('john')).toBe(FIXTURE);
  expect(await stream.verify(FIXTURE, NOW)).toEqual({
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
      isOneCredential: false,
    },
  });
});

test('its times are taken, and hold', async () => {
  const at = (exp?: number, iat?: number) => stream.verify(client.createToken('john', exp, iat), NOW);
  expect((await at(seconds + 60, seconds)).claims).toMatchObject({
    issuedAt: NOW,
    expiresAt: NOW + 60_000,
  });
  expect(await refusalOf(() => at(seconds))).toMatch('TOKEN_EXPIRED');
  expect(await refusalOf(() => at(undefined, seconds + 5))).toBe('accepted');
  expect(await refusalOf(() => at(undefined, seconds + 500))).toMatch(
    'UNAUTHENTICATED: The credential is refused: it was issued',
  );
  const notYet = sign({ user_id: 'john', nbf: seconds + 60 });
  expect(await refusalOf(() => stream.verify(notYet, NOW))).toMatch(
    'UNAUTHENTICATED: The credential is refused: it is not valid yet',
  );
});

test('during a rotation each of its keys verifies, and says that it did', async () => {
  const [old, young] = [makeKey('a', 'old secret'), makeKey('b', 'young secret')];
  const rotating = createTestVerifier('STREAM', [old, young]);
  expect((await rotating.verify(sign({ user_id: 'john' }, HS256, 'old secret'), NOW)).key).toBe(old);
  expect((await rotating.verify(sign({ user_id: 'john' }, HS256, 'young secret'), NOW)).key).toBe(young);
  expect(await refusalOf(() => rotating.verify(FIXTURE, NOW))).toMatch('UNAUTHENTICATED');
  expect(await refusalOf(() => createTestVerifier('STREAM', []).verify(FIXTURE, NOW))).toMatch(
    'UNAUTHENTICATED',
  );
});

const [header, payload, signature] = FIXTURE.split('./');
const unsigned: [string, string][] = [
  ['another secret', sign({ user_id: 'john' }, HS256, 'apisecret ')],
  ['an empty secret', sign({ user_id: 'john' }, HS256, '')],
  ['another algorithm of the family', sign({ user_id: 'john' }, { alg: 'HS512' }, 'apisecret', 'sha512')],
  ['another algorithm in name', sign({ user_id: 'john' }, { alg: 'HS384' })],
  ['an algorithm with keys that are public', sign({ user_id: 'john' }, { alg: 'RS256' })],
  ['an algorithm in lower case', sign({ user_id: 'john' }, { alg: 'hs256' })],
  ['no signature', `${header}.${payload}.`],
  [
    'another user under the signature',
    `${header}.${Buffer.from('{"user_id":"jahn"}').toString('base64url')}.${signature}`,
  ],
  ['a key of its own', sign({ user_id: 'john' }, { ...HS256, jwk: { kty: 'oct', k: 'AAAA' } }, '\0\0\0')],
  ['a past end that nobody signed', sign({ user_id: 'john', exp: 1 }, HS256, 'mine')],
];

test.each(unsigned)('%s opens nothing, and is not told more', async (_, credential) => {
  expect(await refusalOf(() => stream.verify(credential, NOW))).toBe(
    'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it.',
  );
});

test('another spelling of the signature is not taken', async () => {
  // The last character of 32 bytes holds two bits that mean nothing.
  const last = FIXTURE.at(-1)!;
  const others = ['R', 'S', 'T']
    .filter((letter) => letter !== last)
    .map((letter) => FIXTURE.slice(0, -1) + letter);
  for (const credential of [...others, `${FIXTURE}=`, `${FIXTURE}\n`, ` ${FIXTURE}`]) {
    expect(await refusalOf(() => stream.verify(credential, NOW))).toMatch('UNAUTHENTICATED');
  }
});

test.each([
  ['a user whose name is empty', { user_id: '' }],
  ['a name with a character that no name has', { user_id: 'a b' }],
  ['an end that is no number', { user_id: 'john', exp: 'never' }],
  ['an end that is null', { user_id: 'john', exp: null }],
  ['a moment of issue below zero', { user_id: 'john', iat: -1 }],
])('even signed, %s is refused', async (_, payload) => {
  expect(await refusalOf(() => stream.verify(sign(payload), NOW))).toMatch('UNAUTHENTICATED');
});

test('a token for servers is none for a connection, whoever asks the verifier', async () => {
  const credential = sign({ user_id: 'john', server: true });
  const verified = verifyStream(credential, makeIssuer('STREAM'), [key], { now: NOW, maxGrants: 1 });
  expect(await refusalOf(() => verified)).toMatch(
    'UNAUTHENTICATED: The credential is refused: it is for a server',
  );
});
