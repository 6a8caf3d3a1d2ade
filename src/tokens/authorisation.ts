import { type Caller } from './caller.ts';
import { grantsAllow } from './grants.ts';
import { ACTIONS, type Action, type Role } from './token.ts';

export const CHANNEL_TYPES = ['UNPROTECTED', 'PUBLIC', 'PRIVATE'] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** What a decision needs to know of a channel. */
export interface Place {
  id: string;
  type: ChannelType;
  /** Whether the calling token has a membership of it. */
  isMember: boolean;
}

/** The first rule that refuses, or the fact that none does. */
export type Decision =
  | { allowed: true }
  | { allowed: false; rule: 'ANONYMOUS' | 'ROLE' | 'MEMBERSHIP' | 'GRANTS'; because: string };

const ALLOWED: Decision = { allowed: true };

const LISTENER = ['SUBSCRIBE', 'PRESENCE'] as const satisfies Action[];
const SPEAKER = [...LISTENER, 'PUBLISH'] as const;

/** What each role may do in each type of channel it may enter. Anonymous callers hear UNPROTECTED channels and that is all. */
const MATRIX: Record<Role | 'ANONYMOUS', Record<ChannelType, readonly Action[]>> = {
  ANONYMOUS: { UNPROTECTED: ['SUBSCRIBE'], PUBLIC: [], PRIVATE: [] },
  GUEST: { UNPROTECTED: LISTENER, PUBLIC: LISTENER, PRIVATE: [] },
  SUBSCRIBER: { UNPROTECTED: LISTENER, PUBLIC: LISTENER, PRIVATE: LISTENER },
  PUBLISHER: { UNPROTECTED: SPEAKER, PUBLIC: SPEAKER, PRIVATE: SPEAKER },
  MODERATOR: { UNPROTECTED: ACTIONS, PUBLIC: ACTIONS, PRIVATE: ACTIONS },
};

/** Whether `caller` may take `action` in `place`: the one function that decides, from facts alone. */
export function decide(caller: Caller, action: Action, place: Place): Decision {
  if (caller.kind === 'API_KEY') return ALLOWED;
  if (caller.kind === 'ANONYMOUS') {
    if (MATRIX.ANONYMOUS[place.type].includes(action)) return ALLOWED;
    return {
      allowed: false,
      rule: 'ANONYMOUS',
      because: 'anonymous callers hear UNPROTECTED channels and nothing else',
    };
  }
  const { role, grants } = caller.token;
  if (!MATRIX[role][place.type].includes(action)) {
    return {
      allowed: false,
      rule: 'ROLE',
      because: `the role ${role} does not allow ${action} in ${place.type} channels`,
    };
  }
  if (place.type === 'PRIVATE' && !place.isMember) {
    return {
      allowed: false,
      rule: 'MEMBERSHIP',
      because: 'the token is not subscribed to this PRIVATE channel',
    };
  }
  if (!grantsAllow(grants, action, place.id)) {
    return { allowed: false, rule: 'GRANTS', because: `no grant of the token allows ${action} here` };
  }
  return ALLOWED;
}

/** Everything `caller` may do in `place`. */
export function allowedActions(caller: Caller, place: Place): Action[] {
  return ACTIONS.filter((action) => decide(caller, action, place).allowed);
}
