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
const verifier = createTestVerifier('OPENTOK', [key]);
// npm opentok has no types.
const OpenTok = createRequire(import.meta.url)('opentok');
const opentok = new OpenTok(KEY, SECRET);

// npm opentok reads the system clock.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterAll(() => void vi.useRealTimers());

const LAYOUTS: ['JWT' | 'T1', boolean][] = [
  ['JWT', false],
  ['T1', true],
];
const mint = (options: object = {}, asT1 = false, session = SESSION): string =>
  opentok.generateToken(session, options, asT1);
const refusal = (credential: string, now = NOW) => refusalOf(() => verifier.verify(credential, now));

/** Builds a T1 token without the SDK, so that it may be malformed. */
function t1(signed: string | Buffer, { head = '', secret = SECRET, partner = KEY } = {}): string {
  const sig = createHmac('sha1', secret).update(signed).digest('hex');
  const text = Buffer.concat([Buffer.from(`partner_id=${partner}${head}&sig=${sig}:`), Buffer.from(signed)]);
  return `T1==${text.toString('base64')}`;
}

/** The data string of the SDK for PHP. */
const phpFields = (more = '', role = 'publisher') =>
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
  'accepts a %s token of npm opentok (T1: %s) with the role %s as %s',
  async (_, asT1, role, expectedRole, actions) => {
    const data = 'name=Jo & Co: +1 é';
    const options = { ...(role && { role }), data, initialLayoutClassList: ['a', 'b'] };
    const { claims, key: signer } = await verifier.verify(mint(options, asT1), NOW);
    expect(signer).toBe(key);
    expect(claims).toEqual({
      subject: expect.stringMatching(/^[\w-]{43}$/),
      identity: null,
      role: expectedRole,
      grants: [{ channels: SESSION, actions }],
      connectionData: data,
      channels: [SESSION],
      issuedAt: NOW,
      expiresAt: NOW + DAY * 1000,
      isSingleCredential: true,
    });
  },
);

const FIXTURE =
  'T1==cGFydG5lcl9pZD0xMjM0NTYmc2lnPWRmOTRhNjQ1NTlhY2MwNjFkN2EzNzUyYTZmYzY5NDkzZTkzOGMxOTE6c2Vzc2lvbl9pZD0xX01YNHhNak0wTlRaLWZsTmhkQ0JOWVhJZ01UVWdNVFE2TkRJNk1qTWdVRVJVSURJd01UUi1NQzQwT1RBeE16QXlOWDQmY3JlYXRlX3RpbWU9MTQyNDIyMTAxMyZub25jZT0wLjM5NDI2MDk4ODEwNTA4ODUmcm9sZT1tb2RlcmF0b3ImZXhwaXJlX3RpbWU9MTQyNDMwNzQxMyZjb25uZWN0aW9uX2RhdGE9JTdCJTIybmFtZSUyMiUzQSUyMnZhbHVlJTIyJTdE';

test('accepts the T1 fixture of OpenTok’s own tests until it expires', async () => {
  const createdAt = 1_424_221_013_000;
  const { claims } = await verifier.verify(FIXTURE, createdAt);
  expect(claims).toMatchObject({
    role: 'MODERATOR',
    connectionData: '{"name":"value"}',
    channels: [SESSION],
    issuedAt: createdAt,
    expiresAt: 1_424_307_413_000,
  });
  expect(await refusal(FIXTURE, 1_424_307_412_999)).toBe('accepted');
  expect(await refusal(FIXTURE, 1_424_307_413_000)).toMatch('TOKEN_EXPIRED');
});

test('gives each token its own subject, independent of the unsigned head of a T1 token', async () => {
  const subjectOf = async (credential: string) => (await verifier.verify(credential, NOW)).claims.subject;
  expect(await subjectOf(mint())).not.toBe(await subjectOf(mint({ role: 'subscriber' })));
  expect(await subjectOf(t1(phpFields()))).toBe(
    await subjectOf(t1(phpFields(), { head: '&sdk_version=tbphp-v0.91' })),
  );
});

test.each([
  ['the SDK for PHP, without expire_time', phpFields(), { role: 'PUBLISHER', expiresAt: NOW + DAY * 1000 }],
  [
    'the SDK for PHP, with every option',
    phpFields(`&expire_time=${seconds + 60}&connection_data=name%3DJo+Co`, 'moderator'),
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
  [
    'an SDK that does not encode connection data',
    phpFields('&connection_data=Zoë'),
    { connectionData: 'Zoë' },
  ],
])('accepts a T1 token of %s', async (_, signed, claims) => {
  expect((await verifier.verify(t1(signed), NOW)).claims).toMatchObject(claims);
  expect(
    (await verifier.verify(t1(signed, { head: '&sdk_version=tbphp-v0.91.2011' }), NOW)).claims,
  ).toMatchObject(claims);
});

test.each(LAYOUTS)('refuses a %s token that lives longer than 30 days', async (_, asT1) => {
  const days = (count: number, more = 0) => mint({ expireTime: seconds + count * DAY + more }, asT1);
  expect((await verifier.verify(days(30), NOW)).claims.expiresAt).toBe(NOW + 30 * DAY * 1000);
  expect(await refusal(days(30, 1))).toMatch('its lifetime is 2592001 seconds; at most 2592000 are allowed.');
  expect(await refusal(days(31))).toMatch('UNAUTHENTICATED');
  expect(await refusal(days(31), NOW + 60 * DAY * 1000)).toMatch('UNAUTHENTICATED');
  expect(await refusal(days(1), NOW + DAY * 1000)).toMatch('TOKEN_EXPIRED');
});

test.each(LAYOUTS)(
  'refuses a %s token with more than 1,000 characters of connection data',
  async (_, asT1) => {
    expect(await refusal(mint({ data: 'x'.repeat(1000) }, asT1))).toBe('accepted');
    expect(await refusal(mint({ data: 'x'.repeat(1001) }, asT1))).toMatch('has 1001 characters');
    expect(await refusal(mint({ data: 'x'.repeat(1024) }, asT1))).toMatch('UNAUTHENTICATED');
  },
);

test('refuses a session id of another API key in a JWT and in a T1 token', async () => {
  const jwt = (session_id: unknown) => {
    const { header, payload } = dissect(mint());
    return forge(header, { ...payload, session_id }, SECRET);
  };
  const t1Of = (session: string) => t1(phpFields().replace(SESSION, session));
  for (const session of [SESSION, sessionOf(KEY), sessionOf(KEY, '1_')]) {
    expect([await refusal(jwt(session)), await refusal(t1Of(session))]).toEqual(['accepted', 'accepted']);
  }
  const foreign = [
    sessionOf('654321'),
    sessionOf(KEY, '3_'),
    sessionOf(KEY, ''),
    sessionOf(''),
    'lobby',
    '1_',
    '',
  ];
  for (const session of foreign) {
    expect(await refusal(jwt(session))).toMatch('UNAUTHENTICATED');
    expect(await refusal(t1Of(session))).toMatch('UNAUTHENTICATED');
  }
  for (const session of [1, null, [SESSION], undefined])
    expect(await refusal(jwt(session))).toMatch('UNAUTHENTICATED');
  // A session of the second API key, signed with the first one.
  const both = createTestVerifier('OPENTOK', [key, makeKey('654321', 'another secret')]);
  expect(await refusalOf(() => both.verify(jwt(sessionOf('654321')), NOW))).toMatch('UNAUTHENTICATED');
});

test.each([
  ['a role injected through unencoded connection data', phpFields('&connection_data=x&role=moderator')],
  [
    'a percent-encoded role injected through connection data',
    phpFields('&connection_data=x&rol%65=moderator'),
  ],
  [
    'a session injected through connection data',
    phpFields(`&connection_data=x&session_id=${sessionOf(KEY)}`),
  ],
  ['two expire_times', phpFields(`&expire_time=${seconds + 9}&expire_time=${seconds + 99}`)],
  ['a role and permissions', `session_id=${SESSION}&create_time=${seconds}&permissions=x&role=moderator`],
  ['a field without a value', phpFields('&connection_data=x&y')],
  ['a truncated percent-encoding', phpFields('&connection_data=%E0%A4%A')],
  ['a lone percent sign', phpFields('&connection_data=100%')],
  ['bytes that are not UTF-8', Buffer.from(phpFields('&connection_data=\xe9'), 'latin1')],
  ['a percent-encoding that is not UTF-8', phpFields('&connection_data=%E9')],
  ['no create_time', `session_id=${SESSION}&role=publisher&nonce=1`],
  ['a create_time that is not a number', phpFields().replace(`=${seconds}`, '=now')],
  ['a create_time in hexadecimal', phpFields().replace(`=${seconds}`, '=0x70')],
  ['an empty expire_time', phpFields('&expire_time=')],
  ['a negative expire_time', phpFields('&expire_time=-1')],
  ['an expire_time of 400 digits', phpFields(`&expire_time=${'9'.repeat(400)}`)],
  ['a create_time in the future', phpFields().replace(`=${seconds}`, `=${seconds + 6}`)],
  ['an unknown role', phpFields('', 'admin')],
  ['the role constructor', phpFields('', 'constructor')],
  ['an empty role', phpFields('', '')],
  ['another scope', phpFields('&scope=session.archive')],
  ['a control character in connection_data', phpFields('&connection_data=%00')],
  ['no fields', ''],
])('refuses a signed T1 token with %s', async (_, signed) => {
  expect(await refusal(t1(signed))).toMatch('UNAUTHENTICATED');
});

test('refuses a T1 token that the API key of its partner_id did not sign', async () => {
  const invalidSignature =
    'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it; check the id of the key, the secret and the algorithm.';
  expect(await refusal(t1(phpFields(), { secret: 'another' }))).toBe(invalidSignature);
  expect(await refusal(t1(phpFields(), { secret: '' }))).toBe(invalidSignature);
  expect(await refusal(t1(phpFields(), { partner: '654321' }))).toBe(invalidSignature);
  const both = createTestVerifier('OPENTOK', [key, makeKey('654321', 'another secret')]);
  expect(await refusalOf(() => both.verify(t1(phpFields(), { partner: '654321' }), NOW))).toBe(
    invalidSignature,
  );
  // The signature is over the bytes: another encoding of the same fields is not signed.
  const [head, rest] = [t1(phpFields()), phpFields().replace('publisher', 'p%75blisher')];
  const sig = Buffer.from(head.slice(4), 'base64').toString().split(':')[0];
  expect(await refusal(`T1==${Buffer.from(`${sig}:${rest}`).toString('base64')}`)).toBe(invalidSignature);
});

test('refuses a T1 token with any single bit flipped', async () => {
  const bytes = Buffer.from(mint({ role: 'subscriber', data: 'x' }, true).slice(4), 'base64');
  for (let index = 0; index < bytes.length; index++) {
    // Bit 5 only changes the case of a hexadecimal digit of sig.
    for (const bit of [0, 1, 2, 3, 4, 7]) {
      const flipped = Buffer.from(bytes);
      flipped[index]! ^= 1 << bit;
      const outcome = await refusalOf(() => verifier.verify(`T1==${flipped.toString('base64')}`, NOW));
      expect(outcome, `bit ${bit} of byte ${index}`).toMatch('UNAUTHENTICATED');
    }
  }
});

const minted = () => dissect(mint());
const jwt = (payload: object, header: object = {}, secret = SECRET, hash = 'sha256') =>
  forge({ ...minted().header, ...header }, { ...minted().payload, ...payload }, secret, hash);

test('refuses an OpenTok REST API token, which the same secret signs', async () => {
  const rest: string = opentok.generateJwt();
  expect(dissect(rest).payload).toMatchObject({ iss: KEY, ist: 'project' });
  expect(await refusal(rest)).toBe(
    'UNAUTHENTICATED: The credential is refused: it is for a REST API, not for a connection; mint a token whose “scope” is session.connect.',
  );
  const context = { now: NOW, maxGrants: 1 };
  expect(await refusalOf(() => verifyOpentok(rest, makeIssuer('OPENTOK'), [key], context))).toMatch(
    'it has no “scope”',
  );
});

test('expires at the earlier of exp and expire_time, and after a day without both', async () => {
  const expiresAt = async (payload: object) => (await verifier.verify(jwt(payload), NOW)).claims.expiresAt;
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
  ['an asymmetric algorithm', {}, { alg: 'RS256' }],
  ['another scope', { scope: 'session.archive' }],
  ['neither create_time nor iat', { create_time: undefined, iat: undefined }],
  ['a create_time in the future', { create_time: seconds + 6 }],
  ['an iat in the future', { iat: seconds + 6 }],
  ['an exp that is a string', { exp: String(seconds + 60) }],
  ['a role that is a list', { role: ['moderator'] }],
  ['connection_data that is an object', { connection_data: {} }],
])('refuses a JWT with %s', async (_, payload, header, secret, hash) => {
  expect(await refusal(jwt({}))).toBe('accepted');
  expect(await refusalOf(() => verifier.verify(jwt(payload, header, secret, hash), NOW))).not.toBe(
    'accepted',
  );
});

test('refuses a token that names another API key in the verifier too, when classification is skipped', async () => {
  const context = { now: NOW, maxGrants: 1 };
  const verify = (credential: string) =>
    refusalOf(() => verifyOpentok(credential, makeIssuer('OPENTOK'), [key], context));
  expect([await verify(t1(phpFields())), await verify(jwt({}))]).toEqual(['accepted', 'accepted']);
  expect(await verify(t1(phpFields(), { partner: '654321' }))).toMatch('no key of its issuer signed it');
  expect(await verify(jwt({ iss: '654321' }))).toMatch('its “iss” must be the API key that signed it');
});
