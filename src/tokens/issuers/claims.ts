import { type Grant } from '../token.ts';
import { refused, tokenExpired } from '../credential-errors.ts';

/** The claims of a credential that an external issuer signed, translated from its format to the terms of Signalbox. */
export interface Claims {
  /** Identifies the token record together with the issuer. 1–255 characters. */
  subject: string;
  /** The id of the user; null: the credential names no user. */
  identity: string | null;
  /**
   * The name of a built-in role or of a custom role of the project; null: the role of the record applies. Of a list, the
   * first that is a role of the project applies, and if there is none, the role of the record.
   */
  role: string | readonly string[] | null;
  /** Null: the role is not narrowed. */
  grants: Grant[] | null;
  /** Null: the connection data of the record apply. */
  connectionData: string | null;
  /** Ids of the channels that the token is subscribed to at the first use, and again for each newer credential. */
  channels: string[];
  /** Milliseconds since 1970; null: the credential has no time of issue. */
  issuedAt: number | null;
  /** Milliseconds since 1970; null: the credential does not expire. */
  expiresAt: number | null;
  /** True when the subject is the credential itself: its record is never used again after the credential has expired. */
  isSingleCredential: boolean;
}

/** The claims of a credential that names a user and states no rights. Its times are not among them: see `parseTimes`. */
export const claimsOfUser = (identity: string): Omit<Claims, 'issuedAt' | 'expiresAt'> => ({
  subject: identity,
  identity,
  role: null,
  grants: null,
  connectionData: null,
  channels: [],
  isSingleCredential: false,
});

/** How far the clock of the signer may be ahead of this service's clock, in seconds. */
export const MAX_SKEW_SECONDS = 5;
const MAX_LIFETIME_SECONDS = 100 * 366 * 86_400;

/**
 * Converts `exp`, `iat` and `nbf` (RFC 7519, section 4.1: seconds since 1970, each optional) to milliseconds.
 *
 * @param now Milliseconds since 1970.
 * @throws TOKEN_EXPIRED when `exp` has passed and the other claims are valid, UNAUTHENTICATED when `iat` or `nbf` is more
 * than 5 seconds in the future or a claim is not a time
 */
export function parseTimes(
  { exp, iat, nbf }: { exp?: unknown; iat?: unknown; nbf?: unknown },
  now: number,
): { issuedAt: number | null; expiresAt: number | null } {
  const issuedAt = parseSeconds(iat, 'iat');
  const notBefore = parseSeconds(nbf, 'nbf');
  const expiresAt = parseSeconds(exp, 'exp');
  const latest = now + MAX_SKEW_SECONDS * 1000;
  if (issuedAt !== null && issuedAt > latest) {
    throw refused(`it was issued in the future; its “iat” may be at most ${MAX_SKEW_SECONDS} seconds ahead`);
  }
  if (notBefore !== null && notBefore > latest) {
    throw refused(`it is not valid yet; its “nbf” may be at most ${MAX_SKEW_SECONDS} seconds ahead`);
  }
  if (expiresAt !== null && now >= expiresAt) throw tokenExpired();
  return { issuedAt, expiresAt };
}

/** Converts seconds since 1970 to milliseconds; null when the claim is absent. @throws UNAUTHENTICATED when it is not a time */
export function parseSeconds(seconds: unknown, claim: string): number | null {
  if (seconds === undefined || seconds === null) return null;
  if (typeof seconds !== 'number' || !(seconds >= 0) || seconds > MAX_LIFETIME_SECONDS * 2) {
    throw notSeconds(claim);
  }
  return Math.floor(seconds * 1000);
}

export function notSeconds(claim: string) {
  return refused(`its “${claim}” must be a number of seconds since 1970`);
}

/** For issuers that limit the lifetime of their credentials. Both numbers are in seconds. */
export function livesTooLong(seconds: number, maxSeconds: number) {
  return refused(`its lifetime is ${seconds} seconds; at most ${maxSeconds} are allowed`);
}
