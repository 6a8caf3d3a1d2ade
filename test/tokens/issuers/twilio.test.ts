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
const verifier = createTestVerifier('TWILIO', [key], { account: ACCOUNT, service: SERVICE });

// npm twilio reads the system clock.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterAll(() => void vi.useRealTimers());

interface MintOptions {
  account?: string;
  keyId?: string;
  secret?: string;
  service?: string | null;
  algorithm?: any;
}

function mint(
  options: { ttl?: number; nbf?: number; identity?: any; region?: string } = {},
  {
    account = ACCOUNT,
    keyId = KEY,
    secret = SECRET,
    service = SERVICE,
    algorithm = 'HS256',
  }: MintOptions = {},
): string {
  const token = new AccessToken(account, keyId, secret, { identity: 'alice', ...options });
  if (service !== null) token.addGrant(new AccessToken.SyncGrant({ serviceSid: service }));
  return token.toJwt(algorithm);
}

test.each(['HS256', 'HS384', 'HS512'])(
  'accepts an access token of npm twilio signed with %s',
  async (algorithm) => {
    expect(await verifier.verify(mint({}, { algorithm }), NOW)).toEqual({
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
        isSingleCredential: false,
      },
    });
  },
);

test('accepts a numeric identity, which npm twilio mints as a string, and ignores the region', async () => {
  expect((await verifier.verify(mint({ identity: 42, region: 'ie1' }), NOW)).claims.identity).toBe('42');
});

test('accepts a lifetime of at most 86,400 seconds, until the token expires', async () => {
  expect((await verifier.verify(mint({ ttl: 86_400 }), NOW)).claims.expiresAt).toBe(NOW + 86_400_000);
  expect(await refusalOf(() => verifier.verify(mint({ ttl: 86_401 }), NOW))).toBe(
    'UNAUTHENTICATED: The credential is refused: its lifetime is 86401 seconds; at most 86400 are allowed.',
  );
  expect(await refusalOf(() => verifier.verify(mint({ ttl: 60 }), NOW + 59_999))).toBe('accepted');
  expect(await refusalOf(() => verifier.verify(mint({ ttl: 60 }), NOW + 60_000))).toMatch('TOKEN_EXPIRED');
  // Expired, but also too long: TOKEN_EXPIRED is for tokens that are otherwise valid.
  expect(await refusalOf(() => verifier.verify(mint({ ttl: 86_401 }), NOW + 1e9))).toMatch('UNAUTHENTICATED');
});

test('refuses a token before its nbf, with 5 seconds of tolerance', async () => {
  expect(await refusalOf(() => verifier.verify(mint({ nbf: seconds + 5 }), NOW))).toBe('accepted');
  expect(await refusalOf(() => verifier.verify(mint({ nbf: seconds + 100 }), NOW))).toMatch(
    'it is not valid yet',
  );
});

test('accepts any account and service when the issuer names none', async () => {
  const unrestricted = createTestVerifier('TWILIO', [key]);
  const credential = mint({}, { account: 'ACother', service: 'ISother' });
  expect((await unrestricted.verify(credential, NOW)).claims.identity).toBe('alice');
});

const mismatches: [string, () => string, string][] = [
  [
    'another account',
    () => mint({}, { account: 'ACother' }),
    'its “sub” must be the account SID of its issuer',
  ],
  [
    'another service',
    () => mint({}, { service: 'ISother' }),
    'its Sync grant must name the service SID of its issuer',
  ],
  [
    'no grant for Sync',
    () => mint({}, { service: null }),
    'it has no Sync grant; add a SyncGrant to the access token',
  ],
  [
    'another key',
    () => mint({}, { keyId: 'SKother' }),
    'no key of its issuer signed it; check the id of the key, the secret and the algorithm',
  ],
  [
    'another secret',
    () => mint({}, { secret: 'another' }),
    'no key of its issuer signed it; check the id of the key, the secret and the algorithm',
  ],
];

test.each(mismatches)('refuses a token with %s', async (_, mint, reason) => {
  expect(await refusalOf(() => verifier.verify(mint(), NOW))).toBe(
    `UNAUTHENTICATED: The credential is refused: ${reason}.`,
  );
});

test('names the character and its position when the identity has a reserved character', async () => {
  expect(await refusalOf(() => verifier.verify(mint({ identity: 'a/b' }), NOW))).toBe(
    'UNAUTHENTICATED: The credential is refused: its “grants.identity”: has "/" at position 1; allowed are letters, digits and _ . | ~ @ + -.',
  );
});

test('refuses a Sync grant without a service SID when the issuer names a service', async () => {
  const token = new AccessToken(ACCOUNT, KEY, SECRET, { identity: 'alice' });
  token.addGrant(new AccessToken.SyncGrant());
  expect(await refusalOf(() => verifier.verify(token.toJwt(), NOW))).toMatch(
    'its Sync grant must name the service SID',
  );
});

const forged: [string, object, object][] = [
  ['another typ', { typ: 'jwt' }, {}],
  ['no typ', { typ: undefined }, {}],
  ['no exp', {}, { exp: undefined }],
  ['an iat that is a string', {}, { iat: String(seconds) }],
  ['an nbf that is a string, without iat', {}, { iat: undefined, nbf: String(seconds) }],
  ['an exp that is a string', {}, { exp: String(seconds + 60) }],
  ['an exp of 1e300', {}, { exp: 1e300 }],
  ['an iat 6 seconds in the future', {}, { iat: seconds + 6, exp: seconds + 60 }],
  ['grants that are a list', {}, { grants: [] }],
  ['no grants', {}, { grants: undefined }],
  ['no identity', {}, { grants: { data_sync: { service_sid: SERVICE } } }],
  ['an empty identity', {}, { grants: { identity: '', data_sync: { service_sid: SERVICE } } }],
  ['an identity that is a number', {}, { grants: { identity: 42, data_sync: { service_sid: SERVICE } } }],
  ['a Sync grant that is a string', {}, { grants: { identity: 'alice', data_sync: SERVICE } }],
  ['no sub', {}, { sub: undefined }],
];

test.each(forged)('refuses a signed token with %s', async (_, header, payload) => {
  const real = dissect(mint());
  const sign = (header: object, payload: object) =>
    verifier.verify(forge({ ...real.header, ...header }, { ...real.payload, ...payload }, SECRET), NOW);
  expect(await refusalOf(() => sign({}, {}))).toBe('accepted');
  expect(await refusalOf(() => sign(header, payload))).toMatch('UNAUTHENTICATED');
});

test('refuses an identity that grants would inherit from __proto__', async () => {
  const { header, payload } = dissect(mint());
  const text = JSON.stringify({ ...payload, grants: 0 }).replace(
    '"grants":0',
    `"grants":{"__proto__":{"identity":"root"},"data_sync":{"service_sid":"${SERVICE}"}}`,
  );
  expect(await refusalOf(() => verifier.verify(forge(header, text, SECRET), NOW))).toMatch('UNAUTHENTICATED');
});

/**
 * The claims of the official SDKs for Python (twilio/jwt/access_token/__init__.py), PHP (src/Twilio/Jwt/AccessToken.php),
 * Ruby (lib/twilio-ruby/jwt/access_token.rb), Go (client/jwt/access_token.go), Java (jwt/accesstoken/AccessToken.java) and
 * C# (Jwt/AccessToken/Token.cs): no `iat`; `nbf` only where the caller sets it.
 */
const signWithoutIat = (payload: object = {}) =>
  forge(
    { typ: 'JWT', alg: 'HS256', cty: 'twilio-fpa;v=1' },
    {
      jti: `${KEY}-${seconds}`,
      iss: KEY,
      sub: ACCOUNT,
      exp: seconds + 3600,
      grants: { identity: 'ada', data_sync: { service_sid: SERVICE } },
      ...payload,
    },
    SECRET,
  );

test.each([
  ['the seconds at the end of jti', {}, NOW],
  ['nbf before jti', { nbf: seconds - 60 }, NOW - 60_000],
  ['iat before nbf and jti', { iat: seconds - 90, nbf: seconds - 60 }, NOW - 90_000],
  ['nothing when jti has no seconds', { jti: 'random' }, null],
  ['nothing when jti is absent', { jti: undefined }, null],
  ['nothing when the seconds of jti are in the future', { jti: `${KEY}-${seconds + 6}` }, null],
])('without iat, the time of issue is %s', async (_, payload, issuedAt) => {
  const { claims } = await verifier.verify(signWithoutIat(payload), NOW);
  expect(claims).toMatchObject({ identity: 'ada', issuedAt, expiresAt: NOW + 3_600_000 });
});

/** `(int) Math.floor(now.getTime() / 1000.0f)` of AccessToken.java. */
const javaSeconds = (ms: number) => Math.floor(Math.fround(Math.fround(ms) / 1000));

test('a token of the SDK for Java never states a later time of issue than its own', async () => {
  const errors: number[] = [];
  for (let minted = NOW; minted < NOW + 600_000; minted += 7000) {
    const jti = `${KEY}-${javaSeconds(minted)}`;
    for (const ttl of [3600, 900, 86_400]) {
      const token = signWithoutIat({ jti, exp: minted / 1000 + ttl });
      const { claims } = await verifier.verify(token, minted);
      errors.push(minted - claims.issuedAt!);
    }
  }
  expect(Math.min(...errors)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...errors)).toBeLessThanOrEqual(260_000);
});

test('the seconds of an SDK that writes them exactly stay exact when they are a multiple of 128', async () => {
  for (const ttl of [300, 900, 3600, 43_200]) {
    const { claims } = await verifier.verify(signWithoutIat({ exp: seconds + ttl }), NOW);
    expect(claims.issuedAt).toBe(NOW);
  }
});

test.each([
  ['24 hours from now', { exp: seconds + 86_400 }, 'accepted'],
  ['more than 24 hours from now', { exp: seconds + 86_401 }, 'its lifetime is 86401 seconds'],
  ['24 hours from nbf', { nbf: seconds - 60, exp: seconds + 86_340 }, 'accepted'],
  ['more than 24 hours from nbf', { nbf: seconds - 60, exp: seconds + 86_341 }, 'its lifetime is 86401'],
  ['never', { exp: undefined }, 'it must have an “exp” in seconds since 1970'],
  ['in the past', { exp: seconds }, 'TOKEN_EXPIRED'],
  ['in milliseconds', { exp: NOW + 60_000 }, 'its “exp” must be a number of seconds since 1970'],
])('without iat, a token that ends %s is checked from nbf, else from now', async (_, payload, outcome) => {
  expect(await refusalOf(() => verifier.verify(signWithoutIat(payload), NOW))).toMatch(outcome);
});
