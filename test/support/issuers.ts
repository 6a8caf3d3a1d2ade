import { createSecretKey } from 'node:crypto';
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

export function makeIssuer(kind: IssuerKind, parts: Partial<Issuer> = {}): Issuer {
  return {
    id: `issuer_${kind.toLowerCase()}`,
    projectId: 'default',
    kind,
    name: kind,
    account: null,
    service: null,
    provider: null,
    createdAt: 0,
    ...parts,
  };
}

export const makeKey = (id: string, secret: string): IssuerKey => ({
  id,
  key: createSecretKey(Buffer.from(secret)),
  expiresAt: null,
});

/** An issuer with its keys, and what becomes of whoever presents it a credential: as the door does it, facts first. */
export function createTestVerifier(kind: SecretKind, keys: IssuerKey[], parts: Partial<Issuer> = {}) {
  const issuer = makeIssuer(kind, parts);
  return {
    async verify(credential: string, now: number, maxGrants = 50): Promise<Verified> {
      const facts = classifyCredential(credential);
      if (facts.kind !== kind) throw new Error(`It is taken for ${facts.kind}.`);
      const wanted = 'keyId' in facts ? keys.filter(({ id }) => id === facts.keyId) : keys;
      return VERIFIERS[kind](credential, issuer, wanted, { now, maxGrants });
    },
  };
}

/** What is thrown, as `CODE: message`; or a word that no refusal says. */
export async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'accepted';
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code ?? 'NOT OURS'}: ${message}`;
  }
}
