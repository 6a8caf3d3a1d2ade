// Printed from `packages/server/operations` and `schema.graphql` by `npm run schema`. Edit those, not this file.

import { type Operation } from '../transport/operation.ts';

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> =
  T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** An action that a caller can take in a channel. */
export type Action =
  /** Set the state of the channel; mute, ban and disconnect its members. */
  | 'MODERATE'
  /** See which connections are in the channel. */
  | 'PRESENCE'
  /** Publish messages to the channel. */
  | 'PUBLISH'
  /** Receive the messages of the channel, and read its history and state. */
  | 'SUBSCRIBE';

/** The kind of an activity. */
export type ActivityKind =
  /** A project, an API key, a signing key or an issuer was changed. */
  | 'ADMINISTRATION'
  /** A channel was created, changed or deleted. */
  | 'CHANNEL'
  /** A connection was opened or closed, or presented a new credential. */
  | 'CONNECTION'
  /** A token was subscribed to a channel or unsubscribed. */
  | 'MEMBERSHIP'
  /** A message was published: to a channel, or directly to a token, an identity or a connection. */
  | 'MESSAGE'
  /** A mute or a ban was imposed or lifted, or a connection was disconnected. */
  | 'MODERATION'
  /** A connection joined or left a channel, or changed its presence state. */
  | 'PRESENCE'
  /** A caller was refused for missing authority. As in the audit log, a flood of refusals is counted instead of listed. */
  | 'REFUSAL'
  /** Activities were skipped, because they came too fast or the client read too slowly. */
  | 'SKIPPED'
  /** A token or a credential was created, changed, used for the first time or revoked. */
  | 'TOKEN';

/** What an API key may do. */
export type ApiKeyScope =
  /** Change the settings and the issuers of the project. With an issuer, the holder of this scope can sign credentials for any identity. */
  | 'ADMIN'
  /** Create, change and delete channels, their state and their memberships. */
  | 'CHANNELS'
  /** List, create, rotate and revoke API keys. A key creates and rotates only keys that may do no more than itself. */
  | 'KEYS'
  /** Mute, ban and disconnect. */
  | 'MODERATE'
  /** Publish messages and direct messages. */
  | 'PUBLISH'
  /** Read tokens, channels, messages, presence, restrictions and settings, and subscribe to channels. */
  | 'READ'
  /** Create, update and revoke tokens, and create credentials. */
  | 'TOKENS';

/** A custom kind of channel. */
export type ChannelKindInput = {
  /** The name. 1–64 characters: letters, digits and _ -. */
  name: string;
  /** The channel type, which determines who may subscribe. */
  type: ChannelType;
};

/** Who may subscribe to a channel. */
export type ChannelType =
  /** Tokens with a membership in the channel. */
  | 'PRIVATE'
  /** Every token of the project. */
  | 'PUBLIC'
  /** Every caller that knows its id, with or without a token. */
  | 'UNPROTECTED';

/** Which claims of a provider hold the rights of a token. Each value is the name of a claim or a JSON pointer such as `/realm_access/role`. */
export type ClaimMapInput = {
  /** The claim that names the audience; `aud` when absent. Access tokens of Cognito have `client_id`, those of Clerk `azp`. The claim `scope` is a list that is separated by spaces. */
  audience?: string | null | undefined;
  /** The claim that holds the connection data. Absent: none. */
  connectionData?: string | null | undefined;
  /** The claim that holds the grants: a list of `{ channels, actions, exp }` with an optional `exp` in seconds since 1970. Absent: the role is not narrowed. */
  grants?: string | null | undefined;
  /** The claim that holds the identity; `sub` when absent. */
  identity?: string | null | undefined;
  /** The claim that holds the role: a name, or a list of which the first entry that is a role of the project applies. An object of objects, as in tokens of ZITADEL, is the list of its keys. If the field is absent, or no entry of the list is a role of the project, the role of the token applies: PUBLISHER until `updateToken` changes it. */
  role?: string | null | undefined;
};

/** Input of createChannel; all fields are optional. */
export type CreateChannelInput = {
  /** How many messages to keep; absent: the limits of the service. */
  history?: HistoryPolicyInput | null | undefined;
  /** The id of the channel. 1–255 characters: letters, digits and _ . : @ -. Generated when absent. */
  id?: string | null | undefined;
  /** The name of a custom kind, which determines the type; see `ProjectSettings.permissions`. Mutually exclusive with `type`. */
  kind?: string | null | undefined;
  /** The initial state: at most 16 KiB of JSON by default; `{}` when absent. */
  state?: unknown;
  /** Who may subscribe to the channel; PRIVATE by default. */
  type?: ChannelType | null | undefined;
};

/** Input of createIssuer. */
export type CreateIssuerInput = {
  /** TWILIO: the account SID, which the claim `sub` must equal. Required. */
  account?: string | null | undefined;
  /** The key that it signs with. Required for every kind except JWKS. */
  key?: IssuerKeyInput | null | undefined;
  /** The format of its credentials. */
  kind: IssuerKind;
  /** The display name; the kind when absent. */
  name?: string | null | undefined;
  /** JWKS: the provider. Required. */
  provider?: ProviderInput | null | undefined;
  /** TWILIO: the Sync service SID that the grant must name; absent: any service. */
  service?: string | null | undefined;
};

/** Input of createToken; all fields are optional. */
export type CreateTokenInput = {
  /** Channels to subscribe the token to. If one of them fails, no token is created. */
  channels?: Array<string> | null | undefined;
  /** Data about the token that other callers see: at most 1000 characters. */
  connectionData?: string | null | undefined;
  /** The name of a custom role. Mutually exclusive with `role`. */
  customRole?: string | null | undefined;
  /** When the token expires. If `expiresIn` is absent as well, the `defaultLifetimeSeconds` of the project applies, else its `maxLifetimeSeconds`; without either, the token never expires. */
  expiresAt?: string | null | undefined;
  /** The lifetime in seconds from now, at most the maximum lifetime of the project and 100 years. Mutually exclusive with `expiresAt`. */
  expiresIn?: number | null | undefined;
  /** Grants that narrow the role; absent: the role is not narrowed. At most 100 by default. */
  grants?: Array<GrantInput> | null | undefined;
  /** The user that the token belongs to. 1–255 characters: letters, digits and _ . | ~ - (also @ and + with emailIdentities). */
  identity?: string | null | undefined;
  /** The role; PUBLISHER by default. */
  role?: Role | null | undefined;
  /** A JSON document about the token, at most 16 KiB by default. API keys and the token’s own client can read it: store no secrets. */
  state?: unknown;
};

/** A custom role of the project. */
export type CustomRoleInput = {
  /** The built-in role whose permissions apply where the matrix has no entry for the custom role. */
  like: Role;
  /** The name. 1–64 characters: letters, digits and _ -. */
  name: string;
};

/** Whether a message reached a token. */
export type DeliveryOutcome =
  /** The message was delivered to at least one connection of the token. Whether the client has read it is not known. */
  | 'DELIVERED'
  /** The message was delivered to no connection of the token; `rule` tells why. */
  | 'NOT_DELIVERED'
  /** A subscription of the token still replays older messages, and has not reached this one. */
  | 'PENDING'
  /** The nodes that answered cannot know; `because` tells why. */
  | 'UNKNOWN';

/** Why a message was not delivered to a token. If subscriptions differ, the first of these rules that applies to one of them. */
export type DeliveryRule =
  /** The token was banned from the channel, and still is. */
  | 'BANNED'
  /** The subscription began after the message, or at a cursor after it. */
  | 'BEFORE_START'
  /** The subscription of the token asked for other event names. */
  | 'FILTERED'
  /** The message is older than the membership of the token, belongs to a deleted channel of the same id, or was removed before it was replayed. */
  | 'HIDDEN'
  /** The subscription ended before its replay reached the message. */
  | 'INTERRUPTED'
  /** The message was published directly to another token or identity. */
  | 'NOT_ADDRESSED'
  /** The token was connected, but no subscription of it received the channel. */
  | 'NOT_SUBSCRIBED'
  /** The token had no connection, and none has replayed the message since. */
  | 'OFFLINE';

/** The values of `extensions.code` in an error. `extensions.retryable` tells whether the same request may succeed later. */
export type ErrorCode =
  /** An argument is malformed or out of range; `field` names the argument, if there is one. */
  | 'BAD_USER_INPUT'
  /** The object already exists, its version differs from `ifVersion`, or the idempotency key was used for a different message. */
  | 'CONFLICT'
  /** The caller may not do this: its role, grants, memberships or scopes, or the settings of the project, do not allow it. */
  | 'FORBIDDEN'
  /** The document is not valid GraphQL syntax. */
  | 'GRAPHQL_PARSE_FAILED'
  /** The document does not match the schema. */
  | 'GRAPHQL_VALIDATION_FAILED'
  /** An unexpected error in the service; its log has the details under `errorId`. */
  | 'INTERNAL_SERVER_ERROR'
  /** A limit is reached, for example on open operations, connections, memberships or the entries of one call; `limit` is its value. */
  | 'LIMIT_EXCEEDED'
  /** The project has no object with this id. */
  | 'NOT_FOUND'
  /** The GraphQL document is too deep, too wide or too costly; `limit` is the limit that it exceeds. */
  | 'OPERATION_TOO_COMPLEX'
  /** A message, state or document exceeds its size limit; `limit` is in bytes. */
  | 'PAYLOAD_TOO_LARGE'
  /** The log no longer holds every message since this cursor. Subscribe without `since` and reload the data that you display. */
  | 'POSITION_LOST'
  /** Too many requests from this caller or address. Wait `retryAfterSeconds` seconds. */
  | 'RATE_LIMITED'
  /** The client read too slowly, so its stream was closed. Resume with the last cursor. */
  | 'SLOW_CONSUMER'
  /** The token has expired. Get a new credential from your backend and reconnect. */
  | 'TOKEN_EXPIRED'
  /** The token, or this credential, was revoked. Request a new credential from your backend. A token that `revokeToken` revoked gets no further credential. */
  | 'TOKEN_REVOKED'
  /** The credential or API key is missing, malformed, unknown or signed by an untrusted key. */
  | 'UNAUTHENTICATED'
  /** The service is starting or draining, or it cannot read or write its store. Nothing was changed, unless `outcomeUnknown` is true. Retry later. If the message reports damage, inform the operator. */
  | 'UNAVAILABLE';

/** A channel pattern and the actions to allow in matching channels. */
export type GrantInput = {
  /** The actions to allow. */
  actions: Array<Action>;
  /** A channel id in which `*` matches any characters between two colons, for example `room:*`; at most one `*` in each part. */
  channels: string;
  /** When the grant expires; absent: never. */
  expiresAt?: string | null | undefined;
};

/** How many messages of a channel to keep. The limits of the service always apply. */
export type HistoryPolicyInput = {
  /** The number of newest messages to keep: 0–10,000 by default, 0 keeps none. Null: the limit of the service. */
  messages?: number | null | undefined;
  /** The maximum age of a message in seconds: 0–604,800 by default. Null: the limit of the service. */
  seconds?: number | null | undefined;
};

/** A key that an issuer signs credentials with. */
export type IssuerKeyInput = {
  /** The id that the issuer uses for the key. TWILIO: the SID; OPENTOK and STREAM: the API key; SIGNALBOX: the value of `kid` or `iss`. 1–255 characters. */
  id: string;
  /** OPENTOK: instead of a secret, the RSA public key of a Vonage application as PEM; the id is the application id. Its tokens are signed with RS256. */
  publicKey?: string | null | undefined;
  /** The secret of the key, required unless publicKey is given: at most 1024 bytes, for SIGNALBOX at least 32. Stored encrypted and never returned. */
  secret?: string | null | undefined;
};

/** How the credentials of an issuer are signed, and how their claims are read. */
export type IssuerKind =
  /** JWTs of an OpenID provider, verified with the keys that the provider publishes. */
  | 'JWKS'
  /** Connection tokens of OpenTok, as `T1==…` or as a JWT (HS256). The session is a channel with the id of the session, created at the first use; valid for at most 30 days. */
  | 'OPENTOK'
  /** A JWT (HS256, HS384, HS512) with the claims of Signalbox: `sub` is the identity; `role`, `grants`, `data`, `channels`, `iat`, `exp` and `nbf` are optional. `kid`, or else `iss`, names the key. */
  | 'SIGNALBOX'
  /** User tokens of Stream Chat: HS256 with `user_id`, optionally `iat` and `exp`. */
  | 'STREAM'
  /** Access tokens of Twilio with a Sync grant: HS256, HS384 or HS512; `iss` names the API key; valid for at most 24 hours. */
  | 'TWILIO';

/** An algorithm that a provider may sign with. */
export type JwksAlgorithm =
  /** ES256, defined in RFC 7518. */
  | 'ES256'
  /** ES384, defined in RFC 7518. */
  | 'ES384'
  /** ES512, defined in RFC 7518. */
  | 'ES512'
  /** EdDSA, defined in RFC 8037. */
  | 'EdDSA'
  /** PS256, defined in RFC 7518. */
  | 'PS256'
  /** PS384, defined in RFC 7518. */
  | 'PS384'
  /** PS512, defined in RFC 7518. */
  | 'PS512'
  /** RS256, defined in RFC 7518. */
  | 'RS256'
  /** RS384, defined in RFC 7518. */
  | 'RS384'
  /** RS512, defined in RFC 7518. */
  | 'RS512';

/** The token lifetimes of another vendor. */
export type LifetimePreset =
  /** Tokens without an expiry live 24 hours; the maximum is 30 days. */
  | 'OPENTOK'
  /** Tokens without an expiry never expire. */
  | 'STREAM'
  /** Tokens without an expiry live one hour; the maximum is 24 hours. */
  | 'TWILIO';

/** How a token was created. */
export type Origin =
  /** By the first use of an unsigned development token. */
  | 'DEVELOPMENT'
  /** By `createGuest`. */
  | 'GUEST'
  /** By `createToken`. */
  | 'MINTED'
  /** By the first use of a credential that an issuer of the project signed. */
  | 'SELF_MINTED';

/** The actions that a role may take in channels of a kind. Replaces the default. */
export type PermissionInput = {
  /** Any of SUBSCRIBE, PUBLISH, PRESENCE, MODERATE. Anonymous callers may be allowed SUBSCRIBE and PRESENCE in UNPROTECTED channels only. */
  actions: Array<Action>;
  /** UNPROTECTED, PUBLIC, PRIVATE or a custom kind. */
  kind: string;
  /** A role of the project, or ANONYMOUS. */
  role: string;
};

/** The rules that decide whether an action is allowed, checked in the order TOKEN_ENDED, NO_CHANNEL, API_KEY, ANONYMOUS, BANNED, ROLE, MEMBERSHIP, GRANTS, MUTED. The first rule that refuses decides; ALLOWED means that none refused. */
export type PermissionRule =
  /** No rule refused the action. */
  | 'ALLOWED'
  /** The project decides which actions callers without a credential may take. */
  | 'ANONYMOUS'
  /** The scopes and channels of the API key decide. */
  | 'API_KEY'
  /** The token is banned from the channel. */
  | 'BANNED'
  /** The grants of the token and the grants of its credential narrow its role. */
  | 'GRANTS'
  /** Only members may take actions in a PRIVATE channel. */
  | 'MEMBERSHIP'
  /** The token is muted. */
  | 'MUTED'
  /** The channel does not exist. */
  | 'NO_CHANNEL'
  /** The permission matrix of the project decides which actions the role may take in channels of this kind. */
  | 'ROLE'
  /** The token has expired or was revoked. */
  | 'TOKEN_ENDED';

/** Changes of the permission matrix. Each list replaces the stored one as a whole; absent lists stay unchanged. See `Permissions`. */
export type PermissionsInput = {
  /** The custom kinds of channels, at most 50. A kind that channels use cannot be removed. */
  kinds?: Array<ChannelKindInput> | null | undefined;
  /** The custom roles, at most 50. */
  roles?: Array<CustomRoleInput> | null | undefined;
  /** The entries that differ from the defaults, at most 1000. */
  stated?: Array<PermissionInput> | null | undefined;
};

/** Input of updateProject; absent fields stay unchanged. */
export type ProjectSettingsInput = {
  /** Whether callers without a credential may subscribe to UNPROTECTED channels. Off by default in production. */
  anonymous?: boolean | null | undefined;
  /** The lifetime of a token that does not state one: 1–3,162,240,000 seconds; null, the default: unlimited. */
  defaultLifetimeSeconds?: number | null | undefined;
  /** Whether unsigned credentials are accepted, so that any client can claim any identity. For development only; off by default. */
  developmentTokens?: boolean | null | undefined;
  /** Whether identities may contain `@` and `+`, as e-mail addresses do. Off by default; identities of STREAM and JWKS issuers may always contain them. */
  emailIdentities?: boolean | null | undefined;
  /** How long a live connection stays open after its token has expired, so that a renewal may be late: 0–3,600 seconds, 0 by default. New connections with an expired token are always refused. */
  expiryGraceSeconds?: number | null | undefined;
  /** How long before the expiry of its token a connection receives `TokenExpiring`: 0–86,400 seconds; 0: never; null, the default: the setting of the service, 180 seconds. */
  expiryWarningSeconds?: number | null | undefined;
  /** The lifetime of a guest: 60–86,400 seconds, one hour by default. */
  guestSeconds?: number | null | undefined;
  /** Whether any caller may use `createGuest`. Off by default in production. */
  guests?: boolean | null | undefined;
  /** Sets both lifetimes to those of another vendor. Mutually exclusive with `defaultLifetimeSeconds` and `maxLifetimeSeconds`. */
  lifetimes?: LifetimePreset | null | undefined;
  /** The maximum lifetime of a token: 1–3,162,240,000 seconds; null, the default: unlimited. Existing tokens keep their expiry. */
  maxLifetimeSeconds?: number | null | undefined;
  /** The permission matrix: the actions of each role in each kind of channel. */
  permissions?: PermissionsInput | null | undefined;
  /** Whether tokens that may PUBLISH in a channel may use `publishDirectMessage` to a connection in that channel. Off by default. */
  publishersSignal?: boolean | null | undefined;
};

/** An OpenID provider. */
export type ProviderInput = {
  /** The algorithms that it may sign with; RS256 when absent. */
  algorithms?: Array<JwksAlgorithm> | null | undefined;
  /** The value that the audience claim must equal or contain. Exactly one of `audience` and `audiences` is required. */
  audience?: string | null | undefined;
  /** The audiences that credentials may be for, such as the client ids of a web page and an app; at most 20. The claim must name one of them, alone or in a list. */
  audiences?: Array<string> | null | undefined;
  /** The claims that hold identity, role, grants and connection data. */
  claims?: ClaimMapInput | null | undefined;
  /** The exact value of the claim `iss`: for most providers a URL, with or without a slash at its end. */
  issuer: string;
  /** The https URL of its JSON Web Key Set. */
  url: string;
};

/** One message of publishMessages. */
export type PublishMessageInput = {
  /** The channel’s id. */
  channel: string;
  /** The content: at most 32 KiB of JSON by default. */
  data?: unknown;
  /** Whether to skip the log: the message is delivered to live connections only and never replayed. False by default. */
  ephemeral?: boolean | null | undefined;
  /** The event name. 1–128 characters: letters, digits and _ . : ~ -. */
  event: string;
  /** Makes the publish idempotent: for 24 hours, a repeat with the same key by the same caller publishes nothing and returns the receipt of the first, with `repeated: true`; another message with that key is CONFLICT. 1–255 characters: visible ASCII characters. */
  idempotencyKey?: string | null | undefined;
};

/** What a restriction takes away. */
export type RestrictionKind =
  /** All actions: SUBSCRIBE, PUBLISH, PRESENCE and MODERATE. */
  | 'BAN'
  /** The action PUBLISH. */
  | 'MUTE';

/** Which tokens a revocation applies to. */
export type RevocationScope =
  /** The credentials of an identity. */
  | 'IDENTITY'
  /** The credentials of an issuer, or of the tokens that an API key created or signed. */
  | 'ISSUER'
  /** All tokens of the project. */
  | 'PROJECT';

/** The actions that a token may take, by type of channel. A PRIVATE channel also requires a membership, and grants narrow the actions. */
export type Role =
  /** Subscribes to UNPROTECTED and PUBLIC channels and sees their presence. */
  | 'GUEST'
  /** Also moderates: sets the state of channels, mutes, bans and disconnects. */
  | 'MODERATOR'
  /** Also publishes. The default role. */
  | 'PUBLISHER'
  /** Subscribes to UNPROTECTED and PUBLIC channels, and to PRIVATE channels with a membership, and sees their presence. */
  | 'SUBSCRIBER';

/** The kind of caller that published a message. */
export type SenderKind =
  /** A backend, with an API key. */
  | 'API_KEY'
  /** A client, with a token. */
  | 'TOKEN';

/** The transport of a connection. */
export type Transport =
  /** A stream of server-sent events over HTTP. */
  | 'SSE'
  /** A WebSocket with the subprotocol `graphql-transport-ws`. */
  | 'WEBSOCKET';

/** Input of updateChannel; absent fields stay unchanged. */
export type UpdateChannelInput = {
  /** The new history policy. */
  history?: HistoryPolicyInput | null | undefined;
  /** Whether a channel that becomes PRIVATE keeps the tokens that subscribed themselves. False by default: their memberships end, and `Channel.endedMemberships` counts them. Tokens that an API key or a credential subscribed always stay. */
  keepMemberships?: boolean | null | undefined;
  /** The name of a custom kind, which determines the type; see `ProjectSettings.permissions`. Mutually exclusive with `type`. */
  kind?: string | null | undefined;
  /** The new type. Subscriptions that the new type does not allow end at once. Removes a custom kind. */
  type?: ChannelType | null | undefined;
};

/** Input of updateIssuer; absent fields stay unchanged. */
export type UpdateIssuerInput = {
  /** The display name. */
  name?: string | null | undefined;
  /** JWKS: the changes of the provider. */
  provider?: UpdateProviderInput | null | undefined;
  /** TWILIO: the Sync service SID that the grant must name; null: any service. */
  service?: string | null | undefined;
};

/** Changes of an OpenID provider; absent fields stay unchanged. */
export type UpdateProviderInput = {
  /** The algorithms that it may sign with. */
  algorithms?: Array<JwksAlgorithm> | null | undefined;
  /** The audiences; the list is replaced as a whole. 1–20. */
  audiences?: Array<string> | null | undefined;
  /** The claims; all of them are replaced. */
  claims?: ClaimMapInput | null | undefined;
  /** The https URL of its JSON Web Key Set. */
  url?: string | null | undefined;
};

/** Input of updateToken; absent fields stay unchanged. */
export type UpdateTokenInput = {
  /** Data about the token that other callers see: at most 1000 characters. Null: none. */
  connectionData?: string | null | undefined;
  /** The name of a custom role. Mutually exclusive with `role`. */
  customRole?: string | null | undefined;
  /** When the token expires; null: never. Existing credentials keep their own expiry. */
  expiresAt?: string | null | undefined;
  /** The lifetime in seconds from now, at most the maximum lifetime of the project and 100 years. Mutually exclusive with `expiresAt`. */
  expiresIn?: number | null | undefined;
  /** The new grants; null: the role is not narrowed. */
  grants?: Array<GrantInput> | null | undefined;
  /** The new role. */
  role?: Role | null | undefined;
  /** The new state: at most 16 KiB of JSON by default. */
  state?: unknown;
};

export type FollowActivitySubscriptionVariables = Exact<{
  kinds?: Array<ActivityKind> | ActivityKind | null | undefined;
  channel?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  payloads?: boolean | null | undefined;
  perSecond?: number | null | undefined;
  recent?: number | null | undefined;
}>;

export type FollowActivitySubscription = {
  activity: {
    at: string;
    kind: ActivityKind;
    action: string;
    actor: string | null;
    subject: string | null;
    channel: string | null;
    token: string | null;
    identity: string | null;
    connection: string | null;
    code: ErrorCode | null;
    reason: string | null;
    sentence: string | null;
    field: string | null;
    address: string | null;
    count: number | null;
    message: string | null;
    event: string | null;
    data: unknown;
    replayed: boolean;
  };
};

export type CreateChannelMutationVariables = Exact<{
  input: CreateChannelInput;
}>;

export type CreateChannelMutation = {
  createChannel: {
    id: string;
    type: ChannelType;
    kind: string | null;
    state: unknown;
    version: number;
    createdAt: string;
    history: { messages: number | null; seconds: number | null };
  };
};

export type UpdateChannelMutationVariables = Exact<{
  id: string;
  input: UpdateChannelInput;
}>;

export type UpdateChannelMutation = {
  updateChannel: {
    endedMemberships: number | null;
    id: string;
    type: ChannelType;
    kind: string | null;
    state: unknown;
    version: number;
    createdAt: string;
    history: { messages: number | null; seconds: number | null };
  };
};

export type DeleteChannelMutationVariables = Exact<{
  id: string;
}>;

export type DeleteChannelMutation = { deleteChannel: { id: string } };

export type SetChannelStateMutationVariables = Exact<{
  channel: string;
  state: unknown;
  ifVersion?: number | null | undefined;
}>;

export type SetChannelStateMutation = {
  setChannelState: {
    id: string;
    type: ChannelType;
    kind: string | null;
    state: unknown;
    version: number;
    createdAt: string;
    history: { messages: number | null; seconds: number | null };
  };
};

export type PatchChannelStateMutationVariables = Exact<{
  channel: string;
  patch: unknown;
  ifVersion?: number | null | undefined;
}>;

export type PatchChannelStateMutation = {
  patchChannelState: {
    id: string;
    type: ChannelType;
    kind: string | null;
    state: unknown;
    version: number;
    createdAt: string;
    history: { messages: number | null; seconds: number | null };
  };
};

export type SubscribeTokenMutationVariables = Exact<{
  channel: string;
  token: string;
  since?: string | null | undefined;
}>;

export type SubscribeTokenMutation = { subscribeToken: { createdAt: string } };

export type UnsubscribeTokenMutationVariables = Exact<{
  channel: string;
  token: string;
}>;

export type UnsubscribeTokenMutation = { unsubscribeToken: { createdAt: string } | null };

export type SubscribeTokensMutationVariables = Exact<{
  channels: Array<string> | string;
  tokens: Array<string> | string;
}>;

export type SubscribeTokensMutation = {
  subscribeTokens: Array<{
    channel: string;
    token: string;
    membership: { createdAt: string } | null;
    error: { code: ErrorCode; message: string } | null;
  }>;
};

export type UnsubscribeTokensMutationVariables = Exact<{
  channels: Array<string> | string;
  tokens: Array<string> | string;
}>;

export type UnsubscribeTokensMutation = {
  unsubscribeTokens: Array<{
    channel: string;
    token: string;
    membership: { createdAt: string } | null;
    error: { code: ErrorCode; message: string } | null;
  }>;
};

export type GetChannelQueryVariables = Exact<{
  id: string;
}>;

export type GetChannelQuery = {
  channel: {
    id: string;
    type: ChannelType;
    kind: string | null;
    state: unknown;
    version: number;
    createdAt: string;
    history: { messages: number | null; seconds: number | null };
  } | null;
};

export type ListChannelsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  type?: ChannelType | null | undefined;
}>;

export type ListChannelsQuery = {
  channels: {
    nodes: Array<{
      id: string;
      type: ChannelType;
      kind: string | null;
      state: unknown;
      version: number;
      createdAt: string;
      history: { messages: number | null; seconds: number | null };
    }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type GetHistoryQueryVariables = Exact<{
  channel: string;
  last?: number | null | undefined;
  before?: string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type GetHistoryQuery = {
  channel: {
    messages: {
      nodes: Array<{
        id: string;
        cursor: string | null;
        channel: string | null;
        event: string;
        data: unknown;
        publishedAt: string;
        sender: {
          kind: SenderKind;
          identity: string | null;
          token: string | null;
          connectionData: string | null;
        };
      }>;
      pageInfo: {
        hasPreviousPage: boolean;
        hasNextPage: boolean;
        startCursor: string | null;
        endCursor: string | null;
      };
    };
  } | null;
};

export type ListChannelTokensQueryVariables = Exact<{
  channel: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type ListChannelTokensQuery = {
  channel: {
    tokens: {
      nodes: Array<{
        id: string;
        identity: string | null;
        role: Role;
        customRole: string | null;
        connectionData: string | null;
        state: unknown;
        origin: Origin;
        issuer: string | null;
        createdAt: string;
        expiresAt: string | null;
        revokedAt: string | null;
        isOnline: boolean;
        grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
      }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  } | null;
};

export type ListMembersQueryVariables = Exact<{
  channel: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type ListMembersQuery = {
  channel: {
    presence: {
      members: {
        nodes: Array<{
          id: string;
          token: string | null;
          identity: string | null;
          connectionData: string | null;
          state: unknown;
          transport: Transport;
          connectedAt: string;
        }>;
        pageInfo: { hasNextPage: boolean; endCursor: string | null };
      };
    };
  } | null;
};

export type CountMembersQueryVariables = Exact<{
  channel: string;
}>;

export type CountMembersQuery = { channel: { presence: { count: number } } | null };

export type ListConnectionsQueryVariables = Exact<{
  channel?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  transport?: Transport | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type ListConnectionsQuery = {
  connections: {
    nodes: Array<{
      node: string;
      channels: Array<string>;
      subscriptions: number | null;
      queuedBytes: number | null;
      cursor: string | null;
      isCaughtUp: boolean | null;
      connection: {
        id: string;
        token: string | null;
        identity: string | null;
        connectionData: string | null;
        state: unknown;
        transport: Transport;
        connectedAt: string;
      };
    }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type ExplainDeliveryQueryVariables = Exact<{
  message: string;
  token: string;
}>;

export type ExplainDeliveryQuery = {
  explainDelivery: {
    outcome: DeliveryOutcome;
    rule: DeliveryRule | null;
    because: string;
    isRetained: boolean | null;
    unansweredNodes: Array<string>;
    endedNodes: Array<string>;
    deliveries: Array<{ connection: string; node: string; replayed: boolean; at: string | null }>;
  };
};

export type TokenFragment = {
  id: string;
  identity: string | null;
  role: Role;
  customRole: string | null;
  connectionData: string | null;
  state: unknown;
  origin: Origin;
  issuer: string | null;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  isOnline: boolean;
  grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
};

export type ChannelFragment = {
  id: string;
  type: ChannelType;
  kind: string | null;
  state: unknown;
  version: number;
  createdAt: string;
  history: { messages: number | null; seconds: number | null };
};

export type MessageFragment = {
  id: string;
  cursor: string | null;
  channel: string | null;
  event: string;
  data: unknown;
  publishedAt: string;
  sender: { kind: SenderKind; identity: string | null; token: string | null; connectionData: string | null };
};

export type ReceiptFragment = {
  connections: number;
  repeated: boolean;
  message: {
    id: string;
    cursor: string | null;
    channel: string | null;
    event: string;
    data: unknown;
    publishedAt: string;
    sender: {
      kind: SenderKind;
      identity: string | null;
      token: string | null;
      connectionData: string | null;
    };
  };
};

export type MembershipFragment = { createdAt: string };

export type OutcomeFragment = {
  channel: string;
  token: string;
  membership: { createdAt: string } | null;
  error: { code: ErrorCode; message: string } | null;
};

export type RestrictionFragment = {
  id: string;
  kind: RestrictionKind;
  channel: string | null;
  token: string | null;
  identity: string | null;
  reason: string | null;
  until: string | null;
  createdAt: string;
};

export type RevocationFragment = {
  scope: RevocationScope;
  identity: string | null;
  issuer: string | null;
  issuedBefore: string;
  createdAt: string;
};

export type ApiKeyFragment = {
  id: string;
  name: string;
  canSign: boolean;
  isOperator: boolean;
  scopes: Array<ApiKeyScope> | null;
  channels: string | null;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
};

export type IssuerFragment = {
  id: string;
  kind: IssuerKind;
  name: string;
  account: string | null;
  service: string | null;
  createdAt: string;
  provider: {
    issuer: string;
    url: string;
    audiences: Array<string>;
    algorithms: Array<JwksAlgorithm>;
    claims: {
      identity: string;
      role: string | null;
      grants: string | null;
      connectionData: string | null;
      audience: string;
    };
  } | null;
  keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
};

export type ProjectFragment = {
  id: string;
  name: string;
  createdAt: string;
  settings: {
    defaultLifetimeSeconds: number | null;
    maxLifetimeSeconds: number | null;
    expiryWarningSeconds: number | null;
    expiryGraceSeconds: number;
    guests: boolean;
    guestSeconds: number;
    anonymous: boolean;
    developmentTokens: boolean;
    emailIdentities: boolean;
    publishersSignal: boolean;
    permissions: {
      kinds: Array<{ name: string; type: ChannelType }>;
      roles: Array<{ name: string; like: Role }>;
      stated: Array<{ kind: string; role: string; actions: Array<Action> }>;
    };
  } | null;
};

export type MemberFragment = {
  id: string;
  token: string | null;
  identity: string | null;
  connectionData: string | null;
  state: unknown;
  transport: Transport;
  connectedAt: string;
};

export type LiveConnectionFragment = {
  node: string;
  channels: Array<string>;
  subscriptions: number | null;
  queuedBytes: number | null;
  cursor: string | null;
  isCaughtUp: boolean | null;
  connection: {
    id: string;
    token: string | null;
    identity: string | null;
    connectionData: string | null;
    state: unknown;
    transport: Transport;
    connectedAt: string;
  };
};

export type PublishOutcomeFragment = {
  receipt: {
    connections: number;
    repeated: boolean;
    message: {
      id: string;
      cursor: string | null;
      channel: string | null;
      event: string;
      data: unknown;
      publishedAt: string;
      sender: {
        kind: SenderKind;
        identity: string | null;
        token: string | null;
        connectionData: string | null;
      };
    };
  } | null;
  error: {
    code: ErrorCode;
    message: string;
    retryable: boolean;
    retryAfterSeconds: number | null;
    outcomeUnknown: boolean;
  } | null;
};

export type StatsCountsFragment = {
  publishes: number;
  deliveries: number;
  replays: number;
  gaps: number;
  slowConsumers: number;
  refusals: Array<{ code: ErrorCode; count: number }>;
};

export type StoreSizeFragment = { databaseBytes: number; walBytes: number; messages: number };

export type ListIssuersQueryVariables = Exact<{ [key: string]: never }>;

export type ListIssuersQuery = {
  project: {
    issuers: Array<{
      id: string;
      kind: IssuerKind;
      name: string;
      account: string | null;
      service: string | null;
      createdAt: string;
      provider: {
        issuer: string;
        url: string;
        audiences: Array<string>;
        algorithms: Array<JwksAlgorithm>;
        claims: {
          identity: string;
          role: string | null;
          grants: string | null;
          connectionData: string | null;
          audience: string;
        };
      } | null;
      keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
    }>;
  };
};

export type CreateIssuerMutationVariables = Exact<{
  input: CreateIssuerInput;
}>;

export type CreateIssuerMutation = {
  createIssuer: {
    id: string;
    kind: IssuerKind;
    name: string;
    account: string | null;
    service: string | null;
    createdAt: string;
    provider: {
      issuer: string;
      url: string;
      audiences: Array<string>;
      algorithms: Array<JwksAlgorithm>;
      claims: {
        identity: string;
        role: string | null;
        grants: string | null;
        connectionData: string | null;
        audience: string;
      };
    } | null;
    keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
  };
};

export type UpdateIssuerMutationVariables = Exact<{
  issuer: string;
  input: UpdateIssuerInput;
}>;

export type UpdateIssuerMutation = {
  updateIssuer: {
    id: string;
    kind: IssuerKind;
    name: string;
    account: string | null;
    service: string | null;
    createdAt: string;
    provider: {
      issuer: string;
      url: string;
      audiences: Array<string>;
      algorithms: Array<JwksAlgorithm>;
      claims: {
        identity: string;
        role: string | null;
        grants: string | null;
        connectionData: string | null;
        audience: string;
      };
    } | null;
    keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
  };
};

export type RemoveIssuerMutationVariables = Exact<{
  issuer: string;
}>;

export type RemoveIssuerMutation = {
  removeIssuer: {
    id: string;
    kind: IssuerKind;
    name: string;
    account: string | null;
    service: string | null;
    createdAt: string;
    provider: {
      issuer: string;
      url: string;
      audiences: Array<string>;
      algorithms: Array<JwksAlgorithm>;
      claims: {
        identity: string;
        role: string | null;
        grants: string | null;
        connectionData: string | null;
        audience: string;
      };
    } | null;
    keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
  };
};

export type AddIssuerKeyMutationVariables = Exact<{
  issuer: string;
  key: IssuerKeyInput;
}>;

export type AddIssuerKeyMutation = {
  addIssuerKey: {
    id: string;
    kind: IssuerKind;
    name: string;
    account: string | null;
    service: string | null;
    createdAt: string;
    provider: {
      issuer: string;
      url: string;
      audiences: Array<string>;
      algorithms: Array<JwksAlgorithm>;
      claims: {
        identity: string;
        role: string | null;
        grants: string | null;
        connectionData: string | null;
        audience: string;
      };
    } | null;
    keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
  };
};

export type RemoveIssuerKeyMutationVariables = Exact<{
  issuer: string;
  key: string;
  overlapSeconds: number;
}>;

export type RemoveIssuerKeyMutation = {
  removeIssuerKey: {
    id: string;
    kind: IssuerKind;
    name: string;
    account: string | null;
    service: string | null;
    createdAt: string;
    provider: {
      issuer: string;
      url: string;
      audiences: Array<string>;
      algorithms: Array<JwksAlgorithm>;
      claims: {
        identity: string;
        role: string | null;
        grants: string | null;
        connectionData: string | null;
        audience: string;
      };
    } | null;
    keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
  };
};

export type PublishMessageMutationVariables = Exact<{
  channel: string;
  event: string;
  data?: unknown;
  ephemeral?: boolean | null | undefined;
  idempotencyKey?: string | null | undefined;
}>;

export type PublishMessageMutation = {
  publishMessage: {
    connections: number;
    repeated: boolean;
    message: {
      id: string;
      cursor: string | null;
      channel: string | null;
      event: string;
      data: unknown;
      publishedAt: string;
      sender: {
        kind: SenderKind;
        identity: string | null;
        token: string | null;
        connectionData: string | null;
      };
    };
  };
};

export type PublishDirectMessageMutationVariables = Exact<{
  token?: string | null | undefined;
  identity?: string | null | undefined;
  connection?: string | null | undefined;
  event: string;
  data?: unknown;
  ephemeral?: boolean | null | undefined;
  idempotencyKey?: string | null | undefined;
}>;

export type PublishDirectMessageMutation = {
  publishDirectMessage: {
    connections: number;
    repeated: boolean;
    message: {
      id: string;
      cursor: string | null;
      channel: string | null;
      event: string;
      data: unknown;
      publishedAt: string;
      sender: {
        kind: SenderKind;
        identity: string | null;
        token: string | null;
        connectionData: string | null;
      };
    };
  };
};

export type PublishMessagesMutationVariables = Exact<{
  messages: Array<PublishMessageInput> | PublishMessageInput;
}>;

export type PublishMessagesMutation = {
  publishMessages: Array<{
    receipt: {
      connections: number;
      repeated: boolean;
      message: {
        id: string;
        cursor: string | null;
        channel: string | null;
        event: string;
        data: unknown;
        publishedAt: string;
        sender: {
          kind: SenderKind;
          identity: string | null;
          token: string | null;
          connectionData: string | null;
        };
      };
    } | null;
    error: {
      code: ErrorCode;
      message: string;
      retryable: boolean;
      retryAfterSeconds: number | null;
      outcomeUnknown: boolean;
    } | null;
  }>;
};

export type MuteMutationVariables = Exact<{
  token?: string | null | undefined;
  identity?: string | null | undefined;
  channel?: string | null | undefined;
  until?: string | null | undefined;
  reason?: string | null | undefined;
}>;

export type MuteMutation = {
  mute: {
    id: string;
    kind: RestrictionKind;
    channel: string | null;
    token: string | null;
    identity: string | null;
    reason: string | null;
    until: string | null;
    createdAt: string;
  };
};

export type UnmuteMutationVariables = Exact<{
  token?: string | null | undefined;
  identity?: string | null | undefined;
  channel?: string | null | undefined;
}>;

export type UnmuteMutation = {
  unmute: {
    id: string;
    kind: RestrictionKind;
    channel: string | null;
    token: string | null;
    identity: string | null;
    reason: string | null;
    until: string | null;
    createdAt: string;
  } | null;
};

export type BanMutationVariables = Exact<{
  token?: string | null | undefined;
  identity?: string | null | undefined;
  channel: string;
  until?: string | null | undefined;
  reason?: string | null | undefined;
}>;

export type BanMutation = {
  ban: {
    id: string;
    kind: RestrictionKind;
    channel: string | null;
    token: string | null;
    identity: string | null;
    reason: string | null;
    until: string | null;
    createdAt: string;
  };
};

export type UnbanMutationVariables = Exact<{
  token?: string | null | undefined;
  identity?: string | null | undefined;
  channel: string;
}>;

export type UnbanMutation = {
  unban: {
    id: string;
    kind: RestrictionKind;
    channel: string | null;
    token: string | null;
    identity: string | null;
    reason: string | null;
    until: string | null;
    createdAt: string;
  } | null;
};

export type DisconnectMutationVariables = Exact<{
  connection?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  channel?: string | null | undefined;
  reason?: string | null | undefined;
}>;

export type DisconnectMutation = { disconnect: number };

export type ListRestrictionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  channel?: string | null | undefined;
}>;

export type ListRestrictionsQuery = {
  restrictions: {
    nodes: Array<{
      id: string;
      kind: RestrictionKind;
      channel: string | null;
      token: string | null;
      identity: string | null;
      reason: string | null;
      until: string | null;
      createdAt: string;
    }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type GetProjectQueryVariables = Exact<{ [key: string]: never }>;

export type GetProjectQuery = {
  project: {
    id: string;
    name: string;
    createdAt: string;
    settings: {
      defaultLifetimeSeconds: number | null;
      maxLifetimeSeconds: number | null;
      expiryWarningSeconds: number | null;
      expiryGraceSeconds: number;
      guests: boolean;
      guestSeconds: number;
      anonymous: boolean;
      developmentTokens: boolean;
      emailIdentities: boolean;
      publishersSignal: boolean;
      permissions: {
        kinds: Array<{ name: string; type: ChannelType }>;
        roles: Array<{ name: string; like: Role }>;
        stated: Array<{ kind: string; role: string; actions: Array<Action> }>;
      };
    } | null;
  };
};

export type UpdateProjectMutationVariables = Exact<{
  settings: ProjectSettingsInput;
}>;

export type UpdateProjectMutation = {
  updateProject: {
    id: string;
    name: string;
    createdAt: string;
    settings: {
      defaultLifetimeSeconds: number | null;
      maxLifetimeSeconds: number | null;
      expiryWarningSeconds: number | null;
      expiryGraceSeconds: number;
      guests: boolean;
      guestSeconds: number;
      anonymous: boolean;
      developmentTokens: boolean;
      emailIdentities: boolean;
      publishersSignal: boolean;
      permissions: {
        kinds: Array<{ name: string; type: ChannelType }>;
        roles: Array<{ name: string; like: Role }>;
        stated: Array<{ kind: string; role: string; actions: Array<Action> }>;
      };
    } | null;
  };
};

export type ListApiKeysQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type ListApiKeysQuery = {
  project: {
    apiKeys: {
      nodes: Array<{
        id: string;
        name: string;
        canSign: boolean;
        isOperator: boolean;
        scopes: Array<ApiKeyScope> | null;
        channels: string | null;
        createdAt: string;
        expiresAt: string | null;
        revokedAt: string | null;
      }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  };
};

export type CreateApiKeyMutationVariables = Exact<{
  name?: string | null | undefined;
  canSign?: boolean | null | undefined;
  scopes?: Array<ApiKeyScope> | ApiKeyScope | null | undefined;
  channels?: string | null | undefined;
  expiresAt?: string | null | undefined;
  project?: string | null | undefined;
}>;

export type CreateApiKeyMutation = {
  createApiKey: {
    secret: string;
    apiKey: {
      id: string;
      name: string;
      canSign: boolean;
      isOperator: boolean;
      scopes: Array<ApiKeyScope> | null;
      channels: string | null;
      createdAt: string;
      expiresAt: string | null;
      revokedAt: string | null;
    } | null;
  };
};

export type RotateApiKeyMutationVariables = Exact<{
  id: string;
  overlapSeconds: number;
}>;

export type RotateApiKeyMutation = {
  rotateApiKey: {
    secret: string;
    apiKey: {
      id: string;
      name: string;
      canSign: boolean;
      isOperator: boolean;
      scopes: Array<ApiKeyScope> | null;
      channels: string | null;
      createdAt: string;
      expiresAt: string | null;
      revokedAt: string | null;
    } | null;
  };
};

export type RevokeApiKeyMutationVariables = Exact<{
  id: string;
}>;

export type RevokeApiKeyMutation = {
  revokeApiKey: {
    id: string;
    name: string;
    canSign: boolean;
    isOperator: boolean;
    scopes: Array<ApiKeyScope> | null;
    channels: string | null;
    createdAt: string;
    expiresAt: string | null;
    revokedAt: string | null;
  };
};

export type GetStatsQueryVariables = Exact<{
  project?: string | null | undefined;
  after?: string | null | undefined;
}>;

export type GetStatsQuery = {
  stats: {
    node: string;
    startedAt: string;
    project: string | null;
    at: string;
    connections: number;
    totals: {
      publishes: number;
      deliveries: number;
      replays: number;
      gaps: number;
      slowConsumers: number;
      refusals: Array<{ code: ErrorCode; count: number }>;
    };
    store: { databaseBytes: number; walBytes: number; messages: number } | null;
    series: Array<{
      at: string;
      connections: number;
      counts: {
        publishes: number;
        deliveries: number;
        replays: number;
        gaps: number;
        slowConsumers: number;
        refusals: Array<{ code: ErrorCode; count: number }>;
      };
      process: {
        loopLagMs: number;
        store: { databaseBytes: number; walBytes: number; messages: number } | null;
      } | null;
    }>;
  };
};

export type CreateTokenMutationVariables = Exact<{
  input?: CreateTokenInput | null | undefined;
}>;

export type CreateTokenMutation = {
  createToken: {
    credential: string;
    cursor: string;
    token: {
      id: string;
      identity: string | null;
      role: Role;
      customRole: string | null;
      connectionData: string | null;
      state: unknown;
      origin: Origin;
      issuer: string | null;
      createdAt: string;
      expiresAt: string | null;
      revokedAt: string | null;
      isOnline: boolean;
      grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
    } | null;
  };
};

export type CreateCredentialMutationVariables = Exact<{
  token?: string | null | undefined;
  identity?: string | null | undefined;
  expiresIn?: number | null | undefined;
}>;

export type CreateCredentialMutation = {
  createCredential: {
    credential: string;
    cursor: string;
    token: {
      id: string;
      identity: string | null;
      role: Role;
      customRole: string | null;
      connectionData: string | null;
      state: unknown;
      origin: Origin;
      issuer: string | null;
      createdAt: string;
      expiresAt: string | null;
      revokedAt: string | null;
      isOnline: boolean;
      grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
    } | null;
  };
};

export type UpdateTokenMutationVariables = Exact<{
  id: string;
  input: UpdateTokenInput;
}>;

export type UpdateTokenMutation = {
  updateToken: {
    id: string;
    identity: string | null;
    role: Role;
    customRole: string | null;
    connectionData: string | null;
    state: unknown;
    origin: Origin;
    issuer: string | null;
    createdAt: string;
    expiresAt: string | null;
    revokedAt: string | null;
    isOnline: boolean;
    grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
  };
};

export type RevokeTokenMutationVariables = Exact<{
  id: string;
}>;

export type RevokeTokenMutation = {
  revokeToken: {
    id: string;
    identity: string | null;
    role: Role;
    customRole: string | null;
    connectionData: string | null;
    state: unknown;
    origin: Origin;
    issuer: string | null;
    createdAt: string;
    expiresAt: string | null;
    revokedAt: string | null;
    isOnline: boolean;
    grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
  };
};

export type RevokeTokensMutationVariables = Exact<{
  identity?: string | null | undefined;
  issuer?: string | null | undefined;
  all?: boolean | null | undefined;
  issuedBefore?: string | null | undefined;
}>;

export type RevokeTokensMutation = {
  revokeTokens: {
    connections: number;
    revocation: {
      scope: RevocationScope;
      identity: string | null;
      issuer: string | null;
      issuedBefore: string;
      createdAt: string;
    };
  };
};

export type RestoreTokensMutationVariables = Exact<{
  identity?: string | null | undefined;
  issuer?: string | null | undefined;
  all?: boolean | null | undefined;
}>;

export type RestoreTokensMutation = {
  restoreTokens: {
    scope: RevocationScope;
    identity: string | null;
    issuer: string | null;
    issuedBefore: string;
    createdAt: string;
  } | null;
};

export type GetTokenQueryVariables = Exact<{
  id: string;
}>;

export type GetTokenQuery = {
  token: {
    id: string;
    identity: string | null;
    role: Role;
    customRole: string | null;
    connectionData: string | null;
    state: unknown;
    origin: Origin;
    issuer: string | null;
    createdAt: string;
    expiresAt: string | null;
    revokedAt: string | null;
    isOnline: boolean;
    grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
  } | null;
};

export type ListTokensQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  identity?: string | null | undefined;
  online?: boolean | null | undefined;
}>;

export type ListTokensQuery = {
  tokens: {
    nodes: Array<{
      id: string;
      identity: string | null;
      role: Role;
      customRole: string | null;
      connectionData: string | null;
      state: unknown;
      origin: Origin;
      issuer: string | null;
      createdAt: string;
      expiresAt: string | null;
      revokedAt: string | null;
      isOnline: boolean;
      grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
    }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type IsOnlineQueryVariables = Exact<{
  token?: string | null | undefined;
  identity?: string | null | undefined;
}>;

export type IsOnlineQuery = { isOnline: boolean };

export type ListRevocationsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type ListRevocationsQuery = {
  revocations: {
    nodes: Array<{
      scope: RevocationScope;
      identity: string | null;
      issuer: string | null;
      issuedBefore: string;
      createdAt: string;
    }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type ExplainPermissionQueryVariables = Exact<{
  token?: string | null | undefined;
  channel: string;
  action: Action;
}>;

export type ExplainPermissionQuery = {
  explainPermission: { allowed: boolean; rule: PermissionRule; because: string };
};

export const FollowActivityDocument =
  'subscription FollowActivity($kinds:[ActivityKind!]$channel:ID$token:ID$identity:String$payloads:Boolean$perSecond:Int$recent:Int){activity(kinds:$kinds channel:$channel token:$token identity:$identity payloads:$payloads perSecond:$perSecond recent:$recent){at kind action actor subject channel token identity connection code reason sentence field address count message event data replayed}}' as Operation<
    FollowActivitySubscription,
    FollowActivitySubscriptionVariables
  >;

export const CreateChannelDocument =
  'mutation CreateChannel($input:CreateChannelInput!){createChannel(input:$input){...Channel}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
    CreateChannelMutation,
    CreateChannelMutationVariables
  >;

export const UpdateChannelDocument =
  'mutation UpdateChannel($id:ID!$input:UpdateChannelInput!){updateChannel(id:$id input:$input){...Channel endedMemberships}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
    UpdateChannelMutation,
    UpdateChannelMutationVariables
  >;

export const DeleteChannelDocument =
  'mutation DeleteChannel($id:ID!){deleteChannel(id:$id){id}}' as Operation<
    DeleteChannelMutation,
    DeleteChannelMutationVariables
  >;

export const SetChannelStateDocument =
  'mutation SetChannelState($channel:ID!$state:JSON!$ifVersion:Int){setChannelState(channel:$channel state:$state ifVersion:$ifVersion){...Channel}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
    SetChannelStateMutation,
    SetChannelStateMutationVariables
  >;

export const PatchChannelStateDocument =
  'mutation PatchChannelState($channel:ID!$patch:JSON!$ifVersion:Int){patchChannelState(channel:$channel patch:$patch ifVersion:$ifVersion){...Channel}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
    PatchChannelStateMutation,
    PatchChannelStateMutationVariables
  >;

export const SubscribeTokenDocument =
  'mutation SubscribeToken($channel:ID!$token:ID!$since:Cursor){subscribeToken(channel:$channel token:$token since:$since){...Membership}}fragment Membership on Membership{createdAt}' as Operation<
    SubscribeTokenMutation,
    SubscribeTokenMutationVariables
  >;

export const UnsubscribeTokenDocument =
  'mutation UnsubscribeToken($channel:ID!$token:ID!){unsubscribeToken(channel:$channel token:$token){...Membership}}fragment Membership on Membership{createdAt}' as Operation<
    UnsubscribeTokenMutation,
    UnsubscribeTokenMutationVariables
  >;

export const SubscribeTokensDocument =
  'mutation SubscribeTokens($channels:[ID!]!$tokens:[ID!]!){subscribeTokens(channels:$channels tokens:$tokens){...Outcome}}fragment Membership on Membership{createdAt}fragment Outcome on MembershipOutcome{channel token membership{...Membership}error{code message}}' as Operation<
    SubscribeTokensMutation,
    SubscribeTokensMutationVariables
  >;

export const UnsubscribeTokensDocument =
  'mutation UnsubscribeTokens($channels:[ID!]!$tokens:[ID!]!){unsubscribeTokens(channels:$channels tokens:$tokens){...Outcome}}fragment Membership on Membership{createdAt}fragment Outcome on MembershipOutcome{channel token membership{...Membership}error{code message}}' as Operation<
    UnsubscribeTokensMutation,
    UnsubscribeTokensMutationVariables
  >;

export const GetChannelDocument =
  'query GetChannel($id:ID!){channel(id:$id){...Channel}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
    GetChannelQuery,
    GetChannelQueryVariables
  >;

export const ListChannelsDocument =
  'query ListChannels($first:Int$after:String$type:ChannelType){channels(first:$first after:$after type:$type){nodes{...Channel}pageInfo{hasNextPage endCursor}}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
    ListChannelsQuery,
    ListChannelsQueryVariables
  >;

export const GetHistoryDocument =
  'query GetHistory($channel:ID!$last:Int$before:Cursor$first:Int$after:Cursor){channel(id:$channel){messages(last:$last before:$before first:$first after:$after){nodes{...Message}pageInfo{hasPreviousPage hasNextPage startCursor endCursor}}}}fragment Message on Message{id cursor channel event data publishedAt sender{kind identity token connectionData}}' as Operation<
    GetHistoryQuery,
    GetHistoryQueryVariables
  >;

export const ListChannelTokensDocument =
  'query ListChannelTokens($channel:ID!$first:Int$after:String){channel(id:$channel){tokens(first:$first after:$after){nodes{...Token}pageInfo{hasNextPage endCursor}}}}fragment Token on Token{id identity role customRole grants{channels actions expiresAt}connectionData state origin issuer createdAt expiresAt revokedAt isOnline}' as Operation<
    ListChannelTokensQuery,
    ListChannelTokensQueryVariables
  >;

export const ListMembersDocument =
  'query ListMembers($channel:ID!$first:Int$after:String){channel(id:$channel){presence{members(first:$first after:$after){nodes{...Member}pageInfo{hasNextPage endCursor}}}}}fragment Member on Connection{id token identity connectionData state transport connectedAt}' as Operation<
    ListMembersQuery,
    ListMembersQueryVariables
  >;

export const CountMembersDocument =
  'query CountMembers($channel:ID!){channel(id:$channel){presence{count}}}' as Operation<
    CountMembersQuery,
    CountMembersQueryVariables
  >;

export const ListConnectionsDocument =
  'query ListConnections($channel:ID$token:ID$identity:String$transport:Transport$first:Int$after:String){connections(channel:$channel token:$token identity:$identity transport:$transport first:$first after:$after){nodes{...LiveConnection}pageInfo{hasNextPage endCursor}}}fragment Member on Connection{id token identity connectionData state transport connectedAt}fragment LiveConnection on LiveConnection{connection{...Member}node channels subscriptions queuedBytes cursor isCaughtUp}' as Operation<
    ListConnectionsQuery,
    ListConnectionsQueryVariables
  >;

export const ExplainDeliveryDocument =
  'query ExplainDelivery($message:ID!$token:ID!){explainDelivery(message:$message token:$token){outcome rule because deliveries{connection node replayed at}isRetained unansweredNodes endedNodes}}' as Operation<
    ExplainDeliveryQuery,
    ExplainDeliveryQueryVariables
  >;

export const ListIssuersDocument =
  'fragment Issuer on Issuer{id kind name account service provider{issuer url audiences algorithms claims{identity role grants connectionData audience}}keys{id createdAt expiresAt}createdAt}query ListIssuers{project{issuers{...Issuer}}}' as Operation<
    ListIssuersQuery,
    ListIssuersQueryVariables
  >;

export const CreateIssuerDocument =
  'fragment Issuer on Issuer{id kind name account service provider{issuer url audiences algorithms claims{identity role grants connectionData audience}}keys{id createdAt expiresAt}createdAt}mutation CreateIssuer($input:CreateIssuerInput!){createIssuer(input:$input){...Issuer}}' as Operation<
    CreateIssuerMutation,
    CreateIssuerMutationVariables
  >;

export const UpdateIssuerDocument =
  'fragment Issuer on Issuer{id kind name account service provider{issuer url audiences algorithms claims{identity role grants connectionData audience}}keys{id createdAt expiresAt}createdAt}mutation UpdateIssuer($issuer:ID!$input:UpdateIssuerInput!){updateIssuer(issuer:$issuer input:$input){...Issuer}}' as Operation<
    UpdateIssuerMutation,
    UpdateIssuerMutationVariables
  >;

export const RemoveIssuerDocument =
  'fragment Issuer on Issuer{id kind name account service provider{issuer url audiences algorithms claims{identity role grants connectionData audience}}keys{id createdAt expiresAt}createdAt}mutation RemoveIssuer($issuer:ID!){removeIssuer(issuer:$issuer){...Issuer}}' as Operation<
    RemoveIssuerMutation,
    RemoveIssuerMutationVariables
  >;

export const AddIssuerKeyDocument =
  'fragment Issuer on Issuer{id kind name account service provider{issuer url audiences algorithms claims{identity role grants connectionData audience}}keys{id createdAt expiresAt}createdAt}mutation AddIssuerKey($issuer:ID!$key:IssuerKeyInput!){addIssuerKey(issuer:$issuer key:$key){...Issuer}}' as Operation<
    AddIssuerKeyMutation,
    AddIssuerKeyMutationVariables
  >;

export const RemoveIssuerKeyDocument =
  'fragment Issuer on Issuer{id kind name account service provider{issuer url audiences algorithms claims{identity role grants connectionData audience}}keys{id createdAt expiresAt}createdAt}mutation RemoveIssuerKey($issuer:ID!$key:ID!$overlapSeconds:Int!){removeIssuerKey(issuer:$issuer key:$key overlapSeconds:$overlapSeconds){...Issuer}}' as Operation<
    RemoveIssuerKeyMutation,
    RemoveIssuerKeyMutationVariables
  >;

export const PublishMessageDocument =
  'fragment Message on Message{id cursor channel event data publishedAt sender{kind identity token connectionData}}fragment Receipt on Receipt{message{...Message}connections repeated}mutation PublishMessage($channel:ID!$event:String!$data:JSON$ephemeral:Boolean$idempotencyKey:String){publishMessage(channel:$channel event:$event data:$data ephemeral:$ephemeral idempotencyKey:$idempotencyKey){...Receipt}}' as Operation<
    PublishMessageMutation,
    PublishMessageMutationVariables
  >;

export const PublishDirectMessageDocument =
  'fragment Message on Message{id cursor channel event data publishedAt sender{kind identity token connectionData}}fragment Receipt on Receipt{message{...Message}connections repeated}mutation PublishDirectMessage($token:ID$identity:String$connection:ID$event:String!$data:JSON$ephemeral:Boolean$idempotencyKey:String){publishDirectMessage(token:$token identity:$identity connection:$connection event:$event data:$data ephemeral:$ephemeral idempotencyKey:$idempotencyKey){...Receipt}}' as Operation<
    PublishDirectMessageMutation,
    PublishDirectMessageMutationVariables
  >;

export const PublishMessagesDocument =
  'fragment Message on Message{id cursor channel event data publishedAt sender{kind identity token connectionData}}fragment Receipt on Receipt{message{...Message}connections repeated}fragment PublishOutcome on PublishOutcome{receipt{...Receipt}error{code message retryable retryAfterSeconds outcomeUnknown}}mutation PublishMessages($messages:[PublishMessageInput!]!){publishMessages(messages:$messages){...PublishOutcome}}' as Operation<
    PublishMessagesMutation,
    PublishMessagesMutationVariables
  >;

export const MuteDocument =
  'fragment Restriction on Restriction{id kind channel token identity reason until createdAt}mutation Mute($token:ID$identity:String$channel:ID$until:DateTime$reason:String){mute(token:$token identity:$identity channel:$channel until:$until reason:$reason){...Restriction}}' as Operation<
    MuteMutation,
    MuteMutationVariables
  >;

export const UnmuteDocument =
  'fragment Restriction on Restriction{id kind channel token identity reason until createdAt}mutation Unmute($token:ID$identity:String$channel:ID){unmute(token:$token identity:$identity channel:$channel){...Restriction}}' as Operation<
    UnmuteMutation,
    UnmuteMutationVariables
  >;

export const BanDocument =
  'fragment Restriction on Restriction{id kind channel token identity reason until createdAt}mutation Ban($token:ID$identity:String$channel:ID!$until:DateTime$reason:String){ban(token:$token identity:$identity channel:$channel until:$until reason:$reason){...Restriction}}' as Operation<
    BanMutation,
    BanMutationVariables
  >;

export const UnbanDocument =
  'fragment Restriction on Restriction{id kind channel token identity reason until createdAt}mutation Unban($token:ID$identity:String$channel:ID!){unban(token:$token identity:$identity channel:$channel){...Restriction}}' as Operation<
    UnbanMutation,
    UnbanMutationVariables
  >;

export const DisconnectDocument =
  'mutation Disconnect($connection:ID$token:ID$identity:String$channel:ID$reason:String){disconnect(connection:$connection token:$token identity:$identity channel:$channel reason:$reason)}' as Operation<
    DisconnectMutation,
    DisconnectMutationVariables
  >;

export const ListRestrictionsDocument =
  'fragment Restriction on Restriction{id kind channel token identity reason until createdAt}query ListRestrictions($first:Int$after:String$token:ID$identity:String$channel:ID){restrictions(first:$first after:$after token:$token identity:$identity channel:$channel){nodes{...Restriction}pageInfo{hasNextPage endCursor}}}' as Operation<
    ListRestrictionsQuery,
    ListRestrictionsQueryVariables
  >;

export const GetProjectDocument =
  'fragment Project on Project{id name createdAt settings{defaultLifetimeSeconds maxLifetimeSeconds expiryWarningSeconds expiryGraceSeconds guests guestSeconds anonymous developmentTokens emailIdentities publishersSignal permissions{kinds{name type}roles{name like}stated{kind role actions}}}}query GetProject{project{...Project}}' as Operation<
    GetProjectQuery,
    GetProjectQueryVariables
  >;

export const UpdateProjectDocument =
  'fragment Project on Project{id name createdAt settings{defaultLifetimeSeconds maxLifetimeSeconds expiryWarningSeconds expiryGraceSeconds guests guestSeconds anonymous developmentTokens emailIdentities publishersSignal permissions{kinds{name type}roles{name like}stated{kind role actions}}}}mutation UpdateProject($settings:ProjectSettingsInput!){updateProject(settings:$settings){...Project}}' as Operation<
    UpdateProjectMutation,
    UpdateProjectMutationVariables
  >;

export const ListApiKeysDocument =
  'fragment ApiKey on ApiKey{id name canSign isOperator scopes channels createdAt expiresAt revokedAt}query ListApiKeys($first:Int$after:String){project{apiKeys(first:$first after:$after){nodes{...ApiKey}pageInfo{hasNextPage endCursor}}}}' as Operation<
    ListApiKeysQuery,
    ListApiKeysQueryVariables
  >;

export const CreateApiKeyDocument =
  'fragment ApiKey on ApiKey{id name canSign isOperator scopes channels createdAt expiresAt revokedAt}mutation CreateApiKey($name:String$canSign:Boolean$scopes:[ApiKeyScope!]$channels:String$expiresAt:DateTime$project:ID){createApiKey(name:$name canSign:$canSign scopes:$scopes channels:$channels expiresAt:$expiresAt project:$project){apiKey{...ApiKey}secret}}' as Operation<
    CreateApiKeyMutation,
    CreateApiKeyMutationVariables
  >;

export const RotateApiKeyDocument =
  'fragment ApiKey on ApiKey{id name canSign isOperator scopes channels createdAt expiresAt revokedAt}mutation RotateApiKey($id:ID!$overlapSeconds:Int!){rotateApiKey(id:$id overlapSeconds:$overlapSeconds){apiKey{...ApiKey}secret}}' as Operation<
    RotateApiKeyMutation,
    RotateApiKeyMutationVariables
  >;

export const RevokeApiKeyDocument =
  'fragment ApiKey on ApiKey{id name canSign isOperator scopes channels createdAt expiresAt revokedAt}mutation RevokeApiKey($id:ID!){revokeApiKey(id:$id){...ApiKey}}' as Operation<
    RevokeApiKeyMutation,
    RevokeApiKeyMutationVariables
  >;

export const GetStatsDocument =
  'fragment StatsCounts on StatsCounts{publishes deliveries replays gaps slowConsumers refusals{code count}}fragment StoreSize on StoreSize{databaseBytes walBytes messages}query GetStats($project:ID$after:DateTime){stats(project:$project){node startedAt project at connections totals{...StatsCounts}store{...StoreSize}series(after:$after){at connections counts{...StatsCounts}process{loopLagMs store{...StoreSize}}}}}' as Operation<
    GetStatsQuery,
    GetStatsQueryVariables
  >;

export const CreateTokenDocument =
  'fragment Token on Token{id identity role customRole grants{channels actions expiresAt}connectionData state origin issuer createdAt expiresAt revokedAt isOnline}mutation CreateToken($input:CreateTokenInput){createToken(input:$input){token{...Token}credential cursor}}' as Operation<
    CreateTokenMutation,
    CreateTokenMutationVariables
  >;

export const CreateCredentialDocument =
  'fragment Token on Token{id identity role customRole grants{channels actions expiresAt}connectionData state origin issuer createdAt expiresAt revokedAt isOnline}mutation CreateCredential($token:ID$identity:String$expiresIn:Int){createCredential(token:$token identity:$identity expiresIn:$expiresIn){token{...Token}credential cursor}}' as Operation<
    CreateCredentialMutation,
    CreateCredentialMutationVariables
  >;

export const UpdateTokenDocument =
  'fragment Token on Token{id identity role customRole grants{channels actions expiresAt}connectionData state origin issuer createdAt expiresAt revokedAt isOnline}mutation UpdateToken($id:ID!$input:UpdateTokenInput!){updateToken(id:$id input:$input){...Token}}' as Operation<
    UpdateTokenMutation,
    UpdateTokenMutationVariables
  >;

export const RevokeTokenDocument =
  'fragment Token on Token{id identity role customRole grants{channels actions expiresAt}connectionData state origin issuer createdAt expiresAt revokedAt isOnline}mutation RevokeToken($id:ID!){revokeToken(id:$id){...Token}}' as Operation<
    RevokeTokenMutation,
    RevokeTokenMutationVariables
  >;

export const RevokeTokensDocument =
  'fragment Revocation on Revocation{scope identity issuer issuedBefore createdAt}mutation RevokeTokens($identity:String$issuer:ID$all:Boolean$issuedBefore:DateTime){revokeTokens(identity:$identity issuer:$issuer all:$all issuedBefore:$issuedBefore){revocation{...Revocation}connections}}' as Operation<
    RevokeTokensMutation,
    RevokeTokensMutationVariables
  >;

export const RestoreTokensDocument =
  'fragment Revocation on Revocation{scope identity issuer issuedBefore createdAt}mutation RestoreTokens($identity:String$issuer:ID$all:Boolean){restoreTokens(identity:$identity issuer:$issuer all:$all){...Revocation}}' as Operation<
    RestoreTokensMutation,
    RestoreTokensMutationVariables
  >;

export const GetTokenDocument =
  'fragment Token on Token{id identity role customRole grants{channels actions expiresAt}connectionData state origin issuer createdAt expiresAt revokedAt isOnline}query GetToken($id:ID!){token(id:$id){...Token}}' as Operation<
    GetTokenQuery,
    GetTokenQueryVariables
  >;

export const ListTokensDocument =
  'fragment Token on Token{id identity role customRole grants{channels actions expiresAt}connectionData state origin issuer createdAt expiresAt revokedAt isOnline}query ListTokens($first:Int$after:String$identity:String$online:Boolean){tokens(first:$first after:$after identity:$identity online:$online){nodes{...Token}pageInfo{hasNextPage endCursor}}}' as Operation<
    ListTokensQuery,
    ListTokensQueryVariables
  >;

export const IsOnlineDocument =
  'query IsOnline($token:ID$identity:String){isOnline(token:$token identity:$identity)}' as Operation<
    IsOnlineQuery,
    IsOnlineQueryVariables
  >;

export const ListRevocationsDocument =
  'fragment Revocation on Revocation{scope identity issuer issuedBefore createdAt}query ListRevocations($first:Int$after:String){revocations(first:$first after:$after){nodes{...Revocation}pageInfo{hasNextPage endCursor}}}' as Operation<
    ListRevocationsQuery,
    ListRevocationsQueryVariables
  >;

export const ExplainPermissionDocument =
  'query ExplainPermission($token:ID$channel:ID!$action:Action!){explainPermission(token:$token channel:$channel action:$action){allowed rule because}}' as Operation<
    ExplainPermissionQuery,
    ExplainPermissionQueryVariables
  >;
