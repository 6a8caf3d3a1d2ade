/**
 * Why a caller was refused, for the audit log: more exact than the code and the message, which must not reveal to an unauthorized caller
 * which keys, tokens and channels exist.
 */
export const REFUSAL_REASONS = {
  NO_CREDENTIAL: 'No credential was sent.',
  CREDENTIAL: 'The credential is not valid, and no other reason says why.',
  MALFORMED: 'The credential, or the message that carries it, cannot be read.',
  UNKNOWN_KEY: 'The credential names a signing key that the service does not know.',
  UNKNOWN_ISSUER: 'No issuer of the project has signed the credential.',
  UNKNOWN_TOKEN: 'The token of the credential does not exist.',
  SIGNATURE: 'The signature of the credential is wrong.',
  CLAIMS: 'A claim of the credential is missing or not allowed.',
  API_KEY: 'The API key is unknown, expired or revoked, or lacks a scope or the channel.',
  PROJECT: 'The credential belongs to another project than the one that was named.',
  EXPIRED: 'The credential or the token has expired.',
  REVOKED: 'The credential or the token was revoked.',
  ORIGIN: 'The page that connects has an origin that is not allowed.',
  HOST: 'The service is not known under the host name.',
  ANONYMOUS: 'Anonymous callers may not do it.',
  BANNED: 'The token is banned.',
  MUTED: 'The token is muted.',
  ROLE: 'The role of the token does not allow it.',
  MEMBERSHIP: 'The token is not subscribed to the PRIVATE channel.',
  GRANTS: 'No grant allows it.',
  NOT_FOUND: 'The channel does not exist.',
  NOT_ALLOWED: 'The caller may not do it.',
} as const;

export type RefusalReason = keyof typeof REFUSAL_REASONS;
