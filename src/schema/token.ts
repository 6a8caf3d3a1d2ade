import { refusalOf } from '../tokens/api-key-rights.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type TokenWithCredential } from '../tokens/tokens.ts';
import { type Grant, type Token, requireUndamaged } from '../tokens/token.ts';
import { createSubscribedToken } from '../channels/create-subscribed-token.ts';
import { isOnline } from '../presence/is-online.ts';
import { listTokens } from '../presence/online-tokens.ts';
import { builder, nullIfAFieldFails, nullToUndefined } from './builder.ts';
import { ConnectionRef } from './connection.ts';
import { ActionEnum, OriginEnum, RoleEnum } from './enums.ts';
import { relayConnection, forwardArgs, readRelayConnection, toPageRequest } from './paging.ts';
import { CreateTokenInput, UpdateTokenInput } from './token-input.ts';

const GrantRef = builder.objectRef<Grant>('Grant').implement({
  description:
    'A channel pattern and the actions that are allowed in matching channels. Grants narrow the role of a token and never widen it.',
  fields: (t) => ({
    channels: t.exposeString('channels', {
      description: 'The channel pattern; `*` matches any characters between two colons.',
    }),
    actions: t.expose('actions', { type: [ActionEnum], description: 'The allowed actions.' }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the grant expires; null: never.',
      resolve: ({ expiresAt }) => expiresAt ?? null,
    }),
  }),
});

/**
 * The state and the grants of a token are not about one channel, so an API key that is limited to channels may not read them.
 * Tokens reach their own record only.
 * @throws FORBIDDEN
 */
function requireWholeRecord(caller: Caller): void {
  if (caller.kind === 'API_KEY' && refusalOf(caller.apiKey, 'TOKENS', undefined) !== undefined)
    requireApiKey(caller, 'READ');
}

export const TokenRef = builder.objectRef<Token>('Token').implement({
  description:
    'The record of the rights of one client. The id of a token is public; the credential is the secret.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: '`token_…`; pass it to `subscribeToken` and `publishDirectMessage`.',
    }),
    identity: t.exposeString('identity', {
      nullable: true,
      description: 'The user that the token belongs to; several tokens may share an identity.',
    }),
    origin: t.expose('origin', { type: OriginEnum, description: 'How the token was created.' }),
    issuer: t.exposeID('issuerId', {
      nullable: true,
      description:
        'The issuer that signs its credentials, or the API key that created the token. For an API key that was rotated, the id of the first key. Null for guests.',
    }),
    role: t.expose('role', {
      type: RoleEnum,
      description:
        'The role of the token; with a `customRole`, the built-in role that the custom role is like.',
    }),
    customRole: t.exposeString('customRole', {
      nullable: true,
      description: 'The custom role of the token, which replaces `role`.',
    }),
    grants: t.field({
      type: [GrantRef],
      nullable: true,
      description:
        'The grants that narrow the role; null: the role is not narrowed. Not for API keys that are limited to channels. Throws UNAVAILABLE when the stored grants are damaged; until they are set again, the token is allowed nothing.',
      resolve(token, _, { caller }) {
        requireWholeRecord(caller);
        return requireUndamaged(token, 'grants');
      },
    }),
    claimedGrants: t.field({
      type: [GrantRef],
      nullable: true,
      description:
        'For tokens of an issuer: the grants of the last credential, which narrow the role further; null: none. Not for API keys that are limited to channels.',
      resolve({ credentialRights }, _, { caller }) {
        requireWholeRecord(caller);
        return credentialRights?.grants ?? null;
      },
    }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'Data about the token that other callers see in presence and as the sender of messages.',
    }),
    state: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'A JSON document about the token, written by the backend. Only API keys and the token itself can read it. Not for API keys that are limited to channels. Throws UNAVAILABLE when the stored document is damaged.',
      resolve(token, _, { caller }) {
        requireWholeRecord(caller);
        return requireUndamaged(token, 'state');
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the token was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the token expires; null: never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the token was revoked; null: not revoked.',
    }),
    isOnline: t.boolean({
      description: 'Whether the token has a live connection now. For API keys and the token itself.',
      resolve: (token, _, { caller, domain }) => domain.presence.isOnline(caller, token.id),
    }),
    connections: t.field({
      type: [ConnectionRef],
      description: 'The live connections of the token. For API keys and the token itself.',
      resolve: (token, _, { caller, domain }) => domain.presence.connectionsOf(caller, token.id),
    }),
  }),
});

export const TokenConnection = relayConnection('Token', TokenRef);

export const CreateTokenPayload = builder
  .objectRef<TokenWithCredential & { cursor: string }>('CreateTokenPayload')
  .implement({
    description: 'A token and a credential for it.',
    fields: (t) => ({
      token: t.expose('token', {
        type: TokenRef,
        nullable: true,
        description: `The token. ${nullIfAFieldFails('credential')}`,
      }),
      credential: t.exposeString('credential', {
        description:
          'A signed JWT for the client, which connects with `{ token: credential }`. It expires at the `expiresAt` that the token had when it was signed.',
      }),
      cursor: t.expose('cursor', {
        type: 'Cursor',
        description:
          'The head of the log just before this mutation. A new client passes it as its first `since` and misses nothing; a client that has a cursor keeps its own.',
      }),
    }),
  });

builder.queryFields((t) => ({
  isOnline: t.boolean({
    description:
      'Whether a token, or any token of an identity, has a live connection now: pass exactly one of `token` and `identity`. For API keys, and for the token itself. Throws NOT_FOUND, BAD_USER_INPUT for a credential in the place of an id, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      token: t.arg.id({ description: 'The token’s id.' }),
      identity: t.arg.string({ description: 'The identity: online if one of its tokens is.' }),
    },
    resolve: (_, { token, identity }, { caller, domain }) =>
      isOnline(domain, caller, { token: nullToUndefined(token), identity: nullToUndefined(identity) }),
  }),
  token: t.field({
    type: TokenRef,
    nullable: true,
    description:
      'A token by its id. For API keys, and for the token itself. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: { id: t.arg.id({ required: true, description: 'The token’s id.' }) },
    resolve: (_, { id }, { caller, domain }) => domain.tokens.get(caller, id),
  }),
  tokens: t.field({
    type: TokenConnection,
    description: 'The tokens of the project, oldest first. For API keys. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: {
      ...forwardArgs,
      identity: t.arg.string({ description: 'Only tokens of this identity.' }),
      online: t.arg.boolean({
        description: 'True: only tokens that are online. False: only tokens that are offline.',
      }),
    },
    async resolve(_, { identity, online, ...page }, { caller, domain }) {
      const filter = { identity: nullToUndefined(identity), online: nullToUndefined(online) };
      return readRelayConnection(
        toPageRequest(page),
        (request) => listTokens(domain, caller, request, filter),
        ({ id }) => id,
      );
    },
  }),
}));

builder.mutationFields((t) => ({
  createToken: t.field({
    type: CreateTokenPayload,
    description:
      'Creates a token and a credential for it. For API keys. Throws BAD_USER_INPUT, NOT_FOUND for a channel, UNAUTHENTICATED, FORBIDDEN, LIMIT_EXCEEDED, PAYLOAD_TOO_LARGE, RATE_LIMITED.',
    args: { input: t.arg({ type: CreateTokenInput, description: 'The properties of the token.' }) },
    async resolve(_, { input }, { caller, domain }) {
      const head = await domain.broker.head(caller.projectId);
      const created = await createSubscribedToken(domain, caller, {
        identity: nullToUndefined(input?.identity),
        role: nullToUndefined(input?.role),
        customRole: nullToUndefined(input?.customRole),
        grants: input?.grants,
        connectionData: input?.connectionData,
        state: input?.state,
        expiresIn: nullToUndefined(input?.expiresIn),
        expiresAt: input?.expiresAt,
        channels: nullToUndefined(input?.channels),
      });
      return { ...created, cursor: domain.cursors.format(caller.projectId, head) };
    },
  }),
  createCredential: t.field({
    type: CreateTokenPayload,
    description:
      'Creates another credential for a token, for example to renew a login: pass exactly one of `token` and `identity`. The client passes the credential to `reauthenticate` on the live connection, or connects with it. Not for tokens whose credentials an issuer signs. For API keys. Throws BAD_USER_INPUT, NOT_FOUND, TOKEN_REVOKED, TOKEN_EXPIRED, UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED.',
    args: {
      token: t.arg.id({ description: 'The token’s id.' }),
      identity: t.arg.string({
        description: 'The identity, if it has one token in force. With several, name the token.',
      }),
      expiresIn: t.arg.int({
        description:
          'The lifetime in seconds from now, at most the maximum lifetime of the project. Extends the token, also when it has expired; never shortens it. Absent: the expiry of the token stays.',
      }),
    },
    async resolve(_, { token, identity, expiresIn }, { caller, domain }) {
      const head = await domain.broker.head(caller.projectId);
      const target = { token: nullToUndefined(token), identity: nullToUndefined(identity) };
      return {
        ...(await domain.tokens.createCredential(caller, target, nullToUndefined(expiresIn))),
        cursor: domain.cursors.format(caller.projectId, head),
      };
    },
  }),
  updateToken: t.field({
    type: TokenRef,
    description:
      'Changes a token. The change applies to its live connections before the mutation returns. For API keys. Throws NOT_FOUND, TOKEN_REVOKED, UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT, PAYLOAD_TOO_LARGE.',
    args: {
      id: t.arg.id({ required: true, description: 'The token’s id.' }),
      input: t.arg({ type: UpdateTokenInput, required: true, description: 'The fields to change.' }),
    },
    resolve: (_, { id, input }, { caller, domain }) =>
      domain.tokens.update(caller, id, {
        role: nullToUndefined(input.role),
        customRole: nullToUndefined(input.customRole),
        grants: input.grants,
        connectionData: input.connectionData,
        state: input.state,
        expiresIn: nullToUndefined(input.expiresIn),
        expiresAt: input.expiresAt,
      }),
  }),
  revokeToken: t.field({
    type: TokenRef,
    description:
      'Revokes a token for good and closes its live connections at once (close code 4403). Idempotent. For API keys. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: { id: t.arg.id({ required: true, description: 'The token’s id.' }) },
    resolve: (_, { id }, { caller, domain }) => domain.tokens.revoke(caller, id),
  }),
}));
