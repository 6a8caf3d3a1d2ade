import { type Clock } from '../clock.ts';
import { notFound } from '../errors.ts';
import { type Action } from '../projects/permissions.ts';
import { allowedActions, decide, RULES, type Decision, type AccessTarget } from '../tokens/authorization.ts';
import { requireApiKey, requireKeyOrSelf, type Caller } from '../tokens/caller.ts';
import { type Revocations } from '../tokens/revocations.ts';
import { type CallerLoader } from '../tokens/caller-loader.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { targetOf, type Access } from './access.ts';

/** The rules of `decide`, after the two checks that come before it: the token must not have ended, the channel must exist. */
export const EXPLANATION_RULES = ['TOKEN_ENDED', 'NO_CHANNEL', ...RULES] as const;

export interface Explanation extends Omit<Decision, 'rule'> {
  rule: (typeof EXPLANATION_RULES)[number];
}

export type ExplainPermission = (
  caller: Caller,
  question: { token: string | undefined; channel: string; action: Action },
) => Promise<Explanation>;

/**
 * Explains whether a token may take an action in a channel, and which rule decides. Without a token, the answer is for
 * an anonymous caller. API keys may ask about every token. A token may ask about itself only, and gets the same answer
 * for a channel that it may not see as for a channel that does not exist.
 * @throws NOT_FOUND when the token does not exist
 * @throws FORBIDDEN when a token asks about another token or about anonymous callers
 * @throws UNAUTHENTICATED when the caller is anonymous
 */
export function createExplainPermission(deps: {
  tokens: Tokens;
  callerLoader: CallerLoader;
  access: Access;
  revocations: Pick<Revocations, 'includes'>;
  clock: Clock;
}): ExplainPermission {
  const { tokens, callerLoader, access, revocations, clock } = deps;

  async function loadSubject(caller: Caller, tokenId: string | undefined, channel: string): Promise<Caller> {
    if (tokenId === undefined) {
      requireApiKey(caller, 'READ', channel);
      return callerLoader.loadAnonymous(caller.projectId);
    }
    requireKeyOrSelf(caller, tokenId, 'READ', channel);
    if (caller.kind === 'TOKEN') return caller;
    const record = await tokens.find(caller.projectId, tokenId);
    if (!record) throw notFound('token', tokenId);
    return callerLoader.loadRecord(record);
  }

  /**
   * Whether the token has expired or was revoked. Revocations by identity or issuer apply by the credential's issue time,
   * which is recorded for external credentials only: a token can have any number of Signalbox credentials.
   */
  async function hasEnded(token: Token): Promise<boolean> {
    const { projectId, revokedAt, expiresAt, credentialRights } = token;
    if (revokedAt !== null || (expiresAt !== null && clock.now() >= expiresAt)) return true;
    return (
      credentialRights !== null &&
      revocations.includes(projectId, { ...token, issuedAt: credentialRights.issuedAt })
    );
  }

  return async (caller, { token, channel, action }) => {
    const subject = await loadSubject(caller, token, channel);
    // A token that asks about itself is already authenticated; after its expiry it may still be in its grace period.
    if (caller.kind === 'API_KEY' && subject.kind === 'TOKEN' && (await hasEnded(subject.token)))
      return { allowed: false, rule: 'TOKEN_ENDED', because: 'the token has expired or was revoked' };
    const channelAccess = await access.lookup(subject, channel);
    if (caller.kind === 'API_KEY') {
      if (!channelAccess) return { allowed: false, rule: 'NO_CHANNEL', because: 'there is no such channel' };
      return decide(subject, action, targetOf(channelAccess));
    }
    const target = channelAccess && targetOf(channelAccess);
    // A token that may do nothing in a channel must not learn whether the channel exists.
    const isVisible = target && (target.isMember || allowedActions(subject, target).length > 0);
    return decide(subject, action, isVisible ? target : hiddenTarget(channel));
  };
}

/** The target that stands for both a channel that the token may not see and a channel that does not exist. */
const hiddenTarget = (id: string): AccessTarget => ({ id, type: 'PRIVATE', kind: null, isMember: false });
