import { badInput } from '../errors.ts';
import { matchesPattern, parsePattern } from '../projects/channel-pattern.ts';
import { ACTIONS, type Action } from '../projects/permissions.ts';
import { type Grant } from './token.ts';

/** A grant before validation. */
export interface GrantInput {
  channels: string;
  actions: readonly Action[];
  /** Milliseconds since 1970; null or absent: the grant does not lapse. */
  expiresAt?: number | null | undefined;
}

/** @throws BAD_USER_INPUT when there are more than `max` grants, or a channel pattern is malformed */
export function parseGrants(grants: readonly GrantInput[], max: number): Grant[] {
  if (grants.length > max)
    throw badInput('input.grants', `has ${grants.length} grants; at most ${max} are allowed.`);
  return grants.map(({ channels, actions, expiresAt = null }, index) => {
    return {
      channels: parsePattern(channels, `input.grants[${index}].channels`),
      actions: ACTIONS.filter((action) => actions.includes(action)),
      ...(expiresAt !== null && { expiresAt }),
    };
  });
}

/**
 * Whether a grant allows `action` in the channel. Null allows everything: without grants only the role
 * counts. Does not check `expiresAt`: `applyLapses` drops lapsed grants before.
 */
export function grantsAllow(grants: readonly Grant[] | null, action: Action, channel: string): boolean {
  if (grants === null) return true;
  return grants.some((grant) => grant.actions.includes(action) && matchesPattern(grant.channels, channel));
}
