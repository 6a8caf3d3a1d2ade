import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ACTIONS } from '../../../src/projects/permissions.ts';
import { verifyOpentok } from '../../../src/tokens/issuers/opentok.ts';
import { dissect, forge } from '../../support/forge.ts';
import { createTestVerifier, makeIssuer, makeKey, refusalOf } from '../../support/issuers.ts';

const NOW = Date.UTC(2030, 0, 1);
const seconds = NOW / 1000;
const DAY = 86_400;
const [KEY, SECRET] = ['123456', '1234567890abcdef1234567890abcdef1234567890'];
const SESSION = '1_MX4xMjM0NTZ-flNhdCBNYXIgMTUgMTQ6NDI6MjMgUERUIDIwMTR-MC40OTAxMzAyNX4';
const sessionOf = (key: string, prefix = '2_') =>
  prefix + Buffer.from(`1~${key}~~Sat Mar 15 2014~0.5~`).toString('base64url');
const key = makeKey(KEY, SECRET);
const door = createTestVerifier('OPENTOK', [key]);
// It has no types of its own.
const OpenTok = createRequire(import.meta.url)('opentok');
const opentok = new OpenTok(KEY, SECRET);

// OpenTok's package asks the system for the time.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterAll(() => void vi.useRealTimers());

const LAYOUTS: ['JWT' | 'T1', boolean][] = [
  ['JWT', false],
  ['T1', true],
];
const mint = (options: object = {}, asT1 = false, session = SESSION): string =>
  opentok.generateToken(session, options, asT1);
const refusal = (credential: string, now = NOW) => refusalOf(() => door.verify(credential, now));

/** A T1 token by hand. */
function t1(signed: string | Buffer, { head = '', secret = SECRET, partner = KEY } = {}): string {
  const sig = createHmac('sha1', secret).update(signed).digest('hex');
  const text = Buffer.concat([Buffer.from(`partner_id=${partner}${head}&sig=${sig}:`), Buffer.from(signed)]);
  return `T1==${text.toString('base64')}`;
}

/** As the SDK for PHP wrote them. */
const php = (more = '', role = 'publisher') =>
  `session_id=${SESSION}&create_time=${seconds}&role=${role}&nonce=0.1893${more}`;

const READ = ['SUBSCRIBE', 'PRESENCE'];
const ROLES: [string | undefined, string, readonly string[]][] = [
  ['subscriber', 'SUBSCRIBER', READ],
  ['publisher', 'PUBLISHER', ['SUBSCRIBE', 'PUBLISH', 'PRESENCE']],
  [undefined, 'PUBLISHER', ['SUBSCRIBE', 'PUBLISH', 'PRESENCE']],
  ['publisheronly', 'PUBLISHER', ['PUBLISH']],
  ['moderator', 'MODERATOR', ACTIONS],
];

test.each(ROLES.flatMap((row) => LAYOUTS.map((layout) => [...layout, ...row] as const)))(
  'a %s of OpenTok’s own package (T1: %s) with the role %s is taken as %s',
  async (_, asT1, role, ours, actions) => {
    const data = 'name=Jo & Co: +1 é';
    const options = { ...(role && { role }), data, initialLayoutClassList: ['a', 'b'] };
    const { claims, key: signer } = await door.verify(mint(options, asT1), NOW);
    expect(signer).toBe(key);
    expect(claims).toEqual({
      subject: expect.stringMatching(/^[\w-]{43}$/),
      identity: null,
      role: ours,
      grants: [{ channels: SESSION, actions }],
      connectionData: data,
      channels: [SESSION],
      issuedAt: NOW,
      expiresAt: NOW + DAY * 1000,
      isOneCredential: true,
    });
  },
);

const FIXTURE =
  'T1==cGFydG5lcl9pZD0xMjM0NTYmc2lnPWRmOTRhNjQ1NTlhY2MwNjFkN2EzNzUyYTZmYzY5NDkzZTkzOGMxOTE6c2Vzc2lvbl9pZD0xX01YNHhNak0wTlRaLWZsTmhkQ0JOWVhJZ01UVWdNVFE2TkRJNk1qTWdVRVJVSURJd01UUi1NQzQwT1RBeE16QXlOWDQmY3JlYXRlX3RpbWU9MTQyNDIyMTAxMyZub25jZT0wLjM5NDI2MDk4ODEwNTA4ODUmcm9sZT1tb2RlcmF0b3ImZXhwaXJlX3RpbWU9MTQyNDMwNzQxMyZjb25uZWN0aW9uX2RhdGE9JTdCJTIybmFtZSUyMiUzQSUyMnZhbHVlJTIyJTdE';

test('the token that the vendor’s own tests hold is taken as long as it lived', async () => {
  const then = 1_424_221_013_000;
  const { claims } = await door.verify(FIXTURE, then);
  expect(claims).toMatchObject({
    role: 'MODERATOR',
    connectionData: '{"name":"value"}',
    channels: [SESSION],
    issuedAt: then,
    expiresAt: 1_424_307_413_000,
  });
  expect(await refusal(FIXTURE, 1_424_307_412_999)).toBe('accepted');
  expect(await refusal(FIXTURE, 1_424_307_413_000)).toMatch('TOKEN_EXPIRED');
});

test('each credential is its own subject, however its envelope is spelled', async () => {
  const subjectOf = async (credential: string) => (await door.verify(credential, NOW)).claims.subject;
  expect(await subjectOf(mint())).not.toBe(await subjectOf(mint({ role: 'subscriber' })));
  expect(await subjectOf(t1(php()))).toBe(await subjectOf(t1(php(), { head: '&sdk_version=tbphp-v0.91' })));
});

test.each([
  ['the SDK for PHP, without an end', php(), { role: 'PUBLISHER', expiresAt: NOW + DAY * 1000 }],
  [
    'the SDK for PHP, with all it can say',
    php(`&expire_time=${seconds + 60}&connection_data=name%3DJo+Co`, 'moderator'),
    { role: 'MODERATOR', expiresAt: NOW + 60_000, connectionData: 'name=Jo Co' },
  ],
  [
    'the oldest SDKs',
    `session_id=${SESSION}&create_time=${seconds}&permissions=subscribe%2Cpublish&nonce=1`,
    { role: 'PUBLISHER', connectionData: null },
  ],
  [
    'an SDK without roles',
    `create_time=${seconds}&session_id=${SESSION}&nonce=1`,
    { role: 'PUBLISHER', connectionData: null },
  ],
  ['an SDK that escapes nothing', php('&connection_data=Zoë'), { connectionData: 'Zoë' }],
])('T1 of %s is taken', async (_, signed, claims) => {
  expect((await door.verify(t1(signed), NOW)).claims).toMatchObject(claims);
  expect(
    (await door.verify(t1(signed, { head: '&sdk_version=tbphp-v0.91.2011' }), NOW)).claims,
  ).toMatchObject(claims);
});

test.each(LAYOUTS)('it lives thirty days at most (%s)', async (_, asT1) => {
  const days = (count: number, more = 0) => mint({ expireTime: seconds + count * DAY + more }, asT1);
  expect((await door.verify(days(30), NOW)).claims.expiresAt).toBe(NOW + 30 * DAY * 1000);
  expect(await refusal(days(30, 1))).toMatch('it lives 2592001 seconds; at most 2592000 are allowed.');
  expect(await refusal(days(31))).toMatch('UNAUTHENTICATED');
  expect(await refusal(days(31), NOW + 60 * DAY * 1000)).toMatch('UNAUTHENTICATED');
  expect(await refusal(days(1), NOW + DAY * 1000)).toMatch('TOKEN_EXPIRED');
});

test.each(LAYOUTS)('connection data have 1,000 characters at most (%s)', async (_, asT1) => {
  expect(await refusal(mint({ data: 'x'.repeat(1000) }, asT1))).toBe('accepted');
  expect(await refusal(mint({ data: 'x'.repeat(1001) }, asT1))).toMatch('has 1001 characters');
  expect(await refusal(mint({ data: 'x'.repeat(1024) }, asT1))).toMatch('UNAUTHENTICATED');
});

test('a session is of the key that signs, in either layout', async () => {
  const jwt = (session_id: unknown) => {
    const { header, payload } = dissect(mint());
    return forge(header, { ...payload, session_id }, SECRET);
  };
  const form = (session: string) => t1(php().replace(SESSION, session));
  for (const session of [SESSION, sessionOf(KEY), sessionOf(KEY, '1_')]) {
    expect([await refusal(jwt(session)), await refusal(form(session))]).toEqual(['accepted', 'accepted']);
  }
  const wrong = [
    sessionOf('654321'),
    sessionOf(KEY, '3_'),
    sessionOf(KEY, ''),
    sessionOf(''),
    'lobby',
    '1_',
    '',
  ];
  for (const session of wrong) {
    expect(await refusal(jwt(session))).toMatch('UNAUTHENTICATED');
    expect(await refusal(form(session))).toMatch('UNAUTHENTICATED');
  }
  for (const session of [1, null, [SESSION], undefined])
    expect(await refusal(jwt(session))).toMatch('UNAUTHENTICATED');
  // Another's session, which the key of that other would have to sign.
  const both = createTestVerifier('OPENTOK', [key, makeKey('654321', 'another secret')]);
  expect(await refusalOf(() => both.verify(jwt(sessionOf('654321')), NOW))).toMatch('UNAUTHENTICATED');
});

test.each([
  ['another role after unescaped data', php('&connection_data=x&role=moderator')],
  ['another role in other spelling', php('&connection_data=x&rol%65=moderator')],
  ['another session', php(`&connection_data=x&session_id=${sessionOf(KEY)}`)],
  ['an end twice', php(`&expire_time=${seconds + 9}&expire_time=${seconds + 99}`)],
  ['a role beside permissions', `session_id=${SESSION}&create_time=${seconds}&permissions=x&role=moderator`],
  ['a piece without a value', php('&connection_data=x&y')],
  ['a broken escape', php('&connection_data=%E0%A4%A')],
  ['a lone percent sign', php('&connection_data=100%')],
  ['bytes that are not UTF-8', Buffer.from(php('&connection_data=\xe9'), 'latin1')],
  ['escapes that are not UTF-8', php('&connection_data=%E9')],
  ['no time of creation', `session_id=${SESSION}&role=publisher&nonce=1`],
  ['a time of creation that is no number', php().replace(`=${seconds}`, '=now')],
  ['a time of creation in hexadecimal', php().replace(`=${seconds}`, '=0x70')],
  ['an empty end', php('&expire_time=')],
  ['an end below zero', php('&expire_time=-1')],
  ['an end beyond numbers', php(`&expire_time=${'9'.repeat(400)}`)],
  ['a creation in the future', php().replace(`=${seconds}`, `=${seconds + 6}`)],
  ['a role that is unknown', php('', 'admin')],
  ['a role that every object has', php('', 'constructor')],
  ['an empty role', php('', '')],
  ['another scope', php('&scope=session.archive')],
  ['control characters in its data', php('&connection_data=%00')],
  ['nothing', ''],
])('even signed, a T1 with %s is refused', async (_, signed) => {
  expect(await refusal(t1(signed))).toMatch('UNAUTHENTICATED');
});

test('a T1 is signed with the secret of the key that it names', async () => {
  const wrong = 'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it.';
  expect(await refusal(t1(php(), { secret: 'another' }))).toBe(wrong);
  expect(await refusal(t1(php(), { secret: '' }))).toBe(wrong);
  expect(await refusal(t1(php(), { partner: '654321' }))).toBe(wrong);
  const both = createTestVerifier('OPENTOK', [key, makeKey('654321', 'another secret')]);
  expect(await refusalOf(() => both.verify(t1(php(), { partner: '654321' }), NOW))).toBe(wrong);
  // What is signed is what stands there, not what it means.
  const [head, rest] = [t1(php()), php().replace('publisher', 'p%75blisher')];
  const sig = Buffer.from(head.slice(4), 'base64').toString().split(':')[0];
  expect(await refusal(`T1==${Buffer.from(`${sig}:${rest}`).toString('base64')}`)).toBe(wrong);
});

test('one bit flipped anywhere makes a T1 another', async () => {
  const bytes = Buffer.from(mint({ role: 'subscriber', data: 'x' }, true).slice(4), 'base64');
  for (let index = 0; index < bytes.length; index++) {
    // The case of a hexadecimal digit is the one bit that means nothing.
    for (const bit of [0, 1, 2, 3, 4, 7]) {
      const flipped = Buffer.from(bytes);
      flipped[index]! ^= 1 << bit;
      const refused = await refusalOf(() => door.verify(`T1==${flipped.toString('base64')}`, NOW));
      expect(refused, `bit ${bit} of byte ${index}`).toMatch('UNAUTHENTICATED');
    }
  }
});

const real = () => dissect(mint());
const jwt = (payload: object, header: object = {}, secret = SECRET, hash = 'sha256') =>
  forge({ ...real().header, ...header }, { ...real().payload, ...payload }, secret, hash);

test('the token for the REST API is none for a connection, though the same secret signs it', async () => {
  const rest: string = opentok.generateJwt();
  expect(dissect(rest).payload).toMatchObject({ iss: KEY, ist: 'project' });
  expect(await refusal(rest)).toBe(
    'UNAUTHENTICATED: The credential is refused: it is for a REST API, not for a connection.',
  );
  const at = { now: NOW, maxGrants: 1 };
  expect(await refusalOf(() => verifyOpentok(rest, makeIssuer('OPENTOK'), [key], at))).toMatch(
    'it has no “scope”',
  );
});

test('of two ends the earlier holds, and without any it is a day', async () => {
  const expiresAt = async (payload: object) => (await door.verify(jwt(payload), NOW)).claims.expiresAt;
  expect(await expiresAt({ exp: seconds + 60, expire_time: seconds + 90 })).toBe(NOW + 60_000);
  expect(await expiresAt({ exp: seconds + 90, expire_time: seconds + 60 })).toBe(NOW + 60_000);
  expect(await expiresAt({ exp: undefined, expire_time: seconds + 60 })).toBe(NOW + 60_000);
  expect(await expiresAt({ exp: seconds + 60, expire_time: undefined })).toBe(NOW + 60_000);
  expect(await expiresAt({ exp: undefined, expire_time: undefined })).toBe(NOW + DAY * 1000);
  expect(await expiresAt({ create_time: undefined })).toBe(NOW + DAY * 1000);
});

test.each<[string, object, object?, string?, string?]>([
  ['another secret', {}, {}, 'another'],
  ['another algorithm', {}, { alg: 'HS512' }, SECRET, 'sha512'],
  ['an algorithm with public keys', {}, { alg: 'RS256' }],
  ['another scope', { scope: 'session.archive' }],
  ['no time of creation at all', { create_time: undefined, iat: undefined }],
  ['a creation in the future', { create_time: seconds + 6 }],
  ['an issue in the future', { iat: seconds + 6 }],
  ['an end in text', { exp: String(seconds + 60) }],
  ['an end that is null', { expire_time: null }],
  ['a role that is null', { role: ['moderator'] }],
  ['data that are an object', { connection_data: {} }],
])('a JWT with %s is refused', async (_, payload, header, secret, hash) => {
  expect(await refusal(jwt({}))).toBe('accepted');
  expect(await refusalOf(() => door.verify(jwt(payload, header, secret, hash), NOW))).not.toBe('accepted');
});

test('a key signs for itself only, whoever asks the verifier', async () => {
  const at = { now: NOW, maxGrants: 1 };
  const ask = (credential: string) =>
    refusalOf(() => verifyOpentok(credential, makeIssuer('OPENTOK'), [key], at));
  expect([await ask(t1(php())), await ask(jwt({}))]).toEqual(['accepted', 'accepted']);
  expect(await ask(t1(php(), { partner: '654321' }))).toMatch('no key of its issuer signed it');
  expect(await ask(jwt({ iss: '654321' }))).toMatch('its “iss” is not the key that signed it');
});
