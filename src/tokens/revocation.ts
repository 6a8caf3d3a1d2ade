/** What a revocation of many is about: all tokens of the project, of an identity, or of whoever signed or minted them. */
export const REVOCATION_SCOPES = ['PROJECT', 'IDENTITY', 'ISSUER'] as const;
export type RevocationScope = (typeof REVOCATION_SCOPES)[number];

/** Credentials that were issued before a moment open nothing; those that do not say when count as old. */
export interface Revocation {
  projectId: string;
  scope: RevocationScope;
  /** The identity or the issuer; empty for a project. */
  subject: string;
  /** Milliseconds since 1970. */
  issuedBefore: number;
  createdAt: number;
}

/** Whether a credential falls under the revocation. */
export function isRevoked(
  { scope, subject, issuedBefore }: Pick<Revocation, 'scope' | 'subject' | 'issuedBefore'>,
  credential: { identity: string | null; issuerId: string | null; issuedAt: number | null },
): boolean {
  if (scope === 'IDENTITY' && credential.identity !== subject) return false;
  if (scope === 'ISSUER' && credential.issuerId !== subject) return false;
  return credential.issuedAt === null || credential.issuedAt < issuedBefore;
}
