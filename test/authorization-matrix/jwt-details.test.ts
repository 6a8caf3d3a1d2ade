import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProvider } from '../support/provider.ts';
import { signingSecretOf } from '../support/external-credentials.ts';
import {
  HMAC_NAMES,
  createIssuerFixture,
  SECRET,
  type HmacName,
  type IssuerFixture,
} from './issuer-fixture.ts';
import {
  EXPIRED,
  tryConnect,
  tryAuthenticate,
  REFUSED,
  ACCEPTED,
  type AuthenticationOutcome,
} from './authenticate.ts';

let fixture: IssuerFixture;
beforeAll(async () => {
  fixture = await createIssuerFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const authenticate = (credential: string) => tryAuthenticate(fixture.signalbox, credential);

const ATTACKER_KEY = 'a key that the attacker generated';
const JWK = { kty: 'oct', k: Buffer.from(ATTACKER_KEY).toString('base64url'), alg: 'HS256' };

/** Repeated claims, appended to the payload. A parser that used the first occurrence would decide differently. */
const REPEATED_CLAIMS: [HmacName, string, AuthenticationOutcome][] = [
  ['SIGNALBOX', '"role":"NOBODY","role":"GUEST"', ACCEPTED],
  ['SIGNALBOX', '"role":"GUEST","role":"NOBODY"', REFUSED],
  ['API_KEY', '"sub":""', REFUSED],
  ['STREAM', '"user_id":1', REFUSED],
  ['TWILIO', '"grants":{"identity":"ada"}', REFUSED],
  ['OPENTOK', '"role":"nobody"', REFUSED],
  ...HMAC_NAMES.map((name): (typeof REPEATED_CLAIMS)[number] => [name, '"exp":1', EXPIRED]),
];

test.each(REPEATED_CLAIMS)(
  '%s: uses the last occurrence of a repeated claim, as with %s',
  async (name, extraClaims, outcome) => {
    expect(await authenticate(fixture.signRaw(name, extraClaims))).toEqual(outcome);
  },
);

test.each(HMAC_NAMES)('%s: never fetches the key URLs in the header', async (name) => {
  await using attacker = await startProvider();
  attacker.publish([{ ...JWK, kid: 'backend' }]);
  const header = { jku: attacker.url, x5u: attacker.url };
  expect(await authenticate(fixture.sign(name, {}, header, ATTACKER_KEY))).toEqual(REFUSED);
  expect(await authenticate(fixture.sign(name, {}, header))).toEqual(ACCEPTED);
  expect(attacker.requestedPaths).toEqual([]);
});

test('a key id that looks like a path, SQL or a prototype property is only compared', async () => {
  const names = [
    '../../../../dev/null',
    '/dev/null',
    "' OR '1'='1",
    "backend'; DROP TABLE issuers; --",
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'Backend',
    'backend ',
    'backend\0',
    '%62ackend',
    'key_',
    'key_test',
    'key_%',
    'k'.repeat(255),
    '*',
  ];
  for (const kid of names) {
    const derived = signingSecretOf(fixture.signalbox.apiKey);
    for (const secret of [SECRET, '', fixture.signalbox.apiKey, derived]) {
      const outcomes = [
        await authenticate(fixture.sign('SIGNALBOX', {}, { kid }, secret)),
        await authenticate(fixture.sign('SIGNALBOX', { iss: kid }, { kid: undefined }, secret)),
      ];
      // The operator’s key may sign as well, with the secret that is derived from it.
      const outcome = kid === 'key_test' && secret === derived ? ACCEPTED : REFUSED;
      expect({ kid, outcomes }).toEqual({ kid, outcomes: [outcome, outcome] });
    }
    expect(await authenticate(fixture.sign('TWILIO', { iss: kid }))).toEqual(REFUSED);
    expect(await authenticate(fixture.sign('OPENTOK', { iss: kid }))).toEqual(REFUSED);
    // Twilio credentials name their key by `iss`; `kid` is ignored.
    expect(await authenticate(fixture.sign('TWILIO', {}, { kid }))).toEqual(ACCEPTED);
  }
});

/** Other encodings of the same bytes. */
const ENCODINGS: [string, (credential: string) => string][] = [
  [
    'padding',
    (credential) =>
      credential
        .split('.')
        .map((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '='))
        .join('.'),
  ],
  ['a padded signature', (credential) => `${credential}=`],
  ['a dot at the end', (credential) => `${credential}.`],
  ['three dots at the end', (credential) => `${credential}...`],
  ['a dot at the start', (credential) => `.${credential}`],
  ['five parts', (credential) => `${credential}.${credential}`.split('.').slice(0, 5).join('.')],
  ['a character at the end', (credential) => `${credential}x`],
  ['the standard Base64 alphabet', (credential) => credential.replace(/[A-Za-z0-9]$/, '+')],
  ['percent-encoding', (credential) => credential.replace('.', '%2E')],
];
const WHITESPACE: [string, (credential: string) => string][] = [
  ['a space at the start', (credential) => ` ${credential}`],
  ['a newline at the end', (credential) => `${credential}\n`],
  ['a newline in the middle', (credential) => credential.replace('.', '.\n')],
  ['a space in the payload', (credential) => credential.replace(/\.(.{8})/, '.$1 ')],
  ['a NUL at the end', (credential) => `${credential}\0`],
  ['a byte order mark', (credential) => `\ufeff${credential}`],
];

test.each([...ENCODINGS, ...WHITESPACE])(
  'a credential of any kind is refused when it is encoded with %s',
  async (title, encode) => {
    for (const [name, credential] of Object.entries(await fixture.validCredentials())) {
      if (name === 'T1' && title === 'padding') continue;
      const encoded = encode(credential);
      if (encoded === credential) continue;
      const isWhitespace = WHITESPACE.some(([other]) => other === title);
      const outcome = isWhitespace
        ? { ...REFUSED, close: await tryConnect(fixture.signalbox, { token: encoded }) }
        : await authenticate(encoded);
      expect({ name, outcome }).toEqual({ name, outcome: REFUSED });
    }
  },
);
