import { ACTIONS, type Action } from '../../projects/permissions.ts';
import { parseGrants } from '../grants.ts';
import { type Grant } from '../token.ts';
import { claimed } from './claim-values.ts';
import { refused } from './claims.ts';
import { isObject } from './jwt.ts';

/** Grants as `[{ channels, actions }]`, nothing more: what we do not understand might have narrowed. Null: it says nothing. */
export function grantsOf(value: unknown, name: string, max: number): Grant[] | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw refused(`its “${name}” must be a list of grants`);
  const grants = value.map((grant: unknown, index) => {
    if (!isGrant(grant)) throw refused(`${name}[${index}] must be { channels, actions } and nothing else`);
    if (!grant.actions.every(isAction)) {
      throw refused(`${name}[${index}].actions may be ${ACTIONS.join(', ')} only`);
    }
    return { channels: grant.channels, actions: grant.actions };
  });
  return claimed(() => parseGrants(grants, max));
}

function isGrant(grant: unknown): grant is { channels: string; actions: unknown[] } {
  return (
    isObject(grant) &&
    Object.keys(grant).sort().join() === 'actions,channels' &&
    typeof grant['channels'] === 'string' &&
    Array.isArray(grant['actions'])
  );
}

function isAction(action: unknown): action is Action {
  return (ACTIONS as readonly unknown[]).includes(action);
}
