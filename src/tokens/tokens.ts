import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseJson, parseName, parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type Statement, type Store } from '../store/store.ts';
import { actorOf, requireApiKey, requireKeyOrSelf, type Caller } from './caller.ts';
import { type Credentials } from './credentials.ts';
import { parseGrants } from './grants.ts';
import { createTokenStore, type TokenFilter } from './token-store.ts';
import { type Action, type Role, type Token } from './token.ts';

/** What may be said of a token when it is made or changed. Absent: the default, or as it was. */
export interface TokenInput {
  role?: Role | undefined;
  grants?: readonly { channels: string; actions: readonly Action[] }[] | null | undefined;
  connectionData?: string | null | undefined;
  state?: unknown;
  /** From now, in seconds. */
  expiresIn?: number | undefined;
  /** Milliseconds since 1970. Null: never. Not together with `expiresIn`. */
  expiresAt?: number | null | undefined;
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
  find(projectId: string, id: string): Promise<Token | undefined>;
}

export function createTokens(parts: {
  store: Store;
  credentials: Credentials;
  clock: Clock;
  newId: NewId;
  config: Config;
  mints: RateLimit;
  announce: AnnounceToken;
  audit: Audit;
}): Tokens {
  const { store, credentials, clock, newId, config, mints, announce, audit } = parts;
  const rows = createTokenStore(store);

  async function find(caller: Caller, id: string): Promise<Token> {
    const token = await rows.find(caller.projectId, id);
    if (!token) throw notFound('token', id);
    return token;
  }

  /** The fields that `input` sets, checked. */
  function parseInput(input: TokenInput) {
    const { role, grants, connectionData, state } = input;
    const expiresAt = parseExpiry(input, clock.now());
    return {
      ...(role !== undefined && { role }),
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
      const token: Token = {
        id: newId('token'),
        projectId: caller.projectId,
        identity:
          input.identity === undefined ? null : parseName('identity', input.identity, 'input.identity'),
        role: 'PUBLISHER',
        grants: null,
        connectionData: null,
        state: null,
        createdAt: clock.now(),
        expiresAt: null,
        revokedAt: null,
        ...parseInput(input),
      };
      const further = (await alongside?.(token)) ?? [];
      await store.batch([rows.insertion(token), ...further]);
      audit({
        action: 'token.create',
        projectId: token.projectId,
        actor: actorOf(caller),
        subject: token.id,
      });
      return { token, credential: await credentials.mint(token) };
    },
    async mint(caller, id) {
      requireApiKey(caller);
      mints.take(actorOf(caller));
      const token = await find(caller, id);
      requireOpen(token, clock.now());
      audit({ action: 'token.mint', projectId: token.projectId, actor: actorOf(caller), subject: id });
      return { token, credential: await credentials.mint(token) };
    },
    async update(caller, id, input) {
      requireApiKey(caller);
      const change = parseInput(input);
      await find(caller, id);
      const token = await rows.update(caller.projectId, id, change);
      if (!token) throw new SignalboxError('TOKEN_REVOKED', `The token “${id}” was revoked.`);
      await announce({ kind: 'TOKEN_UPDATED', projectId: token.projectId, token });
      audit({ action: 'token.update', projectId: token.projectId, actor: actorOf(caller), subject: id });
      return token;
    },
    async revoke(caller, id) {
      requireApiKey(caller);
      const before = await find(caller, id);
      const token = (await rows.update(caller.projectId, id, { revokedAt: clock.now() })) ?? before;
      await announce({ kind: 'TOKEN_REVOKED', projectId: token.projectId, token });
      audit({ action: 'token.revoke', projectId: token.projectId, actor: actorOf(caller), subject: id });
      return token;
    },
    async get(caller, id) {
      requireKeyOrSelf(caller, id);
      return find(caller, id);
    },
    async list(caller, page, filter) {
      requireApiKey(caller);
      return rows.list(caller.projectId, page, filter);
    },
    find: (projectId, id) => rows.find(projectId, id),
  };
}

/** @throws TOKEN_REVOKED, TOKEN_EXPIRED when the token opens nothing any more. */
export function requireOpen(token: Token, now: number): void {
  if (token.revokedAt !== null) throw new SignalboxError('TOKEN_REVOKED', 'The token was revoked.');
  if (token.expiresAt !== null && now >= token.expiresAt)
    throw new SignalboxError('TOKEN_EXPIRED', 'The token has expired.');
}

const MAX_LIFETIME_SECONDS = 100 * 366 * 86_400;

function parseExpiry({ expiresIn, expiresAt }: TokenInput, now: number): number | null | undefined {
  if (expiresIn !== undefined && expiresAt !== undefined)
    throw badInput('input.expiresIn', 'cannot stand beside expiresAt.');
  if (expiresAt === null) return null;
  const field = expiresIn === undefined ? 'input.expiresAt' : 'input.expiresIn';
  const moment = expiresIn === undefined ? expiresAt : now + expiresIn * 1000;
  if (moment === undefined) return undefined;
  if (moment <= now || moment > now + MAX_LIFETIME_SECONDS * 1000) {
    throw badInput(field, 'must lie in the future, at most a hundred years ahead.');
  }
  return moment;
}
