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

/** What an attack has to work with: a good credential, and for some the very key that signed it. */
interface Loot {
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
let loot: Loot;

beforeAll(async () => {
  signalbox = await startService({ data: folder.path }, { clock });
  token = await mint(signalbox, { expiresIn: 3600 });
  await signalbox.request('mutation { createProject(input: { id: "other" }) { project { id } } }');
  const now = clock.now() / 1000;
  loot = {
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

/** What becomes of whoever presents it: over HTTP, and over WebSocket as a token. */
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

const sign = (loot: Loot, header: object, payload: object, hash?: string) =>
  forge({ ...loot.header, ...header }, { ...loot.payload, ...payload }, loot.secret, hash);

test('a credential made by hand as ours are made is taken, so that what follows fails for its own reason', async () => {
  expect(await present(loot.jwt)).toEqual(ACCEPTED);
  expect(await present(sign(loot, {}, {}))).toEqual(ACCEPTED);
});

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const OWN_KEY = Buffer.alloc(32, 1);
const OWN_JWK = { kty: 'oct', k: OWN_KEY.toString('base64url'), alg: 'HS256' };

const unsigned: [string, (loot: Loot) => string][] = [
  ...['none', 'None', 'NONE', 'nOnE', 'none ', ''].flatMap((alg): typeof unsigned => [
    [`alg “${alg}” without a signature`, ({ header, payload }) => forge({ ...header, alg }, payload)],
    [
      `alg “${alg}” with the signature of another`,
      ({ header, payload, signature }) => forge({ ...header, alg }, payload) + signature,
    ],
  ]),
  ['no alg', ({ header, payload }) => forge(without(header, 'alg'), payload)],
  ['its signature stripped', ({ jwt, signature }) => jwt.slice(0, -signature.length)],
  [
    'its signature and the dot before it stripped',
    ({ jwt, signature }) => jwt.slice(0, -signature.length - 1),
  ],
  ['its signature cut short', ({ jwt }) => jwt.slice(0, -4)],
  [
    'one character of its signature changed',
    ({ jwt }) => jwt.slice(0, -9) + (jwt.at(-9) === 'A' ? 'B' : 'A') + jwt.slice(-8),
  ],
  [
    'another subject under the old signature',
    ({ header, payload, signature }) => forge(header, { ...payload, sub: 'token_other' }) + signature,
  ],
  [
    'another project under the old signature',
    ({ header, payload, signature }) => forge(header, { ...payload, aud: 'other' }) + signature,
  ],
  [
    'a later end under the old signature',
    ({ header, payload, signature }) =>
      forge(header, { ...payload, exp: Number(payload.exp) + 1e6 }) + signature,
  ],
  ['a fourth part', ({ jwt }) => `${jwt}.${jwt}`],
  ['five parts, as what is encrypted has', ({ jwt }) => `${jwt}.${jwt}.x`.split('.').slice(0, 5).join('.')],
  ['a key of the attacker’s', ({ header, payload }) => forge(header, payload, OWN_KEY)],
  ['an empty key', ({ header, payload }) => forge(header, payload, '')],
  ['the id of the key as the key', ({ header, payload }) => forge(header, payload, header.kid)],
  ['a public key as the secret', ({ header, payload }) => forge(header, payload, PEM)],
  [
    'a header that brings its own key',
    ({ header, payload }) => forge({ ...header, jwk: OWN_JWK }, payload, OWN_KEY),
  ],
  [
    'a certificate of its own',
    ({ header, payload }) => forge({ ...header, x5c: [OWN_KEY.toString('base64')] }, payload, OWN_KEY),
  ],
  [
    'a header without a key id that brings its own key',
    ({ header, payload }) => forge({ ...without(header, 'kid'), jwk: OWN_JWK }, payload, OWN_KEY),
  ],
];

/** The same bytes written down in another way, which whoever compares credentials would take for another one. */
const respelled: [string, (loot: Loot) => string][] = [
  ['padding behind its signature', ({ jwt }) => `${jwt}=`],
  [
    'padding in all its parts',
    ({ jwt }) => jwt.replaceAll(/[^.]+/g, (part) => part.padEnd((part.length + 3) & ~3, '=')),
  ],
  ['a dot behind', ({ jwt }) => `${jwt}.`],
  ['a dot before', ({ jwt }) => `.${jwt}`],
  ['three dots behind', ({ jwt }) => `${jwt}...`],
  ['its dots escaped', ({ jwt }) => jwt.replaceAll('.', '%2E')],
  ['the last bits of its signature changed', ({ jwt }) => jwt.slice(0, -1) + nextLetter(jwt.at(-1)!)],
];

/** The letter that differs in the lowest bit, which means nothing at the end of 32 bytes. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const nextLetter = (letter: string) => LETTERS[LETTERS.indexOf(letter) ^ 1]!;

test.each(respelled)('a good credential is none with %s', async (_, spell) => {
  expect(spell(loot)).not.toBe(loot.jwt);
  expect(await present(spell(loot))).toEqual(REFUSED);
});

test('what a credential says twice counts once, the last time', async () => {
  const twice = (one: unknown, two: unknown) =>
    forge(
      loot.header,
      JSON.stringify({ ...loot.payload, sub: one }).replace(/\}$/, `,"sub":${JSON.stringify(two)}}`),
      loot.secret,
    );
  expect(await present(twice('token_other', token.id))).toEqual(ACCEPTED);
  expect(await present(twice(token.id, 'token_other'))).toEqual(REFUSED);
});

test.each(unsigned)('whoever has no key opens nothing with %s', async (_, attack) => {
  expect(await present(attack(loot))).toEqual(REFUSED);
});

const signed: [string, (loot: Loot) => string][] = [
  ...['HS384', 'HS512', 'RS256', 'ES256', 'EdDSA', 'hs256', 'HS256 '].map((alg): (typeof signed)[number] => [
    `alg ${alg}`,
    (loot) => sign(loot, { alg }, {}, alg === 'HS384' ? 'sha384' : alg === 'HS512' ? 'sha512' : 'sha256'),
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
    (loot) => sign(loot, { kid }, {}),
  ]),
  ['no kid', ({ header, payload, secret }) => forge(without(header, 'kid'), payload, secret)],
  ['a kid in a list', (loot) => sign(loot, { kid: [loot.header.kid] }, {})],
  ['a critical extension', (loot) => sign(loot, { crit: ['exp'], exp: 1 }, {})],
  ['an unencoded payload', (loot) => sign(loot, { crit: ['b64'], b64: false }, {})],
  ['a header that is no object', ({ payload, secret }) => forge('[]', payload, secret)],
  ['a payload that is no object', ({ header, secret }) => forge(header, '"token"', secret)],
  ['another typ', (loot) => sign(loot, { typ: 'JWT' }, {})],
  ['no typ', ({ header, payload, secret }) => forge(without(header, 'typ'), payload, secret)],
  ['another issuer', (loot) => sign(loot, {}, { iss: 'https://evil.example' })],
  ['an issuer in a list', (loot) => sign(loot, {}, { iss: ['signalbox'] })],
  ['the project beside ours', (loot) => sign(loot, {}, { aud: 'other' })],
  ['a project that is unknown', (loot) => sign(loot, {}, { aud: 'nowhere' })],
  ['two projects', (loot) => sign(loot, {}, { aud: ['default', 'other'] })],
  ['a token that is unknown', (loot) => sign(loot, {}, { sub: 'token_other' })],
  ['a subject that is a number', (loot) => sign(loot, {}, { sub: 1 })],
  ...['iss', 'aud', 'sub', 'iat', 'jti'].map((claim): (typeof signed)[number] => [
    `no ${claim}`,
    ({ header, payload, secret }) => forge(header, without(payload, claim), secret),
  ]),
  ['a beginning in the future', (loot) => sign(loot, {}, { nbf: loot.now + 60 })],
  ['a beginning that is no number', (loot) => sign(loot, {}, { nbf: 'now' })],
  ['a future moment of issue', (loot) => sign(loot, {}, { iat: loot.now + 31 })],
  ['a moment of issue that is no number', (loot) => sign(loot, {}, { iat: String(loot.now) })],
  ['an end that is no number', (loot) => sign(loot, {}, { exp: 'never' })],
  ['more than 8 KB', (loot) => sign(loot, {}, { pad: 'x'.repeat(8192) })],
];

test.each(signed)('even signed with our own key nothing is opened by %s', async (_, attack) => {
  expect(await present(attack(loot))).toEqual(REFUSED);
});

test('the addresses of keys in a header are never asked', async () => {
  let visits = 0;
  const server = createServer((_request, response) => {
    visits++;
    response.end(JSON.stringify({ keys: [{ ...OWN_JWK, kid: loot.header.kid }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (const header of [{ jku: url }, { x5u: url }, { jku: url, x5u: url, kid: url }]) {
    expect(await present(forge({ ...loot.header, ...header }, loot.payload, OWN_KEY))).toEqual(REFUSED);
  }
  expect(await present(sign(loot, { jku: url, x5u: url }, {}))).toEqual(ACCEPTED);
  await fetch(url);
  expect(visits).toBe(1);
  server.close();
});

test('a clock that runs a little ahead is forgiven, an end that has passed is not', async () => {
  expect(await present(sign(loot, {}, { iat: loot.now + 5 }))).toEqual(ACCEPTED);
  expect(await present(sign(loot, {}, { exp: loot.now + 1 }))).toEqual(ACCEPTED);
  const expired = { code: 'TOKEN_EXPIRED', close: 4403 };
  expect(await present(sign(loot, {}, { exp: loot.now }))).toEqual(expired);
  expect(await present(sign(loot, {}, { exp: -1 }))).toEqual(REFUSED);
  // That it says so itself is worth nothing.
  expect(await present(forge(loot.header, { ...loot.payload, exp: 1 }, OWN_KEY))).toEqual(REFUSED);
});
