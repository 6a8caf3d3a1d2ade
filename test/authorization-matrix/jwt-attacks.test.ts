import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  HMAC_KINDS,
  HMAC_NAMES,
  createIssuerFixture,
  type HmacName,
  type IssuerFixture,
} from './issuer-fixture.ts';
import { tryAuthenticate, REFUSED, ACCEPTED } from './authenticate.ts';

let fixture: IssuerFixture;
beforeAll(async () => {
  fixture = await createIssuerFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const authenticate = (credential: string) => tryAuthenticate(fixture.signalbox, credential);

test('a valid credential of each kind is accepted, so that the attacks below fail for their own reason', async () => {
  for (const [name, credential] of Object.entries(await fixture.validCredentials())) {
    expect({ name, outcome: await authenticate(credential) }).toEqual({ name, outcome: ACCEPTED });
  }
});

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const ATTACKER_KEY = 'a key that the attacker generated';
const JWK = { kty: 'oct', k: Buffer.from(ATTACKER_KEY).toString('base64url'), alg: 'HS256' };
const signatureOf = (credential: string) => credential.slice(credential.lastIndexOf('.') + 1);
const unsignedOf = (credential: string) => credential.slice(0, credential.lastIndexOf('.') + 1);

/** Attacks without the secret. */
const WITHOUT_SECRET: [string, (name: HmacName) => string][] = [
  ...['none', 'None', 'NONE', 'nOnE', ' none', 'none ', ''].flatMap((alg): typeof WITHOUT_SECRET => [
    [`alg “${alg}” without a signature`, (name) => unsignedOf(fixture.sign(name, {}, { alg }))],
    [
      `alg “${alg}” and the signature of another credential`,
      (name) => unsignedOf(fixture.sign(name, {}, { alg })) + signatureOf(fixture.sign(name)),
    ],
  ]),
  ['no alg', (name) => unsignedOf(fixture.sign(name, {}, { alg: undefined }))],
  ['an empty signature', (name) => unsignedOf(fixture.sign(name))],
  ['a changed claim under the old signature', (name) => swap(name, { role: 'MODERATOR' })],
  ['a later exp under the old signature', (name) => swap(name, { exp: fixture.now() + 7200 })],
  ['an empty key', (name) => fixture.sign(name, {}, {}, '')],
  ['the key id as the secret', (name) => fixture.sign(name, {}, {}, 'backend')],
  ['a public key as the secret', (name) => fixture.sign(name, {}, {}, PEM)],
  ['a key in the jwk header', (name) => fixture.sign(name, {}, { jwk: JWK }, ATTACKER_KEY)],
  [
    'a certificate in the x5c header',
    (name) => fixture.sign(name, {}, { x5c: [Buffer.from(ATTACKER_KEY).toString('base64')] }, ATTACKER_KEY),
  ],
];

function swap(name: HmacName, payload: object): string {
  return unsignedOf(fixture.sign(name, payload)) + signatureOf(fixture.sign(name));
}

/** Credentials that are refused although they are signed with the right secret. */
const WITH_SECRET: [string, (name: HmacName) => string][] = [
  ...['RS256', 'PS256', 'ES256', 'EdDSA', 'hs256', 'HS256 ', 'toString', '__proto__'].map(
    (alg): (typeof WITH_SECRET)[number] => [`alg ${alg}`, (name) => fixture.sign(name, {}, { alg })],
  ),
  ['a crit header', (name) => fixture.sign(name, {}, { crit: ['exp'], exp: 1 })],
  ['an unencoded payload', (name) => fixture.sign(name, {}, { crit: ['b64'], b64: false })],
  ['the typ of Signalbox credentials', (name) => fixture.sign(name, {}, { typ: 'signalbox+jwt' })],
  ['more than 32 KB', (name) => fixture.sign(name, { pad: 'x'.repeat(32_768) })],
  ...['9999999999', -1, 1e300, true, [9999999999], {}].map((exp): (typeof WITH_SECRET)[number] => [
    `exp ${JSON.stringify(exp)}`,
    (name) => fixture.sign(name, { exp }),
  ]),
  ['an infinite exp', (name) => fixture.signRaw(name, '"exp":1e999')],
  ['an iat in the future', (name) => fixture.sign(name, { iat: fixture.now() + 31 })],
  ['an iat that is a string', (name) => fixture.sign(name, { iat: String(fixture.now()) })],
  ['a payload that is an array', (name) => fixture.signRaw(name, '', (claims) => `[${claims}]`)],
];

test.each(
  HMAC_NAMES.flatMap((name) => WITHOUT_SECRET.map(([title, attack]) => [name, title, attack] as const)),
)('%s: refuses a forged credential with %s', async (name, _, attack) => {
  expect(await authenticate(attack(name))).toEqual(REFUSED);
});

test.each(HMAC_NAMES.flatMap((name) => WITH_SECRET.map(([title, attack]) => [name, title, attack] as const)))(
  '%s: refuses a correctly signed credential with %s',
  async (name, _, attack) => {
    expect(await authenticate(attack(name))).toEqual(REFUSED);
  },
);

test.each(HMAC_NAMES)('%s: accepts exactly the HMAC algorithms of its kind', async (name) => {
  const { algorithms } = HMAC_KINDS[name];
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const outcome = (algorithms as readonly string[]).includes(alg) ? ACCEPTED : REFUSED;
    expect({ alg, outcome: await authenticate(fixture.sign(name, {}, { alg })) }).toEqual({ alg, outcome });
  }
});
