import twilio from 'twilio';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { dissect, forge } from '../../support/forge.ts';
import { createTestVerifier, makeKey, refusalOf } from '../../support/issuers.ts';

const { AccessToken } = twilio.jwt;
const NOW = Date.UTC(2030, 0, 1);
const seconds = NOW / 1000;
const [ACCOUNT, KEY, SERVICE] = ['AC', 'SK', 'IS'].map((kind) => kind + '0'.repeat(32)) as [
  string,
  string,
  string,
];
const SECRET = 'a secret of Twilio';
const key = makeKey(KEY, SECRET);
const door = createTestVerifier('TWILIO', [key], { account: ACCOUNT, service: SERVICE });

// Twilio's package asks the system for the time.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterAll(() => void vi.useRealTimers());

interface Parts {
  account?: string;
  keyId?: string;
  secret?: string;
  service?: string | null;
  algorithm?: any;
}

function mint(
  options: { ttl?: number; nbf?: number; identity?: any; region?: string } = {},
  { account = ACCOUNT, keyId = KEY, secret = SECRET, service = SERVICE, algorithm = 'HS256' }: Parts = {},
): string {
  const token = new AccessToken(account, keyId, secret, { identity: 'alice', ...options });
  if (service !== null) token.addGrant(new AccessToken.SyncGrant({ serviceSid: service }));
  return token.toJwt(algorithm);
}

test.each(['HS256', 'HS384', 'HS512'])(
  'an access token of Twilio’s own package with %s is taken',
  async (algorithm) => {
    expect(await door.verify(mint({}, { algorithm }), NOW)).toEqual({
      key,
      claims: {
        subject: 'alice',
        identity: 'alice',
        role: null,
        grants: null,
        connectionData: null,
        channels: [],
        issuedAt: NOW,
        expiresAt: NOW + 3_600_000,
        isOneCredential: false,
      },
    });
  },
);

test('a number as identity is a string by the time it is here, and a region changes nothing', async () => {
  expect((await door.verify(mint({ identity: 42, region: 'ie1' }), NOW)).claims.identity).toBe('42');
});

test('it lives a day at most, and until its end', async () => {
  expect((await door.verify(mint({ ttl: 86_400 }), NOW)).claims.expiresAt).toBe(NOW + 86_400_000);
  expect(await refusalOf(() => door.verify(mint({ ttl: 86_401 }), NOW))).toBe(
    'UNAUTHENTICATED: The credential is refused: it lives 86401 seconds; at most 86400 are allowed.',
  );
  expect(await refusalOf(() => door.verify(mint({ ttl: 60 }), NOW + 59_999))).toBe('accepted');
  expect(await refusalOf(() => door.verify(mint({ ttl: 60 }), NOW + 60_000))).toMatch('TOKEN_EXPIRED');
  // That it has expired is not all that is wrong with it.
  expect(await refusalOf(() => door.verify(mint({ ttl: 86_401 }), NOW + 1e9))).toMatch('UNAUTHENTICATED');
});

test('its nbf holds, with a little patience', async () => {
  expect(await refusalOf(() => door.verify(mint({ nbf: seconds + 5 }), NOW))).toBe('accepted');
  expect(await refusalOf(() => door.verify(mint({ nbf: seconds + 100 }), NOW))).toMatch(
    'it is not valid yet',
  );
});

test('an issuer that names no account and no service takes those of any', async () => {
  const open = createTestVerifier('TWILIO', [key]);
  const credential = mint({}, { account: 'ACother', service: 'ISother' });
  expect((await open.verify(credential, NOW)).claims.identity).toBe('alice');
});

const other: [string, () => string, string][] = [
  ['another account', () => mint({}, { account: 'ACother' }), 'its “sub” is not the account of its issuer'],
  [
    'another service',
    () => mint({}, { service: 'ISother' }),
    'its grant is not for the service of its issuer',
  ],
  ['no grant for Sync', () => mint({}, { service: null }), 'it has no grant for Sync'],
  ['another key', () => mint({}, { keyId: 'SKother' }), 'no key of its issuer signed it'],
  ['another secret', () => mint({}, { secret: 'another' }), 'no key of its issuer signed it'],
];

test.each(other)('%s is refused', async (_, mint, why) => {
  expect(await refusalOf(() => door.verify(mint(), NOW))).toBe(
    `UNAUTHENTICATED: The credential is refused: ${why}.`,
  );
});

test('an identity with a reserved character is refused by the character and its position', async () => {
  expect(await refusalOf(() => door.verify(mint({ identity: 'a/b' }), NOW))).toBe(
    'UNAUTHENTICATED: The credential is refused: its “grants.identity”: has "/" at position 1; allowed are letters, digits and _ . | ~ @ + -.',
  );
});

test('a grant for Sync without its service is none for a certain one', async () => {
  const token = new AccessToken(ACCOUNT, KEY, SECRET, { identity: 'alice' });
  token.addGrant(new AccessToken.SyncGrant());
  expect(await refusalOf(() => door.verify(token.toJwt(), NOW))).toMatch('its grant is not for the service');
});

const forged: [string, object, object][] = [
  ['another typ', { typ: 'jwt' }, {}],
  ['no typ', { typ: undefined }, {}],
  ['no exp', {}, { exp: undefined }],
  ['no iat', {}, { iat: undefined }],
  ['an exp in text', {}, { exp: String(seconds + 60) }],
  ['an exp without end', {}, { exp: 1e300 }],
  ['a future iat', {}, { iat: seconds + 6, exp: seconds + 60 }],
  ['grants that are a list', {}, { grants: [] }],
  ['no grants', {}, { grants: undefined }],
  ['no identity', {}, { grants: { data_sync: { service_sid: SERVICE } } }],
  ['an empty identity', {}, { grants: { identity: '', data_sync: { service_sid: SERVICE } } }],
  ['a number as identity', {}, { grants: { identity: 42, data_sync: { service_sid: SERVICE } } }],
  ['a grant that is text', {}, { grants: { identity: 'alice', data_sync: SERVICE } }],
  ['no sub', {}, { sub: undefined }],
];

test.each(forged)('even signed, %s is refused', async (_, header, payload) => {
  const real = dissect(mint());
  const sign = (header: object, payload: object) =>
    door.verify(forge({ ...real.header, ...header }, { ...real.payload, ...payload }, SECRET), NOW);
  expect(await refusalOf(() => sign({}, {}))).toBe('accepted');
  expect(await refusalOf(() => sign(header, payload))).toMatch('UNAUTHENTICATED');
});

test('what an object inherits is no identity', async () => {
  const { header, payload } = dissect(mint());
  const text = JSON.stringify({ ...payload, grants: 0 }).replace(
    '"grants":0',
    `"grants":{"__proto__":{"identity":"root"},"data_sync":{"service_sid":"${SERVICE}"}}`,
  );
  expect(await refusalOf(() => door.verify(forge(header, text, SECRET), NOW))).toMatch('UNAUTHENTICATED');
});
