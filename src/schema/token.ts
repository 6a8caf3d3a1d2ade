import { type MintedToken } from '../tokens/tokens.ts';
import { type Grant, type Token } from '../tokens/token.ts';
import { createSubscribedToken } from '../channels/create-subscribed-token.ts';
import { describeName, MAX_TEXT_LENGTH } from '../names.ts';
import { listTokens } from '../presence/online-tokens.ts';
import { builder, nullToUndefined } from './builder.ts';
import { ConnectionRef } from './connection.ts';
import { ActionEnum, OriginEnum, RoleEnum } from './enums.ts';
import { relayConnection, forwardArgs, toRelayConnection, toPageRequest } from './paging.ts';

const GrantRef = builder.objectRef<Grant>('Grant').implement({
  description:
    'A channel pattern and the actions allowed on it. Grants narrow what the role allows; they never widen it.',
  fields: (t) => ({
    channels: t.exposeString('channels', {
      description: 'The pattern; `*` stands for any characters between two colons.',
    }),
    actions: t.expose('actions', { type: [ActionEnum], description: 'What is allowed there.' }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it lapses by itself; null: it does not.',
      resolve: ({ expiresAt }) => expiresAt ?? null,
    }),
  }),
});

export const TokenRef = builder.objectRef<Token>('Token').implement({
  description:
    'The record of what one bearer may do. Its id is a public handle; the secret is the credential.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: '`token_…`; an address for `publishDirectMessage` and `subscribeToken`.',
    }),
    identity: t.exposeString('identity', {
      nullable: true,
      description: 'The user behind it; several tokens may share one.',
    }),
    origin: t.expose('origin', { type: OriginEnum, description: 'How it came to be.' }),
    issuer: t.exposeID('issuerId', {
      nullable: true,
      description:
        'Whoever signs its credentials or had it minted: the id of an issuer, or of the first of an API key’s row of rotations; null for guests.',
    }),
    role: t.expose('role', {
      type: RoleEnum,
      description:
        'What it may do in the channels it may enter; with a `customRole`, the role that one is like.',
    }),
    customRole: t.exposeString('customRole', {
      nullable: true,
      description: 'A role of the project’s own, which counts instead.',
    }),
    grants: t.expose('grants', {
      type: [GrantRef],
      nullable: true,
      description: 'What narrows the role; null: nothing does.',
    }),
    claimedGrants: t.field({
      type: [GrantRef],
      nullable: true,
      description:
        'Where others sign its credentials: what the last of them narrows it to besides; null: nothing.',
      resolve: ({ credentialRights }) => credentialRights?.grants ?? null,
    }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'What others see of it in presence and as a sender.',
    }),
    state: t.expose('state', {
      type: 'JSON',
      nullable: true,
      description: 'The backend’s notes; the token itself sees them, others do not.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself; null: never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null: it was not.',
    }),
    isOnline: t.boolean({
      description: 'Whether it has a live connection now. For API keys and the token itself.',
      resolve: (token, _, { caller, domain }) => domain.presence.isOnline(caller, token.id),
    }),
    connections: t.field({
      type: [ConnectionRef],
      description: 'Its live connections. For API keys and the token itself.',
      resolve: (token, _, { caller, domain }) => domain.presence.connectionsOf(caller, token.id),
    }),
  }),
});

export const TokenConnection = relayConnection('Token', TokenRef);

export const CreateTokenPayload = builder
  .objectRef<MintedToken & { cursor: string }>('CreateTokenPayload')
  .implement({
    description: 'A token with a credential for it.',
    fields: (t) => ({
      token: t.expose('token', { type: TokenRef, description: 'The record.' }),
      credential: t.exposeString('credential', {
        description:
          'A signed JWT, to be handed to the client: it connects with `{ token: credential }`. It expires when the token does as it stands now.',
      }),
      cursor: t.expose('cursor', {
        type: 'Cursor',
        description: 'Where the log stood: a first `events(since:)` from here misses nothing.',
      }),
    }),
  });

const GrantInput = builder.inputType('GrantInput', {
  description: 'A channel pattern and the actions to allow on it.',
  fields: (t) => ({
    channels: t.string({
      required: true,
      description:
        'A channel id in which `*` stands for any characters between two colons, for example `room:*`; at most one in each part.',
    }),
    actions: t.field({ type: [ActionEnum], required: true, description: 'What to allow there.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it lapses by itself; absent: it does not.' }),
  }),
});

const EXPIRES_IN =
  'Ends so many seconds from now, at most as many as the project’s settings allow, and a hundred years. Not beside `expiresAt`.';
const CUSTOM_ROLE = 'A role of the project’s own, by its name. Not beside `role`.';
const CONNECTION_DATA = `What others shall see of it: at most ${MAX_TEXT_LENGTH} characters.`;

const CreateTokenInput = builder.inputType('CreateTokenInput', {
  description: 'A token to be. Everything is optional.',
  fields: (t) => ({
    identity: t.string({ description: `The user behind it. ${describeName('identity')}.` }),
    role: t.field({ type: RoleEnum, description: 'PUBLISHER by default.' }),
    customRole: t.string({ description: CUSTOM_ROLE }),
    grants: t.field({
      type: [GrantInput],
      description: 'Narrow the role; absent: nothing does. At most 100 by default.',
    }),
    connectionData: t.string({ description: CONNECTION_DATA }),
    state: t.field({ type: 'JSON', description: 'Your notes: at most 16 KiB of JSON by default.' }),
    expiresIn: t.int({ description: EXPIRES_IN }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'Ends at this moment; absent, like `expiresIn`: as the project’s settings say, by default never.',
    }),
    channels: t.idList({
      description:
        'Channels to subscribe it to from the start; all of them or, on an error, no token at all.',
    }),
  }),
});

const UpdateTokenInput = builder.inputType('UpdateTokenInput', {
  description: 'What shall change; what is absent stays.',
  fields: (t) => ({
    role: t.field({ type: RoleEnum, description: 'The new role.' }),
    customRole: t.string({ description: CUSTOM_ROLE }),
    grants: t.field({ type: [GrantInput], description: 'The new grants; null: nothing narrows the role.' }),
    connectionData: t.string({ description: `${CONNECTION_DATA} Null: nothing.` }),
    state: t.field({ type: 'JSON', description: 'The new notes.' }),
    expiresIn: t.int({ description: EXPIRES_IN }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Ends at this moment; null: never. Credentials handed out before keep their own expiry.',
    }),
  }),
});

builder.queryFields((t) => ({
  isOnline: t.boolean({
    description:
      'Whether a token has a live connection now; false for one that does not exist. For API keys, and for the token itself. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: { token: t.arg.id({ required: true, description: 'The token’s id.' }) },
    resolve: (_, { token }, { caller, domain }) => domain.presence.isOnline(caller, token),
  }),
  token: t.field({
    type: TokenRef,
    nullable: true,
    description:
      'A token by its id; for API keys, and for the token itself. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: { id: t.arg.id({ required: true, description: 'The token’s id.' }) },
    resolve: (_, { id }, { caller, domain }) => domain.tokens.get(caller, id),
  }),
  tokens: t.field({
    type: TokenConnection,
    description: 'The project’s tokens, oldest first. For API keys. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: {
      ...forwardArgs,
      identity: t.arg.string({ description: 'Only those of this identity.' }),
      online: t.arg.boolean({ description: 'Only those that are online, or only those that are not.' }),
    },
    async resolve(_, { identity, online, ...page }, { caller, domain }) {
      const request = toPageRequest(page);
      const found = await listTokens(domain, caller, request, {
        identity: nullToUndefined(identity),
        online: nullToUndefined(online),
      });
      return toRelayConnection(found, request, ({ id }) => id);
    },
  }),
}));

builder.mutationFields((t) => ({
  createToken: t.field({
    type: CreateTokenPayload,
    description:
      'Mints a token and a credential for it. For API keys. Throws BAD_USER_INPUT, NOT_FOUND for a channel, FORBIDDEN, PAYLOAD_TOO_LARGE, RATE_LIMITED.',
    args: { input: t.arg({ type: CreateTokenInput, description: 'What it shall be.' }) },
    async resolve(_, { input }, { caller, domain }) {
      const head = await domain.broker.head(caller.projectId);
      const minted = await createSubscribedToken(domain, caller, {
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
      return { ...minted, cursor: domain.cursors.format(caller.projectId, head) };
    },
  }),
  createCredential: t.field({
    type: CreateTokenPayload,
    description:
      'Another credential for a token, as it stands now: for a client whose own has expired. Not for tokens whose credentials an issuer signs. For API keys. Throws BAD_USER_INPUT, NOT_FOUND, TOKEN_REVOKED, TOKEN_EXPIRED, RATE_LIMITED.',
    args: { token: t.arg.id({ required: true, description: 'The token’s id.' }) },
    async resolve(_, { token }, { caller, domain }) {
      const head = await domain.broker.head(caller.projectId);
      return {
        ...(await domain.tokens.mint(caller, token)),
        cursor: domain.cursors.format(caller.projectId, head),
      };
    },
  }),
  updateToken: t.field({
    type: TokenRef,
    description:
      'Changes a token; its live connections feel it before this returns. For API keys. Throws NOT_FOUND, TOKEN_REVOKED, BAD_USER_INPUT, PAYLOAD_TOO_LARGE.',
    args: {
      id: t.arg.id({ required: true, description: 'The token’s id.' }),
      input: t.arg({ type: UpdateTokenInput, required: true, description: 'What shall change.' }),
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
      'Ends a token and its live connections at once (close code 4403), for good. Idempotent. For API keys. Throws NOT_FOUND.',
    args: { id: t.arg.id({ required: true, description: 'The token’s id.' }) },
    resolve: (_, { id }, { caller, domain }) => domain.tokens.revoke(caller, id),
  }),
}));
