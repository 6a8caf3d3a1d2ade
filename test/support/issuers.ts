import { createSecretKey } from 'node:crypto';
import { refused } from '../../src/tokens/credential-errors.ts';
import { classifyCredential } from '../../src/tokens/issuers/classify-credential.ts';
import { type Issuer, type IssuerKey, type IssuerKind } from '../../src/tokens/issuers/issuer.ts';
import { verifyOpentok } from '../../src/tokens/issuers/opentok.ts';
import { verifySignalbox } from '../../src/tokens/issuers/signalbox.ts';
import { verifyStream } from '../../src/tokens/issuers/stream-chat.ts';
import { verifyTwilio } from '../../src/tokens/issuers/twilio.ts';
import { type Verified, type Verify } from '../../src/tokens/issuers/verify.ts';

export const VERIFIERS = {
  SIGNALBOX: verifySignalbox,
  STREAM: verifyStream,
  TWILIO: verifyTwilio,
  OPENTOK: verifyOpentok,
} satisfies Record<string, Verify>;

export type SecretKind = keyof typeof VERIFIERS;

export function makeIssuer(kind: IssuerKind, overrides: Partial<Issuer> = {}): Issuer {
  return {
    id: `issuer_${kind.toLowerCase()}`,
    projectId: 'default',
    kind,
    name: kind,
    account: null,
    service: null,
    provider: null,
    createdAt: 0,
    ...overrides,
  };
}

export const makeKey = (id: string, secret: string): IssuerKey => ({
  id,
  key: createSecretKey(Buffer.from(secret)),
  expiresAt: null,
});

/** Verifies credentials for one issuer as the service does: classifies them first, then verifies them with the keys. */
export function createTestVerifier(kind: SecretKind, keys: IssuerKey[], overrides: Partial<Issuer> = {}) {
  const issuer = makeIssuer(kind, overrides);
  return {
    async verify(credential: string, now: number, maxGrants = 50): Promise<Verified> {
      const kinds = classifyCredential(credential);
      const classified = kinds.find((candidate) => candidate.kind === kind);
      const unusable = kinds.find((candidate) => candidate.kind === 'UNUSABLE');
      if (!classified && unusable) throw refused(unusable.reason);
      if (!classified) throw new Error(`The credential was classified as ${JSON.stringify(kinds)}.`);
      const candidates = 'keyId' in classified ? keys.filter(({ id }) => id === classified.keyId) : keys;
      return VERIFIERS[kind](credential, issuer, candidates, { now, maxGrants });
    },
  };
}

/** The error that `work` throws, as `CODE: message`; `accepted` if it throws none. */
export async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'accepted';
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code ?? 'NOT A SIGNALBOX ERROR'}: ${message}`;
  }
}
