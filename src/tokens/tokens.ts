import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseJson, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Role } from '../projects/permissions.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type Statement, type Store } from '../store/store.ts';
import { type Announce, type Write } from '../store/write.ts';
import { actorOf, requireApiKey, requireKeyOrSelf, type Caller } from './caller.ts';
import { tokenExpired, tokenRevoked } from './credential-errors.ts';
import { type Credentials } from './credentials.ts';
import { parseGrants, type GrantInput } from './grants.ts';
import { parseIdentity } from './identity.ts';
import { defaultExpiry, parseExpiry, purgeTime, type ExpiryInput } from './lifetime.ts';
import { createRestrictionStore } from './restriction-store.ts';
import { parseRole } from './roles.ts';
import { createTokenStore, type TokenFilter } from './token-store.ts';
import { blankToken, withCredentialRights, type Token, type TokensOfProject } from './token.ts';

/**
 * The fields of a token that API keys set. Absent: the default of a new token, or no change of an existing
 * one.
 */
export interface TokenInput extends ExpiryInput {
  role?: Role | undefined;
  /** A role that the project defines. Mutually exclusive with `role`. */
  customRole?: string | undefined;
  grants?: readonly GrantInput[] | null | undefined;
  connectionData?: string | null | undefined;
  state?: unknown;
}

/** Writes a change of a token and announces it to every node. */
export type AnnounceToken = Announce<{
  kind: 'TOKEN_UPDATED' | 'TOKEN_REVOKED';
  projectId: string;
  token: Token;
}>;

export interface TokenWithCredential {
  token: Token;
  credential: string;
}

/**
 * The tokens of all projects. `update`, `revoke`, `get` and `list` return records with the rights of their
 * newest credential: see `withCredentialRights`. All functions with a caller but `get` throw UNAUTHENTICATED
 * or FORBIDDEN unless the caller is an API key.
 */
export interface Tokens {
  /**
   * Creates a token and a credential.
   * @param alongside returns further statements to run in the same transaction as the insertion of the token
   * @throws RATE_LIMITED, BAD_USER_INPUT, PAYLOAD_TOO_LARGE
   */
  create(
    caller: Caller,
    input: TokenInput & { identity?: string | undefined },
    alongside?: (token: Token) => Promise<Statement[]>,
  ): Promise<TokenWithCredential>;
  /**
   * Signs another credential for a token, or for the only token of an identity that Signalbox signs for. The credential
   * expires when the token does.
   * @param expiresIn seconds from now that the token lives at least, also if it has expired. Default: its expiry stays
   * @throws BAD_USER_INPUT when an issuer signs the credentials of the token, when an identity has several tokens in
   * force, and unless exactly one of `token` and `identity` is given
   * @throws NOT_FOUND, TOKEN_REVOKED, TOKEN_EXPIRED, RATE_LIMITED
   */
  createCredential(
    caller: Caller,
    target: { token?: string | undefined; identity?: string | undefined },
    expiresIn?: number,
  ): Promise<TokenWithCredential>;
  /**
   * Changes the fields that `input` sets. Live connections have applied the change before this resolves.
   * @throws NOT_FOUND, TOKEN_REVOKED, BAD_USER_INPUT, PAYLOAD_TOO_LARGE
   */
  update(caller: Caller, id: string, input: TokenInput): Promise<Token>;
  /** Revokes a token and closes its live connections before this resolves. Idempotent. @throws NOT_FOUND */
  revoke(caller: Caller, id: string): Promise<Token>;
  /** For API keys, and for the token itself. @throws UNAUTHENTICATED, FORBIDDEN, NOT_FOUND */
  get(caller: Caller, id: string): Promise<Token>;
  list(caller: Caller, page: PageRequest, filter: TokenFilter): Promise<Page<Token>>;
  /** The stored record, without the rights of any credential. */
  find(projectId: string, id: string): Promise<Token | undefined>;
  hasIdentity(projectId: string, identity: string): Promise<boolean>;
  /**
   * At most `limit` tokens of one project that may be deleted; undefined if there are none. These are tokens that no
   * credential can use any more: guests, and tokens of a single credential, one day after they expired.
   * @param now milliseconds since 1970
   */
  purgeableTokens(now: number, limit: number): Promise<TokensOfProject | undefined>;
  /**
   * The statements that delete those of the tokens that may still be deleted, and their restrictions, for a batch. Statements
   * after them find which tokens are left.
   */
  removalOf(tokens: TokensOfProject, now: number): Statement[];
}

export function createTokens(deps: {
  store: Store;
  credentials: Credentials;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  newId: NewId;
  config: Config;
  /** Limits new tokens and credentials per caller. */
  credentialRate: RateLimit;
  announce: AnnounceToken;
  audit: Audit;
}): Tokens {
  const { store, credentials, settingsOf, clock, newId, config, credentialRate, announce, audit } = deps;
  const tokenStore = createTokenStore(store);
  const restrictionStore = createRestrictionStore(store);

  async function requireToken(caller: Caller, id: string): Promise<Token> {
    const token = await tokenStore.find(caller.projectId, id);
    if (!token) throw notFound('token', id);
    return token;
  }

  /** Validates the fields that `input` sets. */
  function parseInput(input: TokenInput, settings: ProjectSettings) {
    const { grants, connectionData, state } = input;
    const expiresAt = parseExpiry(input, settings, clock.now());
    return {
      ...parseRole(input, settings.permissions),
      ...(grants !== undefined && { grants: grants && parseGrants(grants, config.maxGrantsPerToken) }),
      ...(connectionData !== undefined && {
        connectionData: connectionData === null ? null : parseText(connectionData, 'input.connectionData'),
      }),
      ...(state !== undefined && { state: parseJson(state, config.maxStateBytes, 'input.state') }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
  }

  async function applyUpdate(caller: Caller, token: Token, change: Partial<ExpiryChange>): Promise<Token> {
    const write = tokenStore.update(token.projectId, token.id, withPurgeTime(token, change));
    const updated = await announceUpdate(caller, token, write);
    if (!updated) throw tokenRevoked();
    return updated;
  }

  /** Resolves to undefined if the write changed nothing. */
  async function announceUpdate(
    caller: Caller,
    { projectId }: Token,
    write: Write<Token | undefined>,
  ): Promise<Token | undefined> {
    const { result: token } = await announce(
      write,
      (updated) => updated && { kind: 'TOKEN_UPDATED', projectId, token: updated },
    );
    if (token) audit({ action: 'token.update', actor: actorOf(caller), ...about(token) });
    return token;
  }

  async function findCredentialTarget(
    caller: Caller,
    { token, identity }: { token?: string | undefined; identity?: string | undefined },
  ): Promise<Token> {
    if ((token === undefined) === (identity === undefined))
      throw badInput('token', 'name exactly one of token and identity.');
    if (token !== undefined) return requireToken(caller, token);
    const found = await tokenStore.lastToExpire(caller.projectId, identity ?? '', 2);
    const [first, second] = found;
    if (!first) throw notFound('token of identity', identity ?? '');
    if (second && (second.expiresAt === null || clock.now() < second.expiresAt))
      throw badInput('identity', 'has several tokens; name one of them by its id, as token.');
    return first;
  }

  /**
   * Never shortens the life of a token: its other credentials stay valid as long as they were. The statement compares the
   * expiries, because `update` may set a later one meanwhile, also on another node.
   */
  async function extend(caller: Caller, token: Token, expiresIn: number | undefined): Promise<Token> {
    if (expiresIn === undefined) return token;
    const expiresAt = parseExpiry({ expiresIn }, await settingsOf(token.projectId), clock.now(), '');
    if (expiresAt == null || token.expiresAt === null || expiresAt <= token.expiresAt) return token;
    const write = tokenStore.extend(token.projectId, token.id, withPurgeTime(token, { expiresAt }));
    const extended = await announceUpdate(caller, token, write);
    if (extended) return extended;
    const current = await requireToken(caller, token.id);
    if (current.revokedAt !== null) throw tokenRevoked();
    return current;
  }

  return {
    async create(caller, input, alongside) {
      requireApiKey(caller, 'TOKENS');
      credentialRate.take(actorOf(caller));
      const { projectId, apiKey } = caller;
      const settings = await settingsOf(projectId);
      const token: Token = {
        ...blankToken(newId('token'), projectId, clock.now()),
        identity:
          input.identity === undefined ? null : parseIdentity(input.identity, settings, 'input.identity'),
        issuerId: apiKey.rootKeyId,
        expiresAt: defaultExpiry(settings, clock.now()),
        ...parseInput(input, settings),
      };
      const alongsideRows = (await alongside?.(token)) ?? [];
      await store.batch([tokenStore.insertion(token), ...alongsideRows]);
      audit({ action: 'token.create', actor: actorOf(caller), ...about(token) });
      return { token, credential: await credentials.sign(token) };
    },
    async createCredential(caller, target, expiresIn) {
      requireApiKey(caller, 'TOKENS');
      credentialRate.take(actorOf(caller));
      const found = await findCredentialTarget(caller, target);
      if (found.revokedAt !== null) throw tokenRevoked();
      // A credential that Signalbox signs would lack the rights that narrow the issuer's credentials.
      if (found.subject !== null)
        throw badInput('token', 'an issuer signs the credentials of this token; get one from that issuer.');
      const token = await extend(caller, found, expiresIn);
      if (token.expiresAt !== null && clock.now() >= token.expiresAt)
        throw new SignalboxError('TOKEN_EXPIRED', 'The token has expired. Pass expiresIn to renew it.');
      audit({ action: 'credential.create', actor: actorOf(caller), ...about(token) });
      return { token, credential: await credentials.sign(token) };
    },
    async update(caller, id, input) {
      requireApiKey(caller, 'TOKENS');
      const change = parseInput(input, await settingsOf(caller.projectId));
      return withNewestRights(await applyUpdate(caller, await requireToken(caller, id), change));
    },
    async revoke(caller, id) {
      requireApiKey(caller, 'TOKENS');
      const { projectId } = caller;
      const before = await requireToken(caller, id);
      const { result: token = before } = await announce(
        tokenStore.update(projectId, id, { revokedAt: clock.now() }),
        (revoked = before) => ({ kind: 'TOKEN_REVOKED', projectId, token: revoked }),
      );
      audit({ action: 'token.revoke', actor: actorOf(caller), ...about(token) });
      return withNewestRights(token);
    },
    async get(caller, id) {
      requireKeyOrSelf(caller, id, 'READ');
      return withNewestRights(await requireToken(caller, id));
    },
    async list(caller, page, filter) {
      requireApiKey(caller, 'READ');
      const { items, hasMore } = await tokenStore.list(caller.projectId, page, filter);
      return { items: items.map(withNewestRights), hasMore };
    },
    find: (projectId, id) => tokenStore.find(projectId, id),
    purgeableTokens: (now, limit) => tokenStore.purgeableTokens(now, limit),
    removalOf: ({ projectId, ids }, now) => [
      tokenStore.removal(projectId, ids, now),
      restrictionStore.removalOf(projectId, ids),
    ],
    async hasIdentity(projectId, identity) {
      return (await tokenStore.list(projectId, { first: 1 }, { identity })).items.length > 0;
    },
  };
}

const withNewestRights = (record: Token) => withCredentialRights(record, record.credentialRights);

type ExpiryChange = Pick<Token, 'expiresAt'>;

/** The change with the time after which a guest may be deleted: it depends on the expiry. */
function withPurgeTime<Change extends Partial<ExpiryChange>>({ origin }: Token, change: Change) {
  const { expiresAt } = change;
  return {
    ...change,
    ...(origin === 'GUEST' && expiresAt !== undefined && { purgeAfter: purgeTime(expiresAt) }),
  };
}

/** @throws TOKEN_REVOKED, TOKEN_EXPIRED */
export function requireActive(token: Token, now: number): void {
  if (token.revokedAt !== null) throw tokenRevoked();
  if (token.expiresAt !== null && now >= token.expiresAt) throw tokenExpired();
}

/** The part of an audit entry about a token. */
const about = ({ id, projectId, identity }: Token) => ({
  projectId,
  subject: id,
  ...(identity !== null && { identity }),
});
