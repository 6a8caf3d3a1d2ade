import { type Grant } from '../token.ts';
import { refused, tokenExpired } from '../credential-errors.ts';

/** What a credential that somebody else signed says of its bearer, in our own words. */
export interface Claims {
  /** Names the record, together with the issuer. 1–255 characters. */
  subject: string;
  /** The user behind it; null: it names none. */
  identity: string | null;
  /** A role, built in or the project's own; null: the record says. */
  role: string | null;
  /** Null: nothing narrows the role. */
  grants: Grant[] | null;
  /** Null: the record says. */
  connectionData: string | null;
  /** Channels that its bearer is subscribed to when the record is made. */
  channels: string[];
  /** Milliseconds since 1970; null: it does not say. */
  issuedAt: number | null;
  /** Milliseconds since 1970; null: never. */
  expiresAt: number | null;
  /** Whether the subject is this one credential: nobody comes back to its record once it has expired. */
  isOneCredential: boolean;
}

/** How far ahead of ours the clock of whoever signed may run. */
export const MAX_SKEW_SECONDS = 5;
const MAX_LIFETIME_SECONDS = 100 * 366 * 86_400;

/** The times of a credential in milliseconds, or why they do not hold now. Each is a number of seconds, or absent. */
export function parseTimes(
  { exp, iat, nbf }: { exp?: unknown; iat?: unknown; nbf?: unknown },
  now: number,
): { issuedAt: number | null; expiresAt: number | null } {
  const issuedAt = momentOf(iat, 'iat');
  const notBefore = momentOf(nbf, 'nbf');
  const expiresAt = momentOf(exp, 'exp');
  const latest = now + MAX_SKEW_SECONDS * 1000;
  if (issuedAt !== null && issuedAt > latest) throw refused('it was issued in the future');
  if (notBefore !== null && notBefore > latest) throw refused('it is not valid yet');
  if (expiresAt !== null && now >= expiresAt) throw tokenExpired();
  return { issuedAt, expiresAt };
}

/** A time of a credential in milliseconds; null: absent. @throws UNAUTHENTICATED when it is no number of seconds */
export function momentOf(seconds: unknown, name: string): number | null {
  if (seconds === undefined) return null;
  if (typeof seconds !== 'number' || !(seconds >= 0) || seconds > MAX_LIFETIME_SECONDS * 2) {
    throw refused(`its “${name}” is no time in seconds`);
  }
  return Math.floor(seconds * 1000);
}
