import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { beforeAll, afterAll, expect, test } from 'vitest';
import { mint, type MintedToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createFolder } from '../support/folder.ts';
import { dissect, forge, stealSigningKey } from '../support/forge.ts';
import { startService, type TestService } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';

/** A valid credential to attack with, its segments, and the key that signed it. */
interface Sample {
  jwt: string;
  header: any;
  payload: any;
  signature: string;
  secret: Buffer;
  now: number;
}

const folder = createFolder();
const clock = createManualClock();
let signalbox: TestService;
let token: MintedToken;
let sample: Sample;

beforeAll(async () => {
  signalbox = await startService({ data: folder.path }, { clock });
  token = await mint(signalbox, { expiresIn: 3600 });
  await signalbox.request('mutation { createProject(input: { id: "other" }) { project { id } } }');
  const now = clock.now() / 1000;
  sample = {
    jwt: token.credential,
    ...dissect(token.credential),
    ...(await stealSigningKey(folder.path)),
    now,
  };
});
afterAll(async () => {
  await signalbox[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Presents a credential: the error code over HTTP, and the close code over WebSocket. */
async function present(credential: string): Promise<{ code: unknown; close: number | undefined }> {
  const { errors } = await signalbox.ask('{ viewer { kind } }', {}, credential);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: credential } });
  const close = await Promise.race([
    socket.closed,
    socket.next().then(
      () => undefined,
      () => socket.closed,
    ),
  ]);
  return { code: errors?.[0]?.extensions['code'], close: close?.code };
}

const ACCEPTED = { code: undefined, close: undefined };
const REFUSED = { code: 'UNAUTHENTICATED', close: 4401 };

const without = (object: object, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

const sign = (sample: Sample, header: object, payload: object, hash?: string) =>
  forge({ ...sample.header, ...header }, { ...sample.payload, ...payload }, sample.secret, hash);

test('accepts a credential that is forged with the real signing key, so that the attacks below fail for their own fault', async () => {
  expect(await present(sample.jwt)).toEqual(ACCEPTED);
  expect(await present(sign(sample, {}, {}))).toEqual(ACCEPTED);
});

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const ATTACKER_KEY = Buffer.alloc(32, 1);
const ATTACKER_JWK = { kty: 'oct', k: ATTACKER_KEY.toString('base64url'), alg: 'HS256' };

const unsigned: [string, (sample: Sample) => string][] = [
  ...['none', 'None', 'NONE', 'nOnE', 'none ', ''].flatMap((alg): typeof unsigned => [
    [`alg “${alg}” without a signature`, ({ header, payload }) => forge({ ...header, alg }, payload)],
    [
      `alg “${alg}” with the signature of another credential`,
      ({ header, payload, signature }) => forge({ ...header, alg }, payload) + signature,
    ],
  ]),
  ['no alg', ({ header, payload }) => forge(without(header, 'alg'), payload)],
  ['no signature', ({ jwt, signature }) => jwt.slice(0, -signature.length)],
  [
    'neither the signature nor the dot before the signature',
    ({ jwt, signature }) => jwt.slice(0, -signature.length - 1),
  ],
  ['a truncated signature', ({ jwt }) => jwt.slice(0, -4)],
  [
    'one changed character in the signature',
    ({ jwt }) => jwt.slice(0, -9) + (jwt.at(-9) === 'A' ? 'B' : 'A') + jwt.slice(-8),
  ],
  [
    'another subject and the old signature',
    ({ header, payload, signature }) => forge(header, { ...payload, sub: 'token_other' }) + signature,
  ],
  [
    'another project and the old signature',
    ({ header, payload, signature }) => forge(header, { ...payload, aud: 'other' }) + signature,
  ],
  [
    'a later expiry and the old signature',
    ({ header, payload, signature }) =>
      forge(header, { ...payload, exp: Number(payload.exp) + 1e6 }) + signature,
  ],
  ['a fourth segment', ({ jwt }) => `${jwt}.${jwt}`],
  ['five segments, as a JWE has', ({ jwt }) => `${jwt}.${jwt}.x`.split('.').slice(0, 5).join('.')],
  ['a signature by a key of the attacker', ({ header, payload }) => forge(header, payload, ATTACKER_KEY)],
  ['a signature by an empty key', ({ header, payload }) => forge(header, payload, '')],
  ['a signature by the key id', ({ header, payload }) => forge(header, payload, header.kid)],
  ['a signature by a public key as the secret', ({ header, payload }) => forge(header, payload, PEM)],
  [
    'a jwk header with the attacker’s key',
    ({ header, payload }) => forge({ ...header, jwk: ATTACKER_JWK }, payload, ATTACKER_KEY),
  ],
  [
    'an x5c header with the attacker’s certificate',
    ({ header, payload }) =>
      forge({ ...header, x5c: [ATTACKER_KEY.toString('base64')] }, payload, ATTACKER_KEY),
  ],
  [
    'a jwk header with the attacker’s key and no kid',
    ({ header, payload }) => forge({ ...without(header, 'kid'), jwk: ATTACKER_JWK }, payload, ATTACKER_KEY),
  ],
];

/** Other spellings of the same bytes. Accepting them would defeat comparisons of credentials as text. */
const respelled: [string, (sample: Sample) => string][] = [
  ['padding after the signature', ({ jwt }) => `${jwt}=`],
  [
    'padding in all segments',
    ({ jwt }) => jwt.replaceAll(/[^.]+/g, (part) => part.padEnd((part.length + 3) & ~3, '=')),
  ],
  ['a trailing dot', ({ jwt }) => `${jwt}.`],
  ['a leading dot', ({ jwt }) => `.${jwt}`],
  ['three trailing dots', ({ jwt }) => `${jwt}...`],
  ['escaped dots', ({ jwt }) => jwt.replaceAll('.', '%2E')],
  ['other unused bits at the end of the signature', ({ jwt }) => jwt.slice(0, -1) + nextLetter(jwt.at(-1)!)],
];

/** The letter that differs in the lowest bit, which is unused in the last letter of a 32-byte signature. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const nextLetter = (letter: string) => LETTERS[LETTERS.indexOf(letter) ^ 1]!;

test.each(respelled)('refuses a valid credential that is respelled with %s', async (_, respell) => {
  expect(respell(sample)).not.toBe(sample.jwt);
  expect(await present(respell(sample))).toEqual(REFUSED);
});

test('reads the last value when a claim is repeated', async () => {
  const repeatSubject = (one: unknown, two: unknown) =>
    forge(
      sample.header,
      JSON.stringify({ ...sample.payload, sub: one }).replace(/\}$/, `,"sub":${JSON.stringify(two)}}`),
      sample.secret,
    );
  expect(await present(repeatSubject('token_other', token.id))).toEqual(ACCEPTED);
  expect(await present(repeatSubject(token.id, 'token_other'))).toEqual(REFUSED);
});

test.each(unsigned)('refuses a credential with %s', async (_, attack) => {
  expect(await present(attack(sample))).toEqual(REFUSED);
});

const signed: [string, (sample: Sample) => string][] = [
  ...['HS384', 'HS512', 'RS256', 'ES256', 'EdDSA', 'hs256', 'HS256 '].map((alg): (typeof signed)[number] => [
    `alg ${alg}`,
    (sample) => sign(sample, { alg }, {}, alg === 'HS384' ? 'sha384' : alg === 'HS512' ? 'sha512' : 'sha256'),
  ]),
  ...[
    'sign_other',
    '',
    '__proto__',
    'constructor',
    'toString',
    '../../../dev/null',
    '/dev/null',
    "' OR '1'='1",
    'x UNION SELECT secret FROM signing_keys',
    'k'.repeat(4000),
    0,
    null,
    true,
    ['sign'],
    { id: 'sign' },
  ].map((kid): (typeof signed)[number] => [
    `kid ${JSON.stringify(kid).slice(0, 40)}`,
    (sample) => sign(sample, { kid }, {}),
  ]),
  ['no kid', ({ header, payload, secret }) => forge(without(header, 'kid'), payload, secret)],
  ['kid in a list', (sample) => sign(sample, { kid: [sample.header.kid] }, {})],
  ['a critical extension', (sample) => sign(sample, { crit: ['exp'], exp: 1 }, {})],
  ['an unencoded payload', (sample) => sign(sample, { crit: ['b64'], b64: false }, {})],
  ['a header that is not an object', ({ payload, secret }) => forge('[]', payload, secret)],
  ['a payload that is not an object', ({ header, secret }) => forge(header, '"token"', secret)],
  ['another typ', (sample) => sign(sample, { typ: 'JWT' }, {})],
  ['no typ', ({ header, payload, secret }) => forge(without(header, 'typ'), payload, secret)],
  ['another issuer', (sample) => sign(sample, {}, { iss: 'https://evil.example' })],
  ['an issuer in a list', (sample) => sign(sample, {}, { iss: ['signalbox'] })],
  ['another existing project', (sample) => sign(sample, {}, { aud: 'other' })],
  ['an unknown project', (sample) => sign(sample, {}, { aud: 'nowhere' })],
  ['two projects', (sample) => sign(sample, {}, { aud: ['default', 'other'] })],
  ['an unknown token', (sample) => sign(sample, {}, { sub: 'token_other' })],
  ['a subject that is a number', (sample) => sign(sample, {}, { sub: 1 })],
  ...['iss', 'aud', 'sub', 'iat', 'jti'].map((claim): (typeof signed)[number] => [
    `no ${claim}`,
    ({ header, payload, secret }) => forge(header, without(payload, claim), secret),
  ]),
  ['nbf in the future', (sample) => sign(sample, {}, { nbf: sample.now + 60 })],
  ['nbf that is not a number', (sample) => sign(sample, {}, { nbf: 'now' })],
  ['iat in the future', (sample) => sign(sample, {}, { iat: sample.now + 31 })],
  ['iat that is not a number', (sample) => sign(sample, {}, { iat: String(sample.now) })],
  ['exp that is not a number', (sample) => sign(sample, {}, { exp: 'never' })],
  ['more than 8 KB', (sample) => sign(sample, {}, { pad: 'x'.repeat(8192) })],
];

test.each(signed)('refuses a credential that is signed with the real key but has %s', async (_, attack) => {
  expect(await present(attack(sample))).toEqual(REFUSED);
});

test('never fetches the key URLs in a header', async () => {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests++;
    response.end(JSON.stringify({ keys: [{ ...ATTACKER_JWK, kid: sample.header.kid }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (const header of [{ jku: url }, { x5u: url }, { jku: url, x5u: url, kid: url }]) {
    expect(await present(forge({ ...sample.header, ...header }, sample.payload, ATTACKER_KEY))).toEqual(
      REFUSED,
    );
  }
  expect(await present(sign(sample, { jku: url, x5u: url }, {}))).toEqual(ACCEPTED);
  await fetch(url);
  expect(requests).toBe(1);
  server.close();
});

test('accepts iat up to the clock skew ahead, and refuses exp that has passed', async () => {
  expect(await present(sign(sample, {}, { iat: sample.now + 5 }))).toEqual(ACCEPTED);
  expect(await present(sign(sample, {}, { exp: sample.now + 1 }))).toEqual(ACCEPTED);
  const expired = { code: 'TOKEN_EXPIRED', close: 4403 };
  expect(await present(sign(sample, {}, { exp: sample.now }))).toEqual(expired);
  expect(await present(sign(sample, {}, { exp: -1 }))).toEqual(REFUSED);
  // TOKEN_EXPIRED requires a valid signature.
  expect(await present(forge(sample.header, { ...sample.payload, exp: 1 }, ATTACKER_KEY))).toEqual(REFUSED);
});
