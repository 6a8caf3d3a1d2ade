/**
 * Authorization, after authentication: decides each action of a caller that `caller-loader.ts` loaded.
 * `channels/access.ts` looks up the channel and the membership, and calls `decide` on subscribe, on delivery
 * and on replay.
 */
import { type ApiKeyScope } from '../projects/api-key.ts';
import { ACTIONS, actionsOf, ANONYMOUS, type Action, type ChannelType } from '../projects/permissions.ts';
import { refusalOf } from './api-key-rights.ts';
import { type Caller } from './caller.ts';
import { grantsAllow } from './grants.ts';
import { covers } from './restriction.ts';
import { roleOf } from './token.ts';

/** The channel that a decision is about, as the calling token sees it. */
export interface AccessTarget {
  id: string;
  type: ChannelType;
  /** A channel kind that the project defines; null: none, only the type counts. */
  kind: string | null;
  /** Whether the calling token is subscribed to the channel by `subscribeToken`. */
  isMember: boolean;
}

/** The rules in the order of evaluation. The first rule that refuses decides. */
export const RULES = [
  'API_KEY',
  'ANONYMOUS',
  'BANNED',
  'ROLE',
  'MEMBERSHIP',
  'GRANTS',
  'MUTED',
  'ALLOWED',
] as const;
export type Rule = (typeof RULES)[number];

/** Whether an action is allowed, and the rule that decided. */
export interface Decision {
  allowed: boolean;
  rule: Rule;
  /** An explanation for developers: the end of a sentence, without a full stop. */
  because: string;
}

/** The scope that an API key needs for an action in a channel. */
export const SCOPE_OF: Readonly<Record<Action, ApiKeyScope>> = {
  SUBSCRIBE: 'READ',
  PRESENCE: 'READ',
  PUBLISH: 'PUBLISH',
  MODERATE: 'MODERATE',
};

const refusal = (rule: Rule, because: string): Decision => ({ allowed: false, rule, because });

/**
 * Whether `caller` may take `action` in the channel `target`. The only function that decides access. It is
 * pure: the caller must have been stripped of lapsed grants and restrictions, see `applyLapses`.
 */
export function decide(caller: Caller, action: Action, target: AccessTarget): Decision {
  if (caller.kind === 'API_KEY') {
    const because = refusalOf(caller.apiKey, SCOPE_OF[action], target.id);
    if (because !== undefined) return refusal('API_KEY', because);
    return { allowed: true, rule: 'API_KEY', because: 'the API key may do it' };
  }
  const { permissions } = caller.settings;
  const where = target.kind === null ? `${target.type} channels` : `channels of the kind ${target.kind}`;
  if (caller.kind === 'ANONYMOUS') {
    if (!caller.settings.anonymous) return refusal('ANONYMOUS', 'the project takes no anonymous callers');
    if (actionsOf(permissions, ANONYMOUS, target).includes(action))
      return { allowed: true, rule: 'ANONYMOUS', because: `anonymous callers may ${action} in ${where}` };
    return refusal('ANONYMOUS', `anonymous callers may not ${action} in ${where}`);
  }
  const { token, restrictions } = caller;
  const inTarget = restrictions.filter((restriction) => covers(restriction, target.id));
  if (inTarget.some(({ kind }) => kind === 'BAN'))
    return refusal('BANNED', 'the token is banned from this channel');
  const role = roleOf(token);
  if (!actionsOf(permissions, role, target).includes(action))
    return refusal('ROLE', `the role ${role} does not allow ${action} in ${where}`);
  if (target.type === 'PRIVATE' && !target.isMember)
    return refusal('MEMBERSHIP', 'the token is not subscribed to this PRIVATE channel');
  if (!grantsAllow(token.grants, action, target.id))
    return refusal('GRANTS', `no grant of the token allows ${action} here`);
  if (!grantsAllow(token.credentialRights?.grants ?? null, action, target.id))
    return refusal('GRANTS', `no grant of the credential allows ${action} here`);
  if (action === 'PUBLISH' && inTarget.some(({ kind }) => kind === 'MUTE'))
    return refusal('MUTED', 'the token is muted here');
  return { allowed: true, rule: 'ALLOWED', because: `the role ${role} allows ${action} in ${where}` };
}

/** All actions that `caller` may take in the channel `target`. */
export function allowedActions(caller: Caller, target: AccessTarget): Action[] {
  return ACTIONS.filter((action) => decide(caller, action, target).allowed);
}
