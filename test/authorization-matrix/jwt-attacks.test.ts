import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HMAC_KINDS, HMAC_NAMES, openKinds, type HmacName, type Kinds } from './kinds.ts';
import { present, REFUSED, TAKEN } from './present.ts';

let kinds: Kinds;
beforeAll(async () => {
  kinds = await openKinds();
});
afterAll(() => kinds[Symbol.asyncDispose]());

const meet = (credential: string) => present(kinds.signalbox, credential);

test('a good one of each kind is taken, so that what follows fails for its own reason', async () => {
  for (const [name, credential] of Object.entries(await kinds.good())) {
    expect({ name, fate: await meet(credential) }).toEqual({ name, fate: TAKEN });
  }
});

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const OWN = 'a key of the attacker’s own making';
const JWK = { kty: 'oct', k: Buffer.from(OWN).toString('base64url'), alg: 'HS256' };
const signatureOf = (credential: string) => credential.slice(credential.lastIndexOf('.') + 1);
const unsignedOf = (credential: string) => credential.slice(0, credential.lastIndexOf('.') + 1);

/** What can be done without the secret. */
const UNSIGNED: [string, (name: HmacName) => string][] = [
  ...['none', 'None', 'NONE', 'nOnE', ' none', 'none ', ''].flatMap((alg): typeof UNSIGNED => [
    [`alg “${alg}” without a signature`, (name) => unsignedOf(kinds.sign(name, {}, { alg }))],
    [
      `alg “${alg}” and another’s signature`,
      (name) => unsignedOf(kinds.sign(name, {}, { alg })) + signatureOf(kinds.sign(name)),
    ],
  ]),
  ['no alg', (name) => unsignedOf(kinds.sign(name, {}, { alg: undefined }))],
  ['its signature stripped', (name) => unsignedOf(kinds.sign(name))],
  ['another claim under the old signature', (name) => swap(name, { role: 'MODERATOR' })],
  ['a later end under the old signature', (name) => swap(name, { exp: kinds.now() + 7200 })],
  ['an empty key', (name) => kinds.sign(name, {}, {}, '')],
  ['its own id as the key', (name) => kinds.sign(name, {}, {}, 'backend')],
  ['a public key as the secret', (name) => kinds.sign(name, {}, {}, PEM)],
  ['a header that brings its own key', (name) => kinds.sign(name, {}, { jwk: JWK }, OWN)],
  [
    'a certificate of its own',
    (name) => kinds.sign(name, {}, { x5c: [Buffer.from(OWN).toString('base64')] }, OWN),
  ],
];

function swap(name: HmacName, payload: object): string {
  return unsignedOf(kinds.sign(name, payload)) + signatureOf(kinds.sign(name));
}

/** What is refused even to whoever has the secret. */
const SIGNED: [string, (name: HmacName) => string][] = [
  ...['RS256', 'PS256', 'ES256', 'EdDSA', 'hs256', 'HS256 ', 'toString', '__proto__'].map(
    (alg): (typeof SIGNED)[number] => [`alg ${alg}`, (name) => kinds.sign(name, {}, { alg })],
  ),
  ['a critical extension', (name) => kinds.sign(name, {}, { crit: ['exp'], exp: 1 })],
  ['an unencoded payload', (name) => kinds.sign(name, {}, { crit: ['b64'], b64: false })],
  ['the mark of ours', (name) => kinds.sign(name, {}, { typ: 'signalbox+jwt' })],
  ['more than 8 KB', (name) => kinds.sign(name, { pad: 'x'.repeat(8192) })],
  ...['9999999999', -1, 1e300, null, true, [9999999999], {}].map((exp): (typeof SIGNED)[number] => [
    `exp ${JSON.stringify(exp)}`,
    (name) => kinds.sign(name, { exp }),
  ]),
  ['an end without end', (name) => kinds.signRaw(name, '"exp":1e999')],
  ['a moment of issue in the future', (name) => kinds.sign(name, { iat: kinds.now() + 31 })],
  ['a moment of issue that is text', (name) => kinds.sign(name, { iat: String(kinds.now()) })],
  ['a payload that is a list', (name) => kinds.signRaw(name, '', (claims) => `[${claims}]`)],
];

test.each(HMAC_NAMES.flatMap((name) => UNSIGNED.map(([what, attack]) => [name, what, attack] as const)))(
  '%s: whoever has no secret opens nothing with %s',
  async (name, _, attack) => {
    expect(await meet(attack(name))).toEqual(REFUSED);
  },
);

test.each(HMAC_NAMES.flatMap((name) => SIGNED.map(([what, attack]) => [name, what, attack] as const)))(
  '%s: even signed nothing is opened by %s',
  async (name, _, attack) => {
    expect(await meet(attack(name))).toEqual(REFUSED);
  },
);

test.each(HMAC_NAMES)('%s: signed by each HMAC, it is taken where its kind has that one', async (name) => {
  const { algorithms } = HMAC_KINDS[name];
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const fate = (algorithms as readonly string[]).includes(alg) ? TAKEN : REFUSED;
    expect({ alg, fate: await meet(kinds.sign(name, {}, { alg })) }).toEqual({ alg, fate });
  }
});
