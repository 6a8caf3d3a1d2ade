import fc from 'fast-check';
import { forge } from '../support/forge.ts';
import { OPENTOK, TWILIO } from '../support/external-credentials.ts';
import { CLAIM_NAMES, quotesCredential } from '../support/hostile-credentials.ts';
import { BACKEND, HMAC_NAMES, PROVIDER, SESSION, type IssuerFixture } from './issuer-fixture.ts';

/** Strings that are no credential of any kind, some with the prefix of one. */
export const junk = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...Array.from('eyJ.=T1-_A')), minLength: 1, maxLength: 200 }),
  fc
    .string({ unit: fc.constantFrom(...Array.from('key_.abz019-')), maxLength: 90 })
    .map((text) => `key_${text}`),
  fc.base64String({ maxLength: 300 }).map((text) => `T1==${text}`),
  fc.base64String({ maxLength: 300 }).map((text) => `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${text}.devtoken`),
  fc.integer({ min: 8000, max: 9000 }).map((length) => `${'A'.repeat(length)}.e30.AAAA`),
);

const NAMES = [...CLAIM_NAMES, 'ist', 'constructor', 'jti'];
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    ...[
      1_893_456_000,
      1_893_459_600,
      SESSION,
      BACKEND,
      TWILIO.key.id,
      TWILIO.account,
      OPENTOK.key.id,
      PROVIDER,
    ],
    ...['session.connect', 'publisher', 'MODERATOR', 'ada-the-user', ['room'], [], {}, null],
    ...[{ identity: 'ada-the-user', data_sync: {} }, [{ channels: 'room:*', actions: ['PUBLISH'] }]],
  ),
);
const payloads = fc.dictionary(fc.constantFrom(...NAMES), values);
const headers = fc.dictionary(
  fc.constantFrom('alg', 'kid', 'cty', 'typ', 'crit', 'b64', 'jku', 'jwk', 'zip', '__proto__'),
  fc.oneof(
    values,
    fc.constantFrom('HS256', 'HS512', 'RS256', 'none', 'JWT', 'signalbox+jwt', 'twilio-fpa;v=1', 'rsa'),
  ),
);
/** JWTs with arbitrary headers and claims, unsigned or signed with an arbitrary secret. */
export const unsigned = fc
  .tuple(headers, payloads, fc.option(fc.string(), { nil: undefined }))
  .map(([header, payload, secret]) => forge(header, payload, secret));

/** Correctly signed JWTs of each kind with some claims replaced, so that the claims reach the parsers. */
export const sign = (fixture: () => IssuerFixture) =>
  fc
    .tuple(
      fc.constantFrom(...HMAC_NAMES),
      fc.dictionary(fc.constantFrom(...NAMES), values, { maxKeys: 3 }),
      fc.oneof({ arbitrary: fc.constant({}), weight: 3 }, { arbitrary: headers, weight: 1 }),
    )
    .map(([name, payload, header]) => fixture().sign(name, payload, header));

/** Whether a text contains 12 consecutive characters of a credential, encoded or decoded. Public names do not count. */
export function echoes(text: string, sent: string): boolean {
  const withoutIds = text
    .replaceAll(/\b[a-z]+_[0-9a-z]{26}\b/g, '')
    // The lifetime is computed from the claims and reported only to a caller whose signature is valid.
    .replaceAll(/its lifetime is \S+ seconds/g, '');
  const publicNames = [
    ...NAMES,
    'session.connect',
    'publisheronly',
    'signalbox',
    'default',
    BACKEND,
    SESSION,
  ];
  return quotesCredential(withoutIds, sent, publicNames);
}
