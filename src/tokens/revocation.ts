/**
 * Which credentials a bulk revocation covers: all of the project, of an identity, or of an issuer or API key.
 */
export const REVOCATION_SCOPES = ['PROJECT', 'IDENTITY', 'ISSUER'] as const;
export type RevocationScope = (typeof REVOCATION_SCOPES)[number];

/**
 * A bulk revocation: the covered credentials are refused if they were issued before `issuedBefore`, or do not
 * state when they were issued.
 */
export interface Revocation {
  projectId: string;
  scope: RevocationScope;
  /** The identity, the issuer id, or an empty text for the scope PROJECT. */
  subject: string;
  /** Milliseconds since 1970. */
  issuedBefore: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** What a revocation is matched against. */
export interface RevocableCredential {
  identity: string | null;
  issuerId: string | null;
  /** Milliseconds since 1970; null: not stated. */
  issuedAt: number | null;
  /** Null: Signalbox signed the credential, by its own clock. */
  rights?: object | null;
}

/** Whether the revocation covers the credential. */
export function isRevoked(
  { scope, subject, issuedBefore }: Pick<Revocation, 'scope' | 'subject' | 'issuedBefore'>,
  credential: RevocableCredential,
): boolean {
  if (scope === 'IDENTITY' && credential.identity !== subject) return false;
  if (scope === 'ISSUER' && credential.issuerId !== subject) return false;
  return credential.issuedAt === null || credential.issuedAt < issuedBefore;
}
