import { ACTIONS, actionsOf, ANONYMOUS, type Action, type ChannelType } from '../projects/permissions.ts';
import { type Caller } from './caller.ts';
import { grantsAllow } from './grants.ts';
import { covers } from './restriction.ts';
import { roleOf } from './token.ts';

/** What a decision needs to know of a channel. */
export interface AccessTarget {
  id: string;
  type: ChannelType;
  /** A kind of the project's own; null: just its type. */
  kind: string | null;
  /** Whether the calling token has a membership of it. */
  isMember: boolean;
}

/** The rules in the order in which they are asked; the first that refuses decides. */
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

/** Whether something is allowed, and by which rule. */
export interface Decision {
  allowed: boolean;
  rule: Rule;
  /** The rule in words, for developers; the end of a sentence. */
  because: string;
}

const refusal = (rule: Rule, because: string): Decision => ({ allowed: false, rule, because });

/** Whether `caller` may take `action` in `place`: the one function that decides, from facts alone. */
export function decide(caller: Caller, action: Action, place: AccessTarget): Decision {
  if (caller.kind === 'API_KEY')
    return { allowed: true, rule: 'API_KEY', because: 'an API key may do everything in its project' };
  const { permissions } = caller.settings;
  const where = place.kind === null ? `${place.type} channels` : `channels of the kind ${place.kind}`;
  if (caller.kind === 'ANONYMOUS') {
    if (!caller.settings.anonymous) return refusal('ANONYMOUS', 'the project takes no anonymous callers');
    if (actionsOf(permissions, ANONYMOUS, place).includes(action))
      return { allowed: true, rule: 'ANONYMOUS', because: `anonymous callers may ${action} in ${where}` };
    return refusal('ANONYMOUS', `anonymous callers may not ${action} in ${where}`);
  }
  const { token, restrictions } = caller;
  const here = restrictions.filter((restriction) => covers(restriction, place.id));
  if (here.some(({ kind }) => kind === 'BAN'))
    return refusal('BANNED', 'the token is banned from this channel');
  const role = roleOf(token);
  if (!actionsOf(permissions, role, place).includes(action))
    return refusal('ROLE', `the role ${role} does not allow ${action} in ${where}`);
  if (place.type === 'PRIVATE' && !place.isMember)
    return refusal('MEMBERSHIP', 'the token is not subscribed to this PRIVATE channel');
  if (!grantsAllow(token.grants, action, place.id))
    return refusal('GRANTS', `no grant of the token allows ${action} here`);
  if (!grantsAllow(token.credentialRights?.grants ?? null, action, place.id))
    return refusal('GRANTS', `no grant of the credential allows ${action} here`);
  if (action === 'PUBLISH' && here.some(({ kind }) => kind === 'MUTE'))
    return refusal('MUTED', 'the token is muted here');
  return { allowed: true, rule: 'ALLOWED', because: `the role ${role} allows ${action} in ${where}` };
}

/** Everything `caller` may do in `place`. */
export function allowedActions(caller: Caller, place: AccessTarget): Action[] {
  return ACTIONS.filter((action) => decide(caller, action, place).allowed);
}
