import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProvider } from '../support/provider.ts';
import { HMAC_NAMES, openKinds, SECRET, type HmacName, type Kinds } from './kinds.ts';
import { EXPIRED, knock, present, REFUSED, TAKEN, type Fate } from './present.ts';

let kinds: Kinds;
beforeAll(async () => {
  kinds = await openKinds();
});
afterAll(() => kinds[Symbol.asyncDispose]());

const meet = (credential: string) => present(kinds.signalbox, credential);

const OWN = 'a key of the attacker’s own making';
const JWK = { kty: 'oct', k: Buffer.from(OWN).toString('base64url'), alg: 'HS256' };

/** What stands at the end is said for the second time. Whoever read the first would decide otherwise. */
const TWICE: [HmacName, string, Fate][] = [
  ['SIGNALBOX', '"role":"NOBODY","role":"GUEST"', TAKEN],
  ['SIGNALBOX', '"role":"GUEST","role":"NOBODY"', REFUSED],
  ['an API key’s', '"sub":""', REFUSED],
  ['STREAM', '"user_id":1', REFUSED],
  ['TWILIO', '"grants":{"identity":"ada"}', REFUSED],
  ['OPENTOK', '"role":"nobody"', REFUSED],
  ...HMAC_NAMES.map((name): (typeof TWICE)[number] => [name, '"exp":1', EXPIRED]),
];

test.each(TWICE)(
  '%s: what it says twice, as with %s, counts once, the last time',
  async (name, more, fate) => {
    expect(await meet(kinds.signRaw(name, more))).toEqual(fate);
  },
);

test.each(HMAC_NAMES)('%s: the addresses of keys in its header are never asked', async (name) => {
  await using evil = await startProvider();
  evil.publish([{ ...JWK, kid: 'backend' }]);
  const header = { jku: evil.url, x5u: evil.url };
  expect(await meet(kinds.sign(name, {}, header, OWN))).toEqual(REFUSED);
  expect(await meet(kinds.sign(name, {}, header))).toEqual(TAKEN);
  expect(evil.requestedPaths).toEqual([]);
});

test('the names of keys are names, and no way to a file, a table or a prototype', async () => {
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
    for (const secret of [SECRET, '', kinds.signalbox.apiKey]) {
      const fates = [
        await meet(kinds.sign('SIGNALBOX', {}, { kid }, secret)),
        await meet(kinds.sign('SIGNALBOX', { iss: kid }, { kid: undefined }, secret)),
      ];
      // The operator’s key signs too, with its whole text.
      const fate = kid === 'key_test' && secret === kinds.signalbox.apiKey ? TAKEN : REFUSED;
      expect({ kid, fates }).toEqual({ kid, fates: [fate, fate] });
    }
    expect(await meet(kinds.sign('TWILIO', { iss: kid }))).toEqual(REFUSED);
    expect(await meet(kinds.sign('OPENTOK', { iss: kid }))).toEqual(REFUSED);
    // These name their key by `iss`; a `kid` besides is nothing.
    expect(await meet(kinds.sign('TWILIO', {}, { kid }))).toEqual(TAKEN);
  }
});

/** Other ways to write down the same bytes. */
const SPELLINGS: [string, (credential: string) => string][] = [
  [
    'padding',
    (credential) =>
      credential
        .split('.')
        .map((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '='))
        .join('.'),
  ],
  ['a padded signature', (credential) => `${credential}=`],
  ['a dot behind', (credential) => `${credential}.`],
  ['three dots behind', (credential) => `${credential}...`],
  ['a dot before', (credential) => `.${credential}`],
  ['five parts', (credential) => `${credential}.${credential}`.split('.').slice(0, 5).join('.')],
  ['a word behind', (credential) => `${credential}x`],
  ['the other alphabet', (credential) => credential.replace(/[A-Za-z0-9]$/, '+')],
  ['a percent sign', (credential) => credential.replace('.', '%2E')],
];
const BLANKS: [string, (credential: string) => string][] = [
  ['a space before', (credential) => ` ${credential}`],
  ['a line end behind', (credential) => `${credential}\n`],
  ['a line end in the middle', (credential) => credential.replace('.', '.\n')],
  ['a space in the payload', (credential) => credential.replace(/\.(.{8})/, '.$1 ')],
  ['a zero behind', (credential) => `${credential}\0`],
  ['a byte order mark', (credential) => `\ufeff${credential}`],
];

test.each([...SPELLINGS, ...BLANKS])('no kind is taken when it is spelled with %s', async (what, spell) => {
  for (const [name, credential] of Object.entries(await kinds.good())) {
    if (name === 'T1' && what === 'padding') continue;
    const spelled = spell(credential);
    if (spelled === credential) continue;
    const isBlank = BLANKS.some(([title]) => title === what);
    const fate = isBlank
      ? { ...REFUSED, close: await knock(kinds.signalbox, { token: spelled }) }
      : await meet(spelled);
    expect({ name, fate }).toEqual({ name, fate: REFUSED });
  }
});
