import { ACTIONS, type Action } from '../../projects/permissions.ts';
import { parseGrants } from '../grants.ts';
import { type Grant } from '../token.ts';
import { claimed } from './claim-values.ts';
import { momentOf } from './claims.ts';
import { isObject } from './jwt.ts';
import { refused } from '../credential-errors.ts';

/**
 * Grants as `[{ channels, actions, exp? }]`, nothing more: what we do not understand might have narrowed. `exp` is when
 * one lapses, in seconds. Null: it says nothing.
 */
export function grantsOf(value: unknown, name: string, max: number): Grant[] | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw refused(`its “${name}” must be a list of grants`);
  const grants = value.map((grant: unknown, index) => {
    if (!isGrant(grant))
      throw refused(`${name}[${index}] must be { channels, actions, exp? } and nothing else`);
    if (!grant.actions.every(isAction)) {
      throw refused(`${name}[${index}].actions may be ${ACTIONS.join(', ')} only`);
    }
    const expiresAt = momentOf(grant.exp, `${name}[${index}].exp`);
    return { channels: grant.channels, actions: grant.actions, expiresAt };
  });
  return claimed(() => parseGrants(grants, max));
}

const KEYS: ReadonlySet<string> = new Set(['channels', 'actions', 'exp']);

function isGrant(grant: unknown): grant is { channels: string; actions: unknown[]; exp?: unknown } {
  return (
    isObject(grant) &&
    Object.keys(grant).every((key) => KEYS.has(key)) &&
    typeof grant['channels'] === 'string' &&
    Array.isArray(grant['actions'])
  );
}

function isAction(action: unknown): action is Action {
  return (ACTIONS as readonly unknown[]).includes(action);
}
