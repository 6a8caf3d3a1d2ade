import { type Clock } from '../clock.ts';
import { SignalboxError } from '../errors.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ApiKeys } from '../projects/api-keys.ts';
import { DEFAULT_PROJECT } from '../projects/project.ts';
import { type Caller, type CredentialInfo, type TokenCaller } from './caller.ts';
import { type Credentials } from './credentials.ts';
import { classifyCredential, type CredentialKind } from './issuers/classify-credential.ts';
import { type Revocations } from './revocations.ts';
import { type ExternalCredentials } from './external-credentials.ts';
import { type CallerLoader } from './caller-loader.ts';
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
  externalCredentials: ExternalCredentials;
  revocations: Revocations;
  callerLoader: CallerLoader;
  tokens: Tokens;
  clock: Clock;
}): Authenticate {
  const { apiKeys, credentials, externalCredentials, revocations, callerLoader, tokens, clock } = parts;

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
    const facts = classifyCredential(text);
    if (facts.kind === 'MINTED') return ownCaller(text, projectId);
    const home = projectId ?? (await homeOf(facts));
    const presented = await externalCredentials.authenticate(text, facts, home);
    return tokenCaller(presented.record, presented.credential);
  }

  /** The ids of API keys are unique, so that one names its project. Others know nothing of ours. */
  async function homeOf(facts: CredentialKind): Promise<string> {
    if (facts.kind !== 'SIGNALBOX' || !facts.keyId.startsWith(API_KEY_PREFIX)) return DEFAULT_PROJECT;
    return (await apiKeys.findOpen(facts.keyId))?.projectId ?? DEFAULT_PROJECT;
  }

  async function ownCaller(text: string, wanted: string | undefined): Promise<Caller> {
    const { projectId, tokenId, issuedAt } = await credentials.verify(text);
    if (wanted !== undefined && wanted !== projectId) throw unauthenticated();
    const record = await tokens.find(projectId, tokenId);
    if (!record) throw unauthenticated();
    const { issuerId } = record;
    return tokenCaller(record, { issuedAt, issuerId, keyId: null, keyExpiresAt: null, rights: null });
  }

  async function tokenCaller(record: Token, facts: CredentialInfo): Promise<TokenCaller> {
    const caller = await callerLoader.load(record, facts);
    requireOpen(caller.token, clock.now());
    if (facts.keyExpiresAt !== null && clock.now() >= facts.keyExpiresAt) throw tokenExpired();
    const { identity } = record;
    await revocations.require(record.projectId, { ...facts, identity });
    return caller;
  }

  return {
    anonymous: (projectId = DEFAULT_PROJECT) => callerLoader.loadAnonymous(projectId),
    apiKey,
    credential,
    async refresh(caller) {
      if (caller.kind === 'ANONYMOUS') return callerLoader.loadAnonymous(caller.projectId);
      if (caller.kind === 'API_KEY') return keyCaller(await apiKeys.findOpen(caller.apiKey.id));
      const record = await tokens.find(caller.projectId, caller.token.id);
      if (!record) throw unauthenticated();
      return tokenCaller(record, await externalCredentials.recheck(caller.credential, caller.projectId));
    },
    bearer: (text, projectId) =>
      text.startsWith(API_KEY_PREFIX) ? apiKey(text, projectId) : credential(text, projectId),
  };
}
