import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { badInput, notFound } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseJson, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Role } from '../projects/permissions.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type Statement, type Store } from '../store/store.ts';
import { actorOf, requireApiKey, requireKeyOrSelf, type Caller } from './caller.ts';
import { type Credentials } from './credentials.ts';
import { parseGrants, type GrantInput } from './grants.ts';
import { parseIdentity } from './identity.ts';
import { defaultExpiry, forgetAfter, parseExpiry, type ExpiryInput } from './lifetime.ts';
import { parseRole } from './roles.ts';
import { createRestrictionStore } from './restriction-store.ts';
import { createTokenStore, type TokenFilter } from './token-store.ts';
import { blankToken, withCredentialRights, type Token } from './token.ts';
import { tokenExpired, tokenRevoked } from './credential-errors.ts';

/** What may be said of a token when it is made or changed. Absent: the default, or as it was. */
export interface TokenInput extends ExpiryInput {
  role?: Role | undefined;
  /** A role of the project's own. Not together with `role`. */
  customRole?: string | undefined;
  grants?: readonly GrantInput[] | null | undefined;
  connectionData?: string | null | undefined;
  state?: unknown;
}

/** Tells every node of a change, so that live connections feel it. */
export type AnnounceToken = (change: {
  kind: 'TOKEN_UPDATED' | 'TOKEN_REVOKED';
  projectId: string;
  token: Token;
}) => Promise<unknown>;

export interface MintedToken {
  token: Token;
  credential: string;
}

/** Tokens are shown as their last credential has them: see `withClaims`. */
export interface Tokens {
  /**
   * Makes a token and its credential. `alongside` names further rows to write with it, all or none.
   * @throws RATE_LIMITED, BAD_USER_INPUT, PAYLOAD_TOO_LARGE
   */
  create(
    caller: Caller,
    input: TokenInput & { identity?: string | undefined },
    alongside?: (token: Token) => Promise<Statement[]>,
  ): Promise<MintedToken>;
  /** Another credential for the same token, as it stands now. @throws NOT_FOUND, TOKEN_REVOKED, TOKEN_EXPIRED, RATE_LIMITED */
  mint(caller: Caller, id: string): Promise<MintedToken>;
  /** Live connections feel it before this returns. @throws NOT_FOUND, TOKEN_REVOKED, BAD_USER_INPUT */
  update(caller: Caller, id: string, input: TokenInput): Promise<Token>;
  /** Ends the token and its live connections; repeating it changes nothing. @throws NOT_FOUND */
  revoke(caller: Caller, id: string): Promise<Token>;
  /** By an API key, or by the token itself. @throws NOT_FOUND */
  get(caller: Caller, id: string): Promise<Token>;
  list(caller: Caller, page: PageRequest, filter: TokenFilter): Promise<Page<Token>>;
  /** The record itself, without regard to any credential. */
  find(projectId: string, id: string): Promise<Token | undefined>;
  hasIdentity(projectId: string, identity: string): Promise<boolean>;
  /** Some of those that may be forgotten now, and what removes them. */
  expiredTokens(limit: number): Promise<{ ids: string[]; removals: Statement[] }>;
  /** The ids of all tokens of an identity, read page by page. */
  idsOf(projectId: string, identity: string): AsyncIterable<string>;
}

export function createTokens(parts: {
  store: Store;
  credentials: Credentials;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  newId: NewId;
  config: Config;
  mints: RateLimit;
  announce: AnnounceToken;
  audit: Audit;
}): Tokens {
  const { store, credentials, settingsOf, clock, newId, config, mints, announce, audit } = parts;
  const rows = createTokenStore(store);
  const restrictions = createRestrictionStore(store);

  async function find(caller: Caller, id: string): Promise<Token> {
    const token = await rows.find(caller.projectId, id);
    if (!token) throw notFound('token', id);
    return token;
  }

  /** The fields that `input` sets, checked. */
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

  return {
    async create(caller, input, alongside) {
      requireApiKey(caller);
      mints.take(actorOf(caller));
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
      const further = (await alongside?.(token)) ?? [];
      await store.batch([rows.insertion(token), ...further]);
      audit({ action: 'token.create', projectId, actor: actorOf(caller), subject: token.id });
      return { token, credential: await credentials.mint(token) };
    },
    async mint(caller, id) {
      requireApiKey(caller);
      mints.take(actorOf(caller));
      const token = await find(caller, id);
      requireOpen(token, clock.now());
      // One of ours would not say what narrows those of its issuer.
      if (token.subject !== null) throw badInput('token', 'has credentials that its issuer signs, not we.');
      audit({ action: 'token.mint', projectId: token.projectId, actor: actorOf(caller), subject: id });
      return { token, credential: await credentials.mint(token) };
    },
    async update(caller, id, input) {
      requireApiKey(caller);
      const change = parseInput(input, await settingsOf(caller.projectId));
      const { origin } = await find(caller, id);
      const token = await rows.update(caller.projectId, id, {
        ...change,
        ...(origin === 'GUEST' &&
          change.expiresAt !== undefined && { forgetAfter: forgetAfter(change.expiresAt) }),
      });
      if (!token) throw tokenRevoked();
      await announce({ kind: 'TOKEN_UPDATED', projectId: token.projectId, token });
      audit({ action: 'token.update', projectId: token.projectId, actor: actorOf(caller), subject: id });
      return shown(token);
    },
    async revoke(caller, id) {
      requireApiKey(caller);
      const before = await find(caller, id);
      const token = (await rows.update(caller.projectId, id, { revokedAt: clock.now() })) ?? before;
      await announce({ kind: 'TOKEN_REVOKED', projectId: token.projectId, token });
      audit({ action: 'token.revoke', projectId: token.projectId, actor: actorOf(caller), subject: id });
      return shown(token);
    },
    async get(caller, id) {
      requireKeyOrSelf(caller, id);
      return shown(await find(caller, id));
    },
    async list(caller, page, filter) {
      requireApiKey(caller);
      const { items, hasMore } = await rows.list(caller.projectId, page, filter);
      return { items: items.map(shown), hasMore };
    },
    find: (projectId, id) => rows.find(projectId, id),
    async expiredTokens(limit) {
      const ids = await rows.expiredTokens(clock.now(), limit);
      return { ids, removals: [rows.removal(ids), restrictions.removalOf(ids)] };
    },
    async *idsOf(projectId, identity) {
      for (let after: string | undefined, hasMore = true; hasMore;) {
        const page = await rows.list(projectId, { first: IDS_PAGE, after }, { identity });
        yield* page.items.map(({ id }) => id);
        after = page.items.at(-1)?.id;
        hasMore = page.hasMore;
      }
    },
    async hasIdentity(projectId, identity) {
      return (await rows.list(projectId, { first: 1 }, { identity })).items.length > 0;
    },
  };
}

const IDS_PAGE = 100;

const shown = (record: Token) => withCredentialRights(record, record.credentialRights);

/** @throws TOKEN_REVOKED, TOKEN_EXPIRED when the token opens nothing any more. */
export function requireOpen(token: Token, now: number): void {
  if (token.revokedAt !== null) throw tokenRevoked();
  if (token.expiresAt !== null && now >= token.expiresAt) throw tokenExpired();
}
