import {
  type Action,
  CreateCredentialDocument,
  CreateTokenDocument,
  type CreateTokenInput,
  type CreateTokenMutation,
  ExplainPermissionDocument,
  type ExplainPermissionQuery,
  GetTokenDocument,
  IsOnlineDocument,
  ListTokensDocument,
  RevokeTokenDocument,
  type TokenFragment,
  UpdateTokenDocument,
  type UpdateTokenInput,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { requireFound } from './errors.ts';
import { listPages, PAGE_SIZE } from './pages.ts';
import { type Request } from './transport/request.ts';

/** A token: the record of the rights of one client. */
export type Token = TokenFragment;

/** A new token, or a token with a new credential. Hand `credential` and `cursor` to the client. */
export type TokenWithCredential = CreateTokenMutation['createToken'];

/** A token by its id, or all tokens of an identity. */
export type TokenOrIdentity =
  { token: string; identity?: undefined } | { identity: string; token?: undefined };

/** Whether an action is allowed: `allowed`, the `rule` that decides, and `because`, a sentence for developers. */
export type PermissionExplanation = ExplainPermissionQuery['explainPermission'];

/** Creates `explainPermission`. */
export function createExplainPermission(request: Request) {
  /**
   * Explains whether a token may take an action in a channel now; without `token`, whether an anonymous caller may.
   * @throws SignalboxError NOT_FOUND for the token
   */
  return async (
    question: { token?: string | undefined; channel: string; action: Action },
    options?: CallOptions,
  ): Promise<PermissionExplanation> =>
    (await request(ExplainPermissionDocument, question, 'repeatable', options)).explainPermission;
}

/** The calls of `signalbox.tokens`. */
export function createTokens(request: Request) {
  return {
    /**
     * Creates a token and its credential. All fields are optional; the role is PUBLISHER by default.
     *
     * Not repeated when the answer is lost, because that could leave a second token.
     * @throws SignalboxError BAD_USER_INPUT, NOT_FOUND when a channel of `channels` does not exist
     */
    async create(input: CreateTokenInput = {}, options?: CallOptions): Promise<TokenWithCredential> {
      return (await request(CreateTokenDocument, { input }, 'once', options)).createToken;
    },

    /**
     * Creates a new credential: of a token by its id, or of the token of an identity. The client passes it to `reauthenticate`.
     *
     * @param target `expiresIn`: the new lifetime of the token in seconds. Absent: the token keeps its expiry.
     * @throws SignalboxError NOT_FOUND, TOKEN_REVOKED, TOKEN_EXPIRED, BAD_USER_INPUT
     */
    async createCredential(
      target: TokenOrIdentity & { expiresIn?: number | undefined },
      options?: CallOptions,
    ): Promise<TokenWithCredential> {
      return (await request(CreateCredentialDocument, target, 'once', options)).createCredential;
    },

    /**
     * Reads a token.
     * @throws SignalboxError NOT_FOUND
     */
    async get(id: string, options?: CallOptions): Promise<Token> {
      return requireFound(
        'token',
        id,
        (await request(GetTokenDocument, { id }, 'repeatable', options)).token,
      );
    },

    /**
     * Yields the tokens of the project, oldest first, reading 100 at a time.
     * @example `for await (const { id } of signalbox.tokens.list({ identity: 'ada' })) …`
     */
    list(
      filter: { identity?: string | undefined; online?: boolean | undefined } = {},
      options?: CallOptions,
    ): AsyncGenerator<Token, void, undefined> {
      return listPages(async (after) => {
        const variables = { ...filter, first: PAGE_SIZE, after };
        return (await request(ListTokensDocument, variables, 'repeatable', options)).tokens;
      });
    },

    /**
     * Changes role, grants, state, connection data or expiry; absent fields stay unchanged. Live connections are changed
     * before the call resolves.
     * @throws SignalboxError NOT_FOUND, TOKEN_REVOKED, BAD_USER_INPUT
     */
    async update(id: string, input: UpdateTokenInput, options?: CallOptions): Promise<Token> {
      return (await request(UpdateTokenDocument, { id, input }, 'once', options)).updateToken;
    },

    /**
     * Ends a token for good and closes its connections before the call resolves.
     * @throws SignalboxError NOT_FOUND
     */
    async revoke(id: string, options?: CallOptions): Promise<Token> {
      return (await request(RevokeTokenDocument, { id }, 'repeatable', options)).revokeToken;
    },

    /** Whether a token, or any token of an identity, has a live connection now. */
    async isOnline(target: string | TokenOrIdentity, options?: CallOptions): Promise<boolean> {
      const variables = typeof target === 'string' ? { token: target } : target;
      return (await request(IsOnlineDocument, variables, 'repeatable', options)).isOnline;
    },
  };
}
