import { type Clock } from '../clock.ts';
import { notFound } from '../errors.ts';
import { type Action } from '../projects/permissions.ts';
import { allowedActions, decide, RULES, type Decision, type AccessTarget } from '../tokens/authorisation.ts';
import { requireApiKey, requireKeyOrSelf, type Caller } from '../tokens/caller.ts';
import { type Revocations } from '../tokens/revocations.ts';
import { type CallerLoader } from '../tokens/caller-loader.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { targetOf, type Access } from './access.ts';

/** What else can decide: there is nothing to decide about. */
export const EXPLANATION_RULES = ['NO_CHANNEL', 'TOKEN_ENDED', ...RULES] as const;

export interface Explanation extends Omit<Decision, 'rule'> {
  rule: (typeof EXPLANATION_RULES)[number];
}

export type ExplainPermission = (
  caller: Caller,
  asked: { token: string | undefined; channel: string; action: Action },
) => Promise<Explanation>;

/**
 * Whether a token, or without one an anonymous caller, may take an action in a channel, and by which rule. By an API
 * key, or by the token itself, which learns nothing of channels that it may not know of.
 * @throws NOT_FOUND for a token that does not exist, FORBIDDEN, UNAUTHENTICATED
 */
export function createExplainPermission(parts: {
  tokens: Tokens;
  callerLoader: CallerLoader;
  access: Access;
  revocations: Pick<Revocations, 'includes'>;
  clock: Clock;
}): ExplainPermission {
  const { tokens, callerLoader, access, revocations, clock } = parts;

  async function findWhose(caller: Caller, tokenId: string | undefined): Promise<Caller> {
    if (tokenId === undefined) {
      requireApiKey(caller);
      return callerLoader.loadAnonymous(caller.projectId);
    }
    requireKeyOrSelf(caller, tokenId);
    if (caller.kind === 'TOKEN') return caller;
    const record = await tokens.find(caller.projectId, tokenId);
    if (!record) throw notFound('token', tokenId);
    return callerLoader.loadRecord(record);
  }

  /** Which credential of ours a token will be asked for with, nobody knows; of another's issuer, the last one is known. */
  async function hasEnded(token: Token): Promise<boolean> {
    const { projectId, revokedAt, expiresAt, credentialRights } = token;
    if (revokedAt !== null || (expiresAt !== null && clock.now() >= expiresAt)) return true;
    return (
      credentialRights !== null &&
      revocations.includes(projectId, { ...token, issuedAt: credentialRights.issuedAt })
    );
  }

  return async (caller, { token, channel, action }) => {
    const whose = await findWhose(caller, token);
    // A token that asks for itself has been let in, and may be in its grace.
    if (caller.kind === 'API_KEY' && whose.kind === 'TOKEN' && (await hasEnded(whose.token)))
      return { allowed: false, rule: 'TOKEN_ENDED', because: 'the token has expired or was revoked' };
    const encounter = await access.lookup(whose, channel);
    if (caller.kind === 'API_KEY') {
      if (!encounter) return { allowed: false, rule: 'NO_CHANNEL', because: 'there is no such channel' };
      return decide(whose, action, targetOf(encounter));
    }
    const place = encounter && targetOf(encounter);
    // Where it may nothing, it learns no more than where there is nothing.
    const isVisible = place && (place.isMember || allowedActions(whose, place).length > 0);
    return decide(whose, action, isVisible ? place : hidden(channel));
  };
}

/** What a channel looks like from outside, whether it is there or not. */
const hidden = (id: string): AccessTarget => ({ id, type: 'PRIVATE', kind: null, isMember: false });
