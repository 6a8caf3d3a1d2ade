import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProviders } from '../../../src/tokens/issuers/jwks.ts';
import { classifyCredential } from '../../../src/tokens/issuers/classify-credential.ts';
import { mintDevelopmentToken } from '../../../src/tokens/issuers/development.ts';
import { SignalboxError } from '../../../src/errors.ts';
import { createManualClock } from '../../support/clock.ts';
import { forge } from '../../support/forge.ts';
import { CLAIM_NAMES, mutatedCredential, quotesCredential } from '../../support/hostile-credentials.ts';
import { makeIssuer, makeKey, VERIFIERS } from '../../support/issuers.ts';

const NOW = Date.UTC(2030, 0, 1);
const seconds = NOW / 1000;
const SECRET = 'the secret of every key';
const SESSION = `1_${Buffer.from('1~key_1~~x~0.5~').toString('base64url')}`;
const HS256 = { alg: 'HS256', typ: 'JWT' };
const PROVIDER = {
  url: 'https://127.0.0.1:1/keys',
  issuer: 'https://id.example',
  audiences: ['app'],
  algorithms: ['RS256'] as const,
  claims: { audience: 'aud', identity: 'sub', role: '/a/b', grants: 'g', connectionData: 'd' },
};

const VALID_SHAPES = [
  forge(HS256, { user_id: 'john-the-user', exp: seconds - 1 }, SECRET),
  forge(
    { ...HS256, kid: 'key_1' },
    { sub: 'john-the-user', grants: [{ channels: 'a', actions: [] }] },
    SECRET,
  ),
  forge(
    { ...HS256, cty: 'twilio-fpa;v=1' },
    { iss: 'key_1', grants: { identity: 'john-the-user', data_sync: {} }, iat: seconds, exp: seconds + 9 },
    SECRET,
  ),
  forge(
    HS256,
    { iss: 'key_1', scope: 'session.connect', session_id: SESSION, create_time: seconds, exp: seconds + 9 },
    SECRET,
  ),
  forge({ ...HS256, alg: 'RS256', kid: '1' }, { iss: PROVIDER.issuer, sub: 'john-the-user' }, SECRET),
  `T1==${Buffer.from(`partner_id=key_1&sig=${'0'.repeat(40)}:session_id=${SESSION}&create_time=1`).toString('base64')}`,
  mintDevelopmentToken('john-the-user'),
];

/** Names of claims that only the mapping of `PROVIDER` reads. */
const PROVIDER_NAMES = ['g', 'd', 'a'];

/** Values of claims in credentials with a valid signature, so that the claims are parsed. */
const claimValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(seconds, SESSION, 'key_1', 'session.connect', [], {}),
);
const signed = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...CLAIM_NAMES, ...PROVIDER_NAMES), claimValue),
    fc.dictionary(fc.constantFrom('kid', 'cty', 'typ', 'crit', 'b64'), claimValue),
  )
  .map(([payload, header]) => forge({ ...HS256, ...header }, payload, SECRET));

const credential = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(...Array.from('eyJ.=T1-_A')), maxLength: 100 }),
  fc.base64String({ maxLength: 200 }).map((text) => `T1==${text}`),
  fc
    .string()
    .map((text) => `T1==${Buffer.from(`partner_id=1&sig=${'a'.repeat(40)}:${text}`).toString('base64')}`),
  mutatedCredential(() => VALID_SHAPES),
  signed,
);

const { verify } = createProviders({ clock: createManualClock(NOW) });
const context = { now: NOW, maxGrants: 10 };
const verifiers: [string, (credential: string) => unknown][] = [
  ['classifyCredential', classifyCredential],
  ...Object.entries(VERIFIERS).map(([kind, verify]): [string, (credential: string) => unknown] => [
    kind,
    (credential) => verify(credential, makeIssuer('STREAM'), [makeKey('key_1', SECRET)], context),
  ]),
];

async function expectRefusalWithoutQuote(
  verify: (credential: string) => unknown,
  credential: string,
): Promise<void> {
  try {
    await verify(credential);
  } catch (error) {
    expect(error).toBeInstanceOf(SignalboxError);
    const { code, message } = error as SignalboxError;
    expect(['UNAUTHENTICATED', 'TOKEN_EXPIRED']).toContain(code);
    expect(quotesCredential(message, credential, [...PROVIDER_NAMES, 'session.connect']), message).toBe(
      false,
    );
  }
}

test.each(verifiers)(
  '%s throws only UNAUTHENTICATED or TOKEN_EXPIRED, without quoting the credential (2,000 runs)',
  async (_, verify) => {
    await fc.assert(
      fc.asyncProperty(credential, (text) => expectRefusalWithoutQuote(verify, text)),
      { numRuns: 2000 },
    );
  },
);

test('Providers.verify throws only UNAUTHENTICATED or TOKEN_EXPIRED, and fetches no keys for another issuer (1,000 runs)', async () => {
  const issuer = makeIssuer('JWKS', { provider: { ...PROVIDER, issuer: 'https://another.example' } });
  await fc.assert(
    fc.asyncProperty(credential, (text) =>
      expectRefusalWithoutQuote((text) => verify(text, issuer, context), text),
    ),
    { numRuns: 1000 },
  );
});

test('the unmodified credentials cover every kind except MINTED', async () => {
  expect(VALID_SHAPES.map((text) => classifyCredential(text)[0]?.kind)).toEqual([
    'STREAM',
    'SIGNALBOX',
    'TWILIO',
    'OPENTOK',
    'SIGNALBOX',
    'OPENTOK',
    'DEVELOPMENT',
  ]);
});
