import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createIssuer, OPENTOK, refusalMessageOf, STREAM, tokenOf, TWILIO } from './external-credentials.ts';
import { forge } from './forge.ts';
import { startService, type TestService } from './service.ts';
import { connectSocket } from './socket.ts';

/** Credentials with the headers and claims of the official SDKs. The comment of each names the file that lays it out. */

export const vonage = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const VONAGE = {
  kind: 'OPENTOK',
  key: {
    id: '78d335fa-323d-0114-9c3d-d6f0d48968cf',
    publicKey: vonage.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  },
};

export type Claims = Record<string, unknown>;
/** Makes the credential at a time in seconds since 1970, with changed claims. */
export type Vector = [sdk: string, mint: (now: number, changed?: Claims) => string];

export const HEADER = { alg: 'HS256', typ: 'JWT' };
export const vectors = (rows: [string, object, (now: number) => Claims][], secret: string): Vector[] =>
  rows.map(([sdk, header, claims]) => [
    sdk,
    (now, changed = {}) => forge(header, { ...claims(now), ...changed }, secret),
  ]);

export const seconds = () => Math.floor(Date.now() / 1000);

/** Starts a service with an issuer of each vendor before each test of the file. */
export function startWithAllVendors(): () => TestService {
  let signalbox: TestService;
  beforeEach(async () => {
    signalbox = await startService();
    for (const issuer of [STREAM, TWILIO, OPENTOK, VONAGE]) await createIssuer(signalbox, issuer);
  });
  afterEach(() => signalbox[Symbol.asyncDispose]());
  return () => signalbox;
}

interface SdkTokens {
  /** The vendor, as the titles of the tests name it. */
  vendor: string;
  vectors: readonly Vector[];
  /** What the token of the connection has. */
  is: object;
  /** Where a vendor has two. A T1 token is no JWT: its time of expiry follows from its time of creation. */
  form?: 'JWT' | 'T1';
}

/** The tokens of all SDKs of a vendor open a connection, until they expire. */
export function sdkContract(service: () => TestService, tokens: readonly SdkTokens[]): void {
  const rows = tokens.flatMap(({ vendor, vectors: made, is, form }) =>
    made.map(([sdk, mint]) => ({
      sdk: `${vendor} for ${sdk}${form === undefined ? '' : `, ${form}`}`,
      mint,
      is,
      isT1: form === 'T1',
    })),
  );

  test.each(rows)('a token of the SDK of $sdk opens a connection', async ({ mint, is }) => {
    const credential = mint(seconds());
    expect(await tokenOf(service(), credential)).toMatchObject(is);
    using _ = await connectSocket(service(), { token: credential });
  });

  test('an expired token, and one with another signature, is refused for every SDK', async () => {
    for (const { sdk, mint, isT1 } of rows) {
      const expired = isT1 ? mint(seconds() - 86_401) : mint(seconds(), { exp: seconds() - 1 });
      expect(await refusalMessageOf(service(), expired), sdk).not.toBe('open');
      if (isT1) continue;
      const credential = mint(seconds());
      const forged = `${credential.slice(0, credential.lastIndexOf('.'))}.${'A'.repeat(43)}`;
      expect(await refusalMessageOf(service(), forged), sdk).not.toBe('open');
    }
  });
}
