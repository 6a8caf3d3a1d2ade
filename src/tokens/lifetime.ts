import { badInput } from '../errors.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { refused } from './credential-errors.ts';

/** What a caller says of the end of a token. */
export interface ExpiryInput {
  /** From now, in seconds. */
  expiresIn?: number | undefined;
  /** Milliseconds since 1970. Null: never. Not together with `expiresIn`. */
  expiresAt?: number | null | undefined;
}

type Lifetimes = Pick<ProjectSettings, 'defaultLifetimeSeconds' | 'maxLifetimeSeconds'>;

const MAX_LIFETIME_SECONDS = 100 * 366 * 86_400;

/**
 * The end that a caller asks for; undefined: it asks for none.
 * @throws BAD_USER_INPUT when it lies in the past, or further ahead than the project lets a token live
 */
export function parseExpiry(
  { expiresIn, expiresAt }: ExpiryInput,
  { maxLifetimeSeconds }: Lifetimes,
  now: number,
): number | null | undefined {
  if (expiresIn !== undefined && expiresAt !== undefined)
    throw badInput('input.expiresIn', 'cannot stand beside expiresAt.');
  const field = expiresIn === undefined ? 'input.expiresAt' : 'input.expiresIn';
  const end = expiresIn === undefined ? expiresAt : now + expiresIn * 1000;
  if (end === undefined) return undefined;
  if (end === null) {
    if (maxLifetimeSeconds === null) return null;
    throw badInput(
      field,
      `must not be null: in this project a token lives at most ${maxLifetimeSeconds} seconds.`,
    );
  }
  if (end <= now || end > now + MAX_LIFETIME_SECONDS * 1000)
    throw badInput(field, 'must lie in the future, at most a hundred years ahead.');
  if (maxLifetimeSeconds !== null && end > now + maxLifetimeSeconds * 1000)
    throw badInput(
      field,
      `lies too far ahead: in this project a token lives at most ${maxLifetimeSeconds} seconds.`,
    );
  return end;
}

/** When a token ends of which nothing is said; null: never. */
export function defaultExpiry(
  { defaultLifetimeSeconds, maxLifetimeSeconds }: Lifetimes,
  now: number,
): number | null {
  const seconds = defaultLifetimeSeconds ?? maxLifetimeSeconds;
  return seconds === null ? null : now + seconds * 1000;
}

/**
 * When a credential that others signed ends in this project; null: never.
 * @throws UNAUTHENTICATED when it would live longer than the project allows, or one cannot tell
 */
export function endOfClaims(
  { issuedAt, expiresAt }: { issuedAt: number | null; expiresAt: number | null },
  lifetimes: Lifetimes,
  now: number,
): number | null {
  const { maxLifetimeSeconds } = lifetimes;
  if (expiresAt === null) {
    const end = defaultExpiry(lifetimes, issuedAt ?? now);
    if (end !== null && issuedAt === null)
      throw refused('it says neither when it was issued nor when it ends, and in this project tokens end');
    return end;
  }
  const seconds = (expiresAt - (issuedAt ?? now)) / 1000;
  if (maxLifetimeSeconds !== null && seconds > maxLifetimeSeconds)
    throw refused(
      `it lives ${Math.ceil(seconds)} seconds, and in this project at most ${maxLifetimeSeconds} are allowed`,
    );
  return expiresAt;
}

const FORGOTTEN_AFTER_MS = 86_400_000;

/** When the record of a bearer who cannot come back after `expiresAt` may be forgotten: a day later, so that whoever asks still finds it. */
export function forgetAfter(expiresAt: number | null): number | null {
  return expiresAt === null ? null : expiresAt + FORGOTTEN_AFTER_MS;
}
