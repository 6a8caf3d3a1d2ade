import { type Clock } from '../clock.ts';
import { SignalboxError } from '../errors.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ApiKeys } from '../projects/api-keys.ts';
import { DEFAULT_PROJECT } from '../projects/project.ts';
import { type Caller, type CredentialFacts, type TokenCaller } from './caller.ts';
import { type Credentials } from './credentials.ts';
import { factsOf, type Facts } from './issuers/facts.ts';
import { type Revocations } from './revocations.ts';
import { type SelfMinted } from './self-minted.ts';
import { type Standing } from './standing.ts';
import { type Token } from './token.ts';
import { requireOpen, type Tokens } from './tokens.ts';
import { tokenExpired, unauthenticated } from './credential-errors.ts';

const API_KEY_PREFIX = 'key_';

/** Turns what a client presents into who it is. Kinds are told apart by explicit facts, never by what fails to verify. */
export interface Authenticate {
  /** Whoever presents nothing. @throws NOT_FOUND when there is no such project */
  anonymous(projectId?: string): Promise<Caller>;
  /** `projectId`: the project that is meant; another one than the key’s own is refused. @throws UNAUTHENTICATED */
  apiKey(text: string, projectId?: string): Promise<Caller>;
  /**
   * `projectId`: the project whose issuers are asked where the credential does not say, `default` when absent; another
   * one than the credential's own is refused.
   * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED; UNAVAILABLE when a provider’s keys cannot be fetched
   */
  credential(text: string, projectId?: string): Promise<Caller>;
  /** The caller as the rows have it now. @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED when it opens nothing any more */
  refresh(caller: Caller): Promise<Caller>;
  /** Whichever of the two `text` is: for the Authorization header, which has one place for both. */
  bearer(text: string, projectId?: string): Promise<Caller>;
}

export function createAuthenticate(parts: {
  apiKeys: ApiKeys;
  credentials: Credentials;
  selfMinted: SelfMinted;
  revocations: Revocations;
  standing: Standing;
  tokens: Tokens;
  clock: Clock;
}): Authenticate {
  const { apiKeys, credentials, selfMinted, revocations, standing, tokens, clock } = parts;

  async function apiKey(text: string, wanted?: string): Promise<Caller> {
    const caller = keyCaller(await apiKeys.verify(text));
    if (wanted === undefined || wanted === caller.projectId) return caller;
    throw new SignalboxError(
      'UNAUTHENTICATED',
      'The API key is of another project than the one that is named.',
    );
  }

  function keyCaller(key: ApiKey | undefined): Caller {
    if (!key) throw new SignalboxError('UNAUTHENTICATED', 'The API key is unknown or has ended.');
    return { kind: 'API_KEY', projectId: key.projectId, apiKey: key };
  }

  async function credential(text: string, projectId?: string): Promise<Caller> {
    const facts = factsOf(text);
    if (facts.kind === 'OURS') return ownCaller(text, projectId);
    const home = projectId ?? (await homeOf(facts));
    const presented = await selfMinted.present(text, facts, home);
    return tokenCaller(presented.record, presented.credential);
  }

  /** The ids of API keys are unique, so that one names its project. Others know nothing of ours. */
  async function homeOf(facts: Facts): Promise<string> {
    if (facts.kind !== 'SIGNALBOX' || !facts.keyId.startsWith(API_KEY_PREFIX)) return DEFAULT_PROJECT;
    return (await apiKeys.findOpen(facts.keyId))?.projectId ?? DEFAULT_PROJECT;
  }

  async function ownCaller(text: string, wanted: string | undefined): Promise<Caller> {
    const { projectId, tokenId, issuedAt } = await credentials.verify(text);
    if (wanted !== undefined && wanted !== projectId) throw unauthenticated();
    const record = await tokens.find(projectId, tokenId);
    if (!record) throw unauthenticated();
    const { issuerId } = record;
    return tokenCaller(record, { issuedAt, issuerId, keyId: null, keyExpiresAt: null, claims: null });
  }

  async function tokenCaller(record: Token, facts: CredentialFacts): Promise<TokenCaller> {
    const caller = await standing.of(record, facts);
    requireOpen(caller.token, clock.now());
    if (facts.keyExpiresAt !== null && clock.now() >= facts.keyExpiresAt) throw tokenExpired();
    const { identity } = record;
    await revocations.require(record.projectId, { ...facts, identity });
    return caller;
  }

  return {
    anonymous: (projectId = DEFAULT_PROJECT) => standing.ofAnonymous(projectId),
    apiKey,
    credential,
    async refresh(caller) {
      if (caller.kind === 'ANONYMOUS') return standing.ofAnonymous(caller.projectId);
      if (caller.kind === 'API_KEY') return keyCaller(await apiKeys.findOpen(caller.apiKey.id));
      const record = await tokens.find(caller.projectId, caller.token.id);
      if (!record) throw unauthenticated();
      return tokenCaller(record, await selfMinted.recheck(caller.credential, caller.projectId));
    },
    bearer: (text, projectId) =>
      text.startsWith(API_KEY_PREFIX) ? apiKey(text, projectId) : credential(text, projectId),
  };
}
