import { isObject } from '../../is-object.ts';
import { ACTIONS, type Action } from '../../projects/permissions.ts';
import { parseGrants } from '../grants.ts';
import { type Grant } from '../token.ts';
import { asCredentialError } from './claim-values.ts';
import { parseSeconds } from './claims.ts';
import { refused } from '../credential-errors.ts';

/**
 * Grants in the form `[{ channels, actions, exp? }]`, where `exp` is the time at which one grant lapses, in seconds since
 * 1970. Null when the claim is absent. Unknown fields are refused: ignoring a field that was meant to narrow a grant would
 * widen it.
 *
 * @param max The number of grants that one token may have.
 * @throws UNAUTHENTICATED when the claim is malformed or has more than `max` grants
 */
export function parseGrantsClaim(value: unknown, claim: string, max: number): Grant[] | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw refused(`its “${claim}” must be a list of { channels, actions, exp? }`);
  const grants = value.map((grant: unknown, index) => {
    const field = `${claim}[${index}]`;
    if (!isGrant(grant)) throw refused(`its ${field} must be { channels, actions, exp? } and nothing else`);
    if (!grant.actions.every(isAction)) {
      throw refused(`its ${field}.actions must be a list of ${ACTIONS.join(', ')}`);
    }
    const expiresAt = parseSeconds(grant.exp, `${field}.exp`);
    return { channels: grant.channels, actions: grant.actions, expiresAt };
  });
  return asCredentialError(() => parseGrants(grants, max));
}

const FIELDS: ReadonlySet<string> = new Set(['channels', 'actions', 'exp']);

function isGrant(grant: unknown): grant is { channels: string; actions: unknown[]; exp?: unknown } {
  return (
    isObject(grant) &&
    Object.keys(grant).every((key) => FIELDS.has(key)) &&
    typeof grant['channels'] === 'string' &&
    Array.isArray(grant['actions'])
  );
}

function isAction(action: unknown): action is Action {
  return (ACTIONS as readonly unknown[]).includes(action);
}
