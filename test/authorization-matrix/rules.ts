import { type ErrorCode } from '../../src/errors.ts';
import { SCOPES, type Action, type CallerProfile, type ChannelName, type Scope } from './callers.ts';

/**
 * Which callers may call a field. `SELF`: the token that the call refers to. `ENTER`: tokens that may subscribe themselves to
 * the channel. An action: callers with permission for it in the channel of the call, and API keys.
 */
export type Rule =
  'ANYONE' | 'KEY' | 'OPERATOR' | 'TOKEN' | 'KEY_OR_TOKEN' | 'KEY_OR_SELF' | 'SELF' | 'ENTER' | Action;

export interface CallRule {
  rule: Rule;
  /**
   * The error code for an API key of another project, and for every caller of another project if the rule is SELF. Null: the
   * call is allowed and affects only the caller's own project. Default: NOT_FOUND.
   */
  foreign?: ErrorCode | null;
  /** The scopes that an API key needs, all of them. Default: the scope of the action that is the rule. */
  scopes?: readonly Scope[];
  /** Which channel the call is about: the channel of the matrix, or another one, or none. Default: by the arguments. */
  about?: 'TARGET' | 'OTHER';
  /** The call needs a live socket; over plain HTTP it fails with BAD_USER_INPUT. */
  isLive?: boolean;
}

/**
 * The expected error code of a call, or null if it is allowed. The rules are written a second time, independently of the
 * service, so that the test can contradict it.
 */
export function expectedRefusal(
  { rule, scopes, about = 'OTHER', foreign = 'NOT_FOUND', isLive = false }: CallRule,
  caller: CallerProfile,
  channel: ChannelName,
  isSocket: boolean,
): ErrorCode | null {
  if (caller.refused) return caller.refused;
  if (isLive && !isSocket) return 'BAD_USER_INPUT';
  if (rule === 'ANYONE') return null;
  switch (caller.kind) {
    case 'KEY':
      if (rule === 'TOKEN') return 'UNAUTHENTICATED';
      if (rule === 'OPERATOR') return caller.isOperator ? null : caller.isForeign ? foreign : 'FORBIDDEN';
      if (rule === 'SELF') return caller.isForeign ? foreign : 'FORBIDDEN';
      if (caller.scopes && !(scopes ?? scopesOf(rule)).every((scope) => caller.scopes!.includes(scope)))
        return 'FORBIDDEN';
      if (caller.onlyIn && (about === 'OTHER' || channel !== caller.onlyIn)) return 'FORBIDDEN';
      return caller.isForeign ? foreign : null;
    case 'TOKEN':
      return mayToken(rule, caller, channel)
        ? null
        : rule === 'SELF' && caller.isForeign
          ? foreign
          : 'FORBIDDEN';
    case 'ANONYMOUS':
      if (rule === 'SELF') return caller.isForeign ? foreign : 'FORBIDDEN';
      return caller.may?.[channel]?.some((action) => action === rule) ? null : 'UNAUTHENTICATED';
  }
}

/** A call without a stated scope must be about an action in a channel; otherwise every scope is demanded, so that it fails. */
function scopesOf(rule: Rule): readonly Scope[] {
  switch (rule) {
    case 'SUBSCRIBE':
    case 'PRESENCE':
      return ['READ'];
    case 'PUBLISH':
    case 'MODERATE':
      return [rule];
    default:
      return SCOPES;
  }
}

function mayToken(
  rule: Exclude<Rule, 'ANYONE'>,
  { isSelf = false, may }: CallerProfile,
  channel: ChannelName,
): boolean {
  const actions = may?.[channel] ?? [];
  switch (rule) {
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
      return channel !== 'den' && actions.includes('SUBSCRIBE');
    default:
      return actions.includes(rule);
  }
}
