import { badInput } from '../errors.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { refused } from './credential-errors.ts';

/** The requested expiry of a token: at most one of the two. */
export interface ExpiryInput {
  /** Seconds from now. */
  expiresIn?: number | undefined;
  /** Milliseconds since 1970; null: never. */
  expiresAt?: number | null | undefined;
}

type LifetimeSettings = Pick<ProjectSettings, 'defaultLifetimeSeconds' | 'maxLifetimeSeconds'>;

const MAX_LIFETIME_SECONDS = 100 * 366 * 86_400;

/**
 * The requested expiry in milliseconds since 1970. Null: never. Undefined: the input requests none.
 * @param path goes before the name of the field in errors
 * @throws BAD_USER_INPUT when the input has both fields, or the expiry is in the past, more than 100 years
 * ahead or beyond the project's `maxLifetimeSeconds`
 */
export function parseExpiry(
  { expiresIn, expiresAt: requestedAt }: ExpiryInput,
  { maxLifetimeSeconds }: LifetimeSettings,
  now: number,
  path = 'input.',
): number | null | undefined {
  if (expiresIn !== undefined && requestedAt !== undefined)
    throw badInput(`${path}expiresIn`, 'expiresIn and expiresAt are mutually exclusive.');
  const field = path + (expiresIn === undefined ? 'expiresAt' : 'expiresIn');
  const expiresAt = expiresIn === undefined ? requestedAt : now + expiresIn * 1000;
  if (expiresAt === undefined) return undefined;
  if (expiresAt === null) {
    if (maxLifetimeSeconds === null) return null;
    throw badInput(
      field,
      `must not be null: tokens of this project expire after at most ${maxLifetimeSeconds} seconds.`,
    );
  }
  if (expiresAt <= now || expiresAt > now + MAX_LIFETIME_SECONDS * 1000)
    throw badInput(field, 'must be in the future, and at most 100 years ahead.');
  if (maxLifetimeSeconds !== null && expiresAt > now + maxLifetimeSeconds * 1000)
    throw badInput(
      field,
      `is too far ahead: tokens of this project expire after at most ${maxLifetimeSeconds} seconds.`,
    );
  return expiresAt;
}

/**
 * The expiry of a token that requests none, in milliseconds since 1970: `defaultLifetimeSeconds` from now,
 * else `maxLifetimeSeconds`. Null: never.
 */
export function defaultExpiry(
  { defaultLifetimeSeconds, maxLifetimeSeconds }: LifetimeSettings,
  now: number,
): number | null {
  const seconds = defaultLifetimeSeconds ?? maxLifetimeSeconds;
  return seconds === null ? null : now + seconds * 1000;
}

/**
 * When a credential of another issuer expires in this project, in milliseconds since 1970: as the credential
 * claims, else the project's default, counted from the issue of the credential. Null: never.
 * @throws UNAUTHENTICATED when the lifetime exceeds the project's `maxLifetimeSeconds`, or cannot be
 * determined
 */
export function claimedExpiry(
  { issuedAt, expiresAt }: { issuedAt: number | null; expiresAt: number | null },
  settings: LifetimeSettings,
  now: number,
): number | null {
  const { maxLifetimeSeconds } = settings;
  if (expiresAt === null) {
    const defaultExpiresAt = defaultExpiry(settings, issuedAt ?? now);
    if (defaultExpiresAt !== null && issuedAt === null)
      throw refused('it has neither “iat” nor “exp”, and tokens of this project must expire');
    return defaultExpiresAt;
  }
  const seconds = (expiresAt - (issuedAt ?? now)) / 1000;
  if (maxLifetimeSeconds !== null && seconds > maxLifetimeSeconds)
    throw refused(
      `its lifetime is ${Math.ceil(seconds)} seconds, and this project allows at most ${maxLifetimeSeconds}`,
    );
  return expiresAt;
}

const PURGE_DELAY_MS = 86_400_000;

/**
 * When the record of a token that cannot be renewed after `expiresAt` may be deleted, in milliseconds since
 * 1970: one day later, so that backends can still look it up. Null: never.
 */
export function purgeTime(expiresAt: number | null): number | null {
  return expiresAt === null ? null : expiresAt + PURGE_DELAY_MS;
}
