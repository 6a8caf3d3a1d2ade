/**
 * Authentication of `connection_init` and of HTTP requests: choose the verifier. An API key is verified by
 * `projects/api-keys.ts`. A credential is classified by `issuers/classify-credential.ts`, then verified by
 * `credentials.ts` if Signalbox signed it, and by `external-credentials.ts` otherwise.
 */
import { type Clock } from '../clock.ts';
import { SignalboxError } from '../errors.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ApiKeys } from '../projects/api-keys.ts';
import { DEFAULT_PROJECT } from '../projects/project.ts';
import { type CallerLoader } from './caller-loader.ts';
import { type Caller, type CredentialInfo, type TokenCaller } from './caller.ts';
import { tokenExpired, unauthenticated } from './credential-errors.ts';
import { type Credentials } from './credentials.ts';
import { type ExternalCredentials } from './external-credentials.ts';
import { classifyCredential, type CredentialKind } from './issuers/classify-credential.ts';
import { type Jwt } from './issuers/jwt.ts';
import { type Revocations } from './revocations.ts';
import { type Token } from './token.ts';
import { requireActive, type Tokens } from './tokens.ts';

const API_KEY_PREFIX = 'key_';

/** Resolves API keys and credentials to callers. */
export interface Authenticate {
  /**
   * The caller of a request without an API key or credential.
   * @throws NOT_FOUND when the project does not exist
   */
  anonymous(projectId?: string): Promise<Caller>;
  /**
   * @param text the whole API key, `key_<id>.<secret>`
   * @param projectId the project that the client names, if any
   * @throws UNAUTHENTICATED when the key is not valid, or belongs to another project
   */
  apiKey(text: string, projectId?: string): Promise<Caller>;
  /**
   * @param projectId the project that the client names, if any. Without it, a credential that does not
   * identify its project is verified by the issuers of the project `default`.
   * @throws UNAUTHENTICATED when the credential is not valid, or belongs to another project
   * @throws TOKEN_EXPIRED, TOKEN_REVOKED
   * @throws UNAVAILABLE when the keys of a provider cannot be fetched
   */
  credential(text: string, projectId?: string): Promise<Caller>;
  /**
   * Reloads the caller from the store.
   * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED when access has ended
   */
  refresh(caller: Caller): Promise<Caller>;
  /**
   * Authenticates an Authorization header, which carries either an API key or a credential. Throws the errors
   * of `apiKey` and `credential`.
   */
  bearer(text: string, projectId?: string): Promise<Caller>;
}

export function createAuthenticate(deps: {
  apiKeys: ApiKeys;
  credentials: Credentials;
  externalCredentials: ExternalCredentials;
  revocations: Revocations;
  callerLoader: CallerLoader;
  tokens: Tokens;
  clock: Clock;
  /** See `Broker.untilLive`: what this node has cached may be out of date otherwise. */
  untilLive: () => Promise<void> | undefined;
  /** Upper limit of a credential, in bytes of UTF-8. */
  maxCredentialBytes: number;
}): Authenticate {
  const { apiKeys, credentials, externalCredentials, revocations, callerLoader, tokens, clock } = deps;
  const { untilLive, maxCredentialBytes } = deps;

  async function authenticateApiKey(text: string, namedProjectId?: string): Promise<Caller> {
    await untilLive();
    const caller = apiKeyCaller(await apiKeys.verify(text));
    if (namedProjectId === undefined || namedProjectId === caller.projectId) return caller;
    throw new SignalboxError(
      'UNAUTHENTICATED',
      'The API key belongs to another project than the one that the request names.',
      { reason: 'PROJECT' },
    );
  }

  function apiKeyCaller(key: ApiKey | undefined): Caller {
    if (!key)
      throw new SignalboxError('UNAUTHENTICATED', 'The API key is unknown, expired or revoked.', {
        reason: 'API_KEY',
      });
    return { kind: 'API_KEY', projectId: key.projectId, apiKey: key };
  }

  async function authenticateCredential(text: string, namedProjectId?: string): Promise<Caller> {
    await untilLive();
    const kinds = classifyCredential(text, maxCredentialBytes);
    for (const kind of kinds)
      if (kind.kind === 'MINTED') return authenticateOwnCredential(text, kind.jwt, namedProjectId);
    const projectId = namedProjectId ?? (await projectOf(kinds));
    const { record, credential } = await externalCredentials.authenticate(text, kinds, projectId);
    return loadActiveCaller(record, credential);
  }

  /**
   * The ids of API keys are unique across projects, so the id identifies the project. Other key ids do not.
   */
  async function projectOf(kinds: readonly CredentialKind[]): Promise<string> {
    for (const kind of kinds) {
      if (kind.kind !== 'SIGNALBOX' || !kind.keyId.startsWith(API_KEY_PREFIX)) continue;
      const apiKey = await apiKeys.findActive(kind.keyId);
      if (apiKey) return apiKey.projectId;
    }
    return DEFAULT_PROJECT;
  }

  /** For credentials that Signalbox signed: they only name a token, whose record holds the rights. */
  async function authenticateOwnCredential(text: string, jwt: Jwt, namedProjectId?: string): Promise<Caller> {
    const { projectId, tokenId, issuedAt } = await credentials.verify(text, jwt);
    if (namedProjectId !== undefined && namedProjectId !== projectId) throw unauthenticated('PROJECT');
    const record = await tokens.find(projectId, tokenId);
    if (!record) throw unauthenticated('UNKNOWN_TOKEN');
    const { issuerId } = record;
    return loadActiveCaller(record, { issuedAt, issuerId, keyId: null, keyExpiresAt: null, rights: null });
  }

  async function loadActiveCaller(record: Token, credential: CredentialInfo): Promise<TokenCaller> {
    const caller = await callerLoader.load(record, credential);
    requireActive(caller.token, clock.now());
    if (credential.keyExpiresAt !== null && clock.now() >= credential.keyExpiresAt) throw tokenExpired();
    const { identity } = record;
    await revocations.requireNotRevoked(record.projectId, { ...credential, identity });
    return caller;
  }

  return {
    async anonymous(projectId = DEFAULT_PROJECT) {
      await untilLive();
      return callerLoader.loadAnonymous(projectId);
    },
    apiKey: authenticateApiKey,
    credential: authenticateCredential,
    async refresh(caller) {
      if (caller.kind === 'ANONYMOUS') return callerLoader.loadAnonymous(caller.projectId);
      if (caller.kind === 'API_KEY') return apiKeyCaller(await apiKeys.findActive(caller.apiKey.id));
      const record = await tokens.find(caller.projectId, caller.token.id);
      if (!record) throw unauthenticated();
      return loadActiveCaller(record, await externalCredentials.recheck(caller.credential, caller.projectId));
    },
    bearer: (text, projectId) =>
      text.startsWith(API_KEY_PREFIX)
        ? authenticateApiKey(text, projectId)
        : authenticateCredential(text, projectId),
  };
}
