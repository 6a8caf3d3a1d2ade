import { type ErrorCode } from '../../src/errors.ts';
import { type CallerFacts, type Place } from './callers.ts';

export type Action = 'SUBSCRIBE' | 'PUBLISH' | 'PRESENCE' | 'MODERATE';

/**
 * Who may call a field. `SELF`: the token that it is about. `ENTER`: who may make itself a member. An action: whoever
 * may take it in the channel that the call names, and API keys.
 */
export type Rule =
  'ANYONE' | 'KEY' | 'OPERATOR' | 'TOKEN' | 'KEY_OR_TOKEN' | 'KEY_OR_SELF' | 'SELF' | 'ENTER' | Action;

export interface RuleOfCall {
  who: Rule;
  /**
   * What an API key of another project is told, and of SELF whoever is of another; null: it may, and reaches nothing
   * but what is its own. NOT_FOUND when absent.
   */
  elsewhere?: ErrorCode | null;
  /** Needs a live socket: over plain HTTP it is BAD_USER_INPUT. */
  isLive?: boolean;
}

/** What whoever asks is refused with; null: it may. Written down apart from the service, so that it can contradict it. */
export function refusalOf(
  { who, elsewhere = 'NOT_FOUND', isLive = false }: RuleOfCall,
  caller: CallerFacts,
  place: Place,
  isSocket: boolean,
): ErrorCode | null {
  if (caller.refused) return caller.refused;
  if (isLive && !isSocket) return 'BAD_USER_INPUT';
  if (who === 'ANYONE') return null;
  switch (caller.kind) {
    case 'KEY':
      if (who === 'TOKEN') return 'UNAUTHENTICATED';
      if (who === 'OPERATOR') return caller.isOperator ? null : caller.isElsewhere ? elsewhere : 'FORBIDDEN';
      if (who === 'SELF') return caller.isElsewhere ? elsewhere : 'FORBIDDEN';
      return caller.isElsewhere ? elsewhere : null;
    case 'TOKEN':
      return mayToken(who, caller, place)
        ? null
        : who === 'SELF' && caller.isElsewhere
          ? elsewhere
          : 'FORBIDDEN';
    case 'ANONYMOUS':
      if (who === 'SELF') return caller.isElsewhere ? elsewhere : 'FORBIDDEN';
      return caller.may?.[place]?.some((action) => action === who) ? null : 'UNAUTHENTICATED';
  }
}

function mayToken(who: Exclude<Rule, 'ANYONE'>, { isSelf = false, may }: CallerFacts, place: Place): boolean {
  const actions = may?.[place] ?? [];
  switch (who) {
    case 'KEY':
    case 'OPERATOR':
      return false;
    case 'TOKEN':
    case 'KEY_OR_TOKEN':
      return true;
    case 'SELF':
    case 'KEY_OR_SELF':
      return isSelf;
    case 'ENTER':
      return place !== 'den' && actions.includes('SUBSCRIBE');
    default:
      return actions.includes(who);
  }
}
