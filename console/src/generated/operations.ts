// Printed from `console/operations` and `schema.graphql` by `npm run schema`. Edit those, not this file.

import { type Operation } from '../operation.ts';

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

/** The kind of a caller. */
export type CallerKind =
  /** A caller without a credential. */
  | 'ANONYMOUS'
  /** A backend with an API key. */
  | 'API_KEY'
  /** A client with a token. */
  | 'TOKEN';

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

/** Input of createProject; all fields are optional. */
export type CreateProjectInput = {
  /** 1–63 characters: lower-case letters, digits and -; generated when absent. */
  id?: string | null | undefined;
  /** The display name: at most 1,000 characters; the id when absent. */
  name?: string | null | undefined;
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

/** The reason of a `Disconnecting`, `ChannelUnavailable` or `Gap` event. ChannelUnavailable: UNSUBSCRIBED, NOT_ALLOWED, BANNED, DELETED. Gap: RETENTION, POSITION_LOST, MEMBERSHIP. Disconnecting: all other values. */
export type EventReason =
  /** The token was banned from the channel. */
  | 'BANNED'
  /** The client closed the connection. */
  | 'CLIENT_LEFT'
  /** The socket failed or stopped answering pings. */
  | 'CONNECTION_LOST'
  /** The channel was deleted. */
  | 'DELETED'
  /** A moderator or a backend ended the connection; `note` may give a reason. */
  | 'DISCONNECTED'
  /** The service is restarting, or has lost its database; resume with the last cursor. */
  | 'DRAINING'
  /** The key that authenticated the connection was revoked or replaced. */
  | 'KEY_ENDED'
  /** Messages were published after the cursor and before the membership of the token began. The inbox does not show them. */
  | 'MEMBERSHIP'
  /** The role or the grants of the token, or the type of the channel, no longer allow SUBSCRIBE. */
  | 'NOT_ALLOWED'
  /** The cursor does not belong to this log, so the missed messages are unknown. */
  | 'POSITION_LOST'
  /** The log no longer holds some of the messages. */
  | 'RETENTION'
  /** The client did not read fast enough; resume with the last cursor. */
  | 'SLOW_CONSUMER'
  /** The token has expired. */
  | 'TOKEN_EXPIRED'
  /** The token was revoked. */
  | 'TOKEN_REVOKED'
  /** The membership was ended by `unsubscribeToken`. */
  | 'UNSUBSCRIBED';

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

/** How the presence of a member of a channel changed. */
export type PresenceChange =
  /** The connection subscribed to the channel. */
  | 'JOINED'
  /** The connection left the channel; `leaveReason` tells why. */
  | 'LEFT'
  /** The presence state of the connection changed. */
  | 'UPDATED';

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
    kind: ActivityKind;
    at: string;
    action: string;
    actor: string | null;
    subject: string | null;
    token: string | null;
    identity: string | null;
    channel: string | null;
    event: string | null;
    data: unknown;
    code: ErrorCode | null;
    field: string | null;
    reason: string | null;
    sentence: string | null;
    count: number | null;
    replayed: boolean;
  };
};

export type ChannelsQueryVariables = Exact<{
  after?: string | null | undefined;
  type?: ChannelType | null | undefined;
}>;

export type ChannelsQuery = {
  channels: {
    nodes: Array<{
      id: string;
      type: ChannelType;
      kind: string | null;
      version: number;
      createdAt: string;
      history: { messages: number | null; seconds: number | null };
    }>;
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
};

export type ChannelDetailsQueryVariables = Exact<{
  id: string;
}>;

export type ChannelDetailsQuery = {
  channel: {
    state: unknown;
    id: string;
    type: ChannelType;
    kind: string | null;
    version: number;
    createdAt: string;
    history: { messages: number | null; seconds: number | null };
  } | null;
};

export type ChannelMembersQueryVariables = Exact<{
  id: string;
  after?: string | null | undefined;
}>;

export type ChannelMembersQuery = {
  channel: {
    presence: {
      count: number;
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
        pageInfo: { endCursor: string | null; hasNextPage: boolean };
      };
    };
  } | null;
};

export type ChannelTokensQueryVariables = Exact<{
  id: string;
  after?: string | null | undefined;
}>;

export type ChannelTokensQuery = {
  channel: {
    tokens: {
      nodes: Array<{
        id: string;
        identity: string | null;
        role: Role;
        customRole: string | null;
        origin: Origin;
        createdAt: string;
        expiresAt: string | null;
        revokedAt: string | null;
        isOnline: boolean;
      }>;
      pageInfo: { endCursor: string | null; hasNextPage: boolean };
    };
  } | null;
};

export type ChannelHistoryQueryVariables = Exact<{
  id: string;
  before?: string | null | undefined;
}>;

export type ChannelHistoryQuery = {
  channel: {
    messages: {
      nodes: Array<{
        id: string;
        cursor: string | null;
        channel: string | null;
        event: string;
        data: unknown;
        ordinal: number | null;
        publishedAt: string;
        sender: { kind: SenderKind; identity: string | null; token: string | null };
      }>;
      pageInfo: { startCursor: string | null; hasPreviousPage: boolean };
    };
  } | null;
};

export type CreateChannelMutationVariables = Exact<{
  input: CreateChannelInput;
}>;

export type CreateChannelMutation = { createChannel: { id: string } };

export type UpdateChannelMutationVariables = Exact<{
  id: string;
  input: UpdateChannelInput;
}>;

export type UpdateChannelMutation = { updateChannel: { id: string } };

export type DeleteChannelMutationVariables = Exact<{
  id: string;
}>;

export type DeleteChannelMutation = { deleteChannel: { id: string } };

export type SetChannelStateMutationVariables = Exact<{
  channel: string;
  state: unknown;
  ifVersion?: number | null | undefined;
}>;

export type SetChannelStateMutation = { setChannelState: { id: string; version: number } };

export type TailChannelSubscriptionVariables = Exact<{
  channel: string;
  since?: string | null | undefined;
}>;

export type TailChannelSubscription = {
  messages: {
    id: string;
    cursor: string | null;
    channel: string | null;
    event: string;
    data: unknown;
    ordinal: number | null;
    publishedAt: string;
    sender: { kind: SenderKind; identity: string | null; token: string | null };
  };
};

export type FollowPresenceSubscriptionVariables = Exact<{
  channel: string;
}>;

export type FollowPresenceSubscription = { presence: { change: PresenceChange; member: { id: string } } };

export type ConnectionsQueryVariables = Exact<{
  after?: string | null | undefined;
  channel?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  transport?: Transport | null | undefined;
}>;

export type ConnectionsQuery = {
  connections: {
    nodes: Array<{
      channels: Array<string>;
      subscriptions: number | null;
      queuedBytes: number | null;
      isCaughtUp: boolean | null;
      connection: {
        id: string;
        identity: string | null;
        token: string | null;
        transport: Transport;
        connectedAt: string;
      };
    }>;
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
};

export type DisconnectMutationVariables = Exact<{
  connection?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  channel?: string | null | undefined;
  reason?: string | null | undefined;
}>;

export type DisconnectMutation = { disconnect: number };

export type ExplainPermissionQueryVariables = Exact<{
  token?: string | null | undefined;
  channel: string;
  action: Action;
}>;

export type ExplainPermissionQuery = {
  explainPermission: { allowed: boolean; rule: PermissionRule; because: string };
};

export type EffectivePermissionsQueryVariables = Exact<{
  token: string;
  channel: string;
}>;

export type EffectivePermissionsQuery = {
  SUBSCRIBE: { allowed: boolean; rule: PermissionRule; because: string };
  PUBLISH: { allowed: boolean; rule: PermissionRule; because: string };
  PRESENCE: { allowed: boolean; rule: PermissionRule; because: string };
  MODERATE: { allowed: boolean; rule: PermissionRule; because: string };
};

export type ExplanationFragment = { allowed: boolean; rule: PermissionRule; because: string };

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
    deliveries: Array<{ connection: string; node: string; at: string | null; replayed: boolean }>;
  };
};

export type TokenRowFragment = {
  id: string;
  identity: string | null;
  role: Role;
  customRole: string | null;
  origin: Origin;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  isOnline: boolean;
};

export type TokenDetailsFragment = {
  issuer: string | null;
  connectionData: string | null;
  state: unknown;
  id: string;
  identity: string | null;
  role: Role;
  customRole: string | null;
  origin: Origin;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  isOnline: boolean;
  grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
  claimedGrants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
  connections: Array<{
    id: string;
    token: string | null;
    identity: string | null;
    connectionData: string | null;
    state: unknown;
    transport: Transport;
    connectedAt: string;
  }>;
};

export type ChannelRowFragment = {
  id: string;
  type: ChannelType;
  kind: string | null;
  version: number;
  createdAt: string;
  history: { messages: number | null; seconds: number | null };
};

export type MessageRowFragment = {
  id: string;
  cursor: string | null;
  channel: string | null;
  event: string;
  data: unknown;
  ordinal: number | null;
  publishedAt: string;
  sender: { kind: SenderKind; identity: string | null; token: string | null };
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

export type ReceiptFragment = {
  connections: number;
  repeated: boolean;
  message: {
    id: string;
    cursor: string | null;
    channel: string | null;
    event: string;
    data: unknown;
    ordinal: number | null;
    publishedAt: string;
    sender: { kind: SenderKind; identity: string | null; token: string | null };
  };
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

export type KeyFragment = {
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

export type IssuerDetailsFragment = {
  id: string;
  kind: IssuerKind;
  name: string;
  account: string | null;
  service: string | null;
  createdAt: string;
  keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
  provider: {
    issuer: string;
    url: string;
    audiences: Array<string>;
    algorithms: Array<JwksAlgorithm>;
    claims: {
      identity: string;
      audience: string;
      role: string | null;
      grants: string | null;
      connectionData: string | null;
    };
  } | null;
};

export type ProjectRowFragment = { id: string; name: string; createdAt: string };

export type SettingsFragment = {
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
};

export type PageFragment = { endCursor: string | null; hasNextPage: boolean };

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
      ordinal: number | null;
      publishedAt: string;
      sender: { kind: SenderKind; identity: string | null; token: string | null };
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
      ordinal: number | null;
      publishedAt: string;
      sender: { kind: SenderKind; identity: string | null; token: string | null };
    };
  };
};

export type RestrictionsQueryVariables = Exact<{
  after?: string | null | undefined;
  channel?: string | null | undefined;
}>;

export type RestrictionsQuery = {
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
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
};

export type RevocationsQueryVariables = Exact<{
  after?: string | null | undefined;
}>;

export type RevocationsQuery = {
  revocations: {
    nodes: Array<{
      scope: RevocationScope;
      identity: string | null;
      issuer: string | null;
      issuedBefore: string;
      createdAt: string;
    }>;
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
};

export type MuteMutationVariables = Exact<{
  channel?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  until?: string | null | undefined;
  reason?: string | null | undefined;
}>;

export type MuteMutation = { mute: { id: string } };

export type UnmuteMutationVariables = Exact<{
  channel?: string | null | undefined;
  token?: string | null | undefined;
  identity?: string | null | undefined;
}>;

export type UnmuteMutation = { unmute: { id: string } | null };

export type BanMutationVariables = Exact<{
  channel: string;
  token?: string | null | undefined;
  identity?: string | null | undefined;
  until?: string | null | undefined;
  reason?: string | null | undefined;
}>;

export type BanMutation = { ban: { id: string } };

export type UnbanMutationVariables = Exact<{
  channel: string;
  token?: string | null | undefined;
  identity?: string | null | undefined;
}>;

export type UnbanMutation = { unban: { id: string } | null };

export type RevokeTokensMutationVariables = Exact<{
  identity?: string | null | undefined;
  issuer?: string | null | undefined;
  all?: boolean | null | undefined;
  issuedBefore?: string | null | undefined;
}>;

export type RevokeTokensMutation = { revokeTokens: { connections: number } };

export type RestoreTokensMutationVariables = Exact<{
  identity?: string | null | undefined;
  issuer?: string | null | undefined;
  all?: boolean | null | undefined;
}>;

export type RestoreTokensMutation = { restoreTokens: { createdAt: string } | null };

export type StatsQueryVariables = Exact<{
  after?: string | null | undefined;
}>;

export type StatsQuery = {
  stats: {
    at: string;
    node: string;
    project: string | null;
    startedAt: string;
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
      process: { loopLagMs: number } | null;
    }>;
  };
};

export type CountsFragment = {
  publishes: number;
  deliveries: number;
  replays: number;
  gaps: number;
  slowConsumers: number;
  refusals: Array<{ code: ErrorCode; count: number }>;
};

export type ProjectSettingsQueryVariables = Exact<{ [key: string]: never }>;

export type ProjectSettingsQuery = {
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

export type ProjectsQueryVariables = Exact<{
  after?: string | null | undefined;
}>;

export type ProjectsQuery = {
  projects: {
    nodes: Array<{ id: string; name: string; createdAt: string }>;
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
};

export type ApiKeysQueryVariables = Exact<{
  after?: string | null | undefined;
}>;

export type ApiKeysQuery = {
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
      pageInfo: { endCursor: string | null; hasNextPage: boolean };
    };
  };
};

export type IssuersQueryVariables = Exact<{ [key: string]: never }>;

export type IssuersQuery = {
  project: {
    issuers: Array<{
      id: string;
      kind: IssuerKind;
      name: string;
      account: string | null;
      service: string | null;
      createdAt: string;
      keys: Array<{ id: string; createdAt: string; expiresAt: string | null }>;
      provider: {
        issuer: string;
        url: string;
        audiences: Array<string>;
        algorithms: Array<JwksAlgorithm>;
        claims: {
          identity: string;
          audience: string;
          role: string | null;
          grants: string | null;
          connectionData: string | null;
        };
      } | null;
    }>;
  };
};

export type UpdateProjectMutationVariables = Exact<{
  settings: ProjectSettingsInput;
}>;

export type UpdateProjectMutation = { updateProject: { id: string } };

export type CreateProjectMutationVariables = Exact<{
  input: CreateProjectInput;
}>;

export type CreateProjectMutation = { createProject: { secret: string; project: { id: string } | null } };

export type CreateApiKeyMutationVariables = Exact<{
  project?: string | null | undefined;
  name?: string | null | undefined;
  scopes?: Array<ApiKeyScope> | ApiKeyScope | null | undefined;
  channels?: string | null | undefined;
  canSign?: boolean | null | undefined;
  expiresAt?: string | null | undefined;
}>;

export type CreateApiKeyMutation = { createApiKey: { secret: string; apiKey: { id: string } | null } };

export type RotateApiKeyMutationVariables = Exact<{
  id: string;
  overlapSeconds: number;
}>;

export type RotateApiKeyMutation = { rotateApiKey: { secret: string; apiKey: { id: string } | null } };

export type RevokeApiKeyMutationVariables = Exact<{
  id: string;
}>;

export type RevokeApiKeyMutation = { revokeApiKey: { id: string } };

export type CreateIssuerMutationVariables = Exact<{
  input: CreateIssuerInput;
}>;

export type CreateIssuerMutation = { createIssuer: { id: string } };

export type UpdateIssuerMutationVariables = Exact<{
  issuer: string;
  input: UpdateIssuerInput;
}>;

export type UpdateIssuerMutation = { updateIssuer: { id: string } };

export type AddIssuerKeyMutationVariables = Exact<{
  issuer: string;
  key: IssuerKeyInput;
}>;

export type AddIssuerKeyMutation = { addIssuerKey: { id: string } };

export type RemoveIssuerKeyMutationVariables = Exact<{
  issuer: string;
  key: string;
  overlapSeconds: number;
}>;

export type RemoveIssuerKeyMutation = { removeIssuerKey: { id: string } };

export type RemoveIssuerMutationVariables = Exact<{
  issuer: string;
}>;

export type RemoveIssuerMutation = { removeIssuer: { id: string } };

export type TryCredentialQueryVariables = Exact<{ [key: string]: never }>;

export type TryCredentialQuery = {
  viewer: {
    token: {
      id: string;
      identity: string | null;
      role: Role;
      customRole: string | null;
      expiresAt: string | null;
    } | null;
  };
};

export type RotateSigningKeyMutationVariables = Exact<{
  overlapSeconds: number;
}>;

export type RotateSigningKeyMutation = { rotateSigningKey: boolean };

export type ResealSecretsMutationVariables = Exact<{ [key: string]: never }>;

export type ResealSecretsMutation = { resealSecrets: number };

export type WhoAmIQueryVariables = Exact<{ [key: string]: never }>;

export type WhoAmIQuery = {
  viewer: {
    kind: CallerKind;
    project: string;
    apiKey: {
      id: string;
      name: string;
      scopes: Array<ApiKeyScope> | null;
      channels: string | null;
      isOperator: boolean;
      expiresAt: string | null;
    } | null;
  };
};

export type TestClientSubscriptionVariables = Exact<{
  since?: string | null | undefined;
}>;

export type TestClientSubscription = {
  events:
    | { __typename: 'ChannelAvailable'; at: string; channel: { id: string } }
    | {
        __typename: 'ChannelMessage';
        at: string;
        message: {
          id: string;
          cursor: string | null;
          channel: string | null;
          event: string;
          data: unknown;
          ordinal: number | null;
          publishedAt: string;
          sender: { kind: SenderKind; identity: string | null; token: string | null };
        };
      }
    | { __typename: 'ChannelStateUpdated'; at: string; channel: { id: string } }
    | { __typename: 'ChannelUnavailable'; reason: EventReason; at: string; channel: { id: string } }
    | {
        __typename: 'Connected';
        cursor: string;
        at: string;
        connection: { id: string };
        token: { identity: string | null } | null;
        channels: Array<{ id: string }>;
      }
    | {
        __typename: 'DirectMessage';
        at: string;
        message: {
          id: string;
          cursor: string | null;
          channel: string | null;
          event: string;
          data: unknown;
          ordinal: number | null;
          publishedAt: string;
          sender: { kind: SenderKind; identity: string | null; token: string | null };
        };
      }
    | { __typename: 'Disconnecting'; reason: EventReason; note: string | null; at: string }
    | { __typename: 'Gap'; reason: EventReason; at: string }
    | {
        __typename: 'PresenceChanged';
        at: string;
        presence: {
          change: PresenceChange;
          channel: string;
          member: { id: string; identity: string | null };
        };
      }
    | {
        __typename: 'Restricted';
        at: string;
        restriction: {
          id: string;
          kind: RestrictionKind;
          channel: string | null;
          token: string | null;
          identity: string | null;
          reason: string | null;
          until: string | null;
          createdAt: string;
        };
      }
    | {
        __typename: 'RestrictionLifted';
        at: string;
        restriction: {
          id: string;
          kind: RestrictionKind;
          channel: string | null;
          token: string | null;
          identity: string | null;
          reason: string | null;
          until: string | null;
          createdAt: string;
        };
      }
    | { __typename: 'TokenExpiring'; expiresAt: string; at: string }
    | { __typename: 'TokenUpdated'; at: string };
};

export type TokensQueryVariables = Exact<{
  after?: string | null | undefined;
  identity?: string | null | undefined;
  online?: boolean | null | undefined;
}>;

export type TokensQuery = {
  tokens: {
    nodes: Array<{
      id: string;
      identity: string | null;
      role: Role;
      customRole: string | null;
      origin: Origin;
      createdAt: string;
      expiresAt: string | null;
      revokedAt: string | null;
      isOnline: boolean;
    }>;
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
};

export type TokenDetailsQueryVariables = Exact<{
  id: string;
}>;

export type TokenDetailsQuery = {
  token: {
    issuer: string | null;
    connectionData: string | null;
    state: unknown;
    id: string;
    identity: string | null;
    role: Role;
    customRole: string | null;
    origin: Origin;
    createdAt: string;
    expiresAt: string | null;
    revokedAt: string | null;
    isOnline: boolean;
    grants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
    claimedGrants: Array<{ channels: string; actions: Array<Action>; expiresAt: string | null }> | null;
    connections: Array<{
      id: string;
      token: string | null;
      identity: string | null;
      connectionData: string | null;
      state: unknown;
      transport: Transport;
      connectedAt: string;
    }>;
  } | null;
};

export type TokenRestrictionsQueryVariables = Exact<{
  token: string;
}>;

export type TokenRestrictionsQuery = {
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
  };
};

export type TokenConnectionsQueryVariables = Exact<{
  token: string;
}>;

export type TokenConnectionsQuery = {
  connections: { nodes: Array<{ channels: Array<string>; connection: { id: string } }> };
};

export type TokenChannelsQueryVariables = Exact<{
  id: string;
  after?: string | null | undefined;
}>;

export type TokenChannelsQuery = {
  token: {
    channels: {
      nodes: Array<{
        id: string;
        type: ChannelType;
        kind: string | null;
        version: number;
        createdAt: string;
        history: { messages: number | null; seconds: number | null };
      }>;
      pageInfo: { endCursor: string | null; hasNextPage: boolean };
    };
  } | null;
};

export type CreateTokenMutationVariables = Exact<{
  input?: CreateTokenInput | null | undefined;
}>;

export type CreateTokenMutation = {
  createToken: { credential: string; cursor: string; token: { id: string; expiresAt: string | null } | null };
};

export type CreateCredentialMutationVariables = Exact<{
  token: string;
  expiresIn?: number | null | undefined;
}>;

export type CreateCredentialMutation = {
  createCredential: {
    credential: string;
    cursor: string;
    token: { id: string; expiresAt: string | null } | null;
  };
};

export type UpdateTokenMutationVariables = Exact<{
  id: string;
  input: UpdateTokenInput;
}>;

export type UpdateTokenMutation = { updateToken: { id: string } };

export type RevokeTokenMutationVariables = Exact<{
  id: string;
}>;

export type RevokeTokenMutation = { revokeToken: { id: string; revokedAt: string | null } };

export type SubscribeTokenMutationVariables = Exact<{
  channel: string;
  token: string;
}>;

export type SubscribeTokenMutation = { subscribeToken: { createdAt: string } };

export type UnsubscribeTokenMutationVariables = Exact<{
  channel: string;
  token: string;
}>;

export type UnsubscribeTokenMutation = { unsubscribeToken: { createdAt: string } | null };

export const FollowActivityDocument =
  `subscription FollowActivity($kinds: [ActivityKind!], $channel: ID, $token: ID, $identity: String, $payloads: Boolean, $perSecond: Int, $recent: Int) {
  activity(
    kinds: $kinds
    channel: $channel
    token: $token
    identity: $identity
    payloads: $payloads
    perSecond: $perSecond
    recent: $recent
  ) {
    kind
    at
    action
    actor
    subject
    token
    identity
    channel
    event
    data
    code
    field
    reason
    sentence
    count
    replayed
  }
}` as Operation<FollowActivitySubscription, FollowActivitySubscriptionVariables>;

export const ChannelsDocument = `query Channels($after: String, $type: ChannelType) {
  channels(first: 50, after: $after, type: $type) {
    nodes {
      ...ChannelRow
    }
    pageInfo {
      ...Page
    }
  }
}

fragment ChannelRow on Channel {
  id
  type
  kind
  version
  createdAt
  history {
    messages
    seconds
  }
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}` as Operation<ChannelsQuery, ChannelsQueryVariables>;

export const ChannelDetailsDocument = `query ChannelDetails($id: ID!) {
  channel(id: $id) {
    ...ChannelRow
    state
  }
}

fragment ChannelRow on Channel {
  id
  type
  kind
  version
  createdAt
  history {
    messages
    seconds
  }
}` as Operation<ChannelDetailsQuery, ChannelDetailsQueryVariables>;

export const ChannelMembersDocument = `query ChannelMembers($id: ID!, $after: String) {
  channel(id: $id) {
    presence {
      count
      members(first: 100, after: $after) {
        nodes {
          ...Member
        }
        pageInfo {
          ...Page
        }
      }
    }
  }
}

fragment Member on Connection {
  id
  token
  identity
  connectionData
  state
  transport
  connectedAt
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}` as Operation<ChannelMembersQuery, ChannelMembersQueryVariables>;

export const ChannelTokensDocument = `query ChannelTokens($id: ID!, $after: String) {
  channel(id: $id) {
    tokens(first: 50, after: $after) {
      nodes {
        ...TokenRow
      }
      pageInfo {
        ...Page
      }
    }
  }
}

fragment TokenRow on Token {
  id
  identity
  role
  customRole
  origin
  createdAt
  expiresAt
  revokedAt
  isOnline
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}` as Operation<ChannelTokensQuery, ChannelTokensQueryVariables>;

export const ChannelHistoryDocument = `query ChannelHistory($id: ID!, $before: Cursor) {
  channel(id: $id) {
    messages(last: 25, before: $before) {
      nodes {
        ...MessageRow
      }
      pageInfo {
        startCursor
        hasPreviousPage
      }
    }
  }
}

fragment MessageRow on Message {
  id
  cursor
  channel
  event
  data
  ordinal
  publishedAt
  sender {
    kind
    identity
    token
  }
}` as Operation<ChannelHistoryQuery, ChannelHistoryQueryVariables>;

export const CreateChannelDocument = `mutation CreateChannel($input: CreateChannelInput!) {
  createChannel(input: $input) {
    id
  }
}` as Operation<CreateChannelMutation, CreateChannelMutationVariables>;

export const UpdateChannelDocument = `mutation UpdateChannel($id: ID!, $input: UpdateChannelInput!) {
  updateChannel(id: $id, input: $input) {
    id
  }
}` as Operation<UpdateChannelMutation, UpdateChannelMutationVariables>;

export const DeleteChannelDocument = `mutation DeleteChannel($id: ID!) {
  deleteChannel(id: $id) {
    id
  }
}` as Operation<DeleteChannelMutation, DeleteChannelMutationVariables>;

export const SetChannelStateDocument =
  `mutation SetChannelState($channel: ID!, $state: JSON!, $ifVersion: Int) {
  setChannelState(channel: $channel, state: $state, ifVersion: $ifVersion) {
    id
    version
  }
}` as Operation<SetChannelStateMutation, SetChannelStateMutationVariables>;

export const TailChannelDocument = `subscription TailChannel($channel: ID!, $since: Cursor) {
  messages(channel: $channel, since: $since) {
    ...MessageRow
  }
}

fragment MessageRow on Message {
  id
  cursor
  channel
  event
  data
  ordinal
  publishedAt
  sender {
    kind
    identity
    token
  }
}` as Operation<TailChannelSubscription, TailChannelSubscriptionVariables>;

export const FollowPresenceDocument = `subscription FollowPresence($channel: ID!) {
  presence(channel: $channel) {
    change
    member {
      id
    }
  }
}` as Operation<FollowPresenceSubscription, FollowPresenceSubscriptionVariables>;

export const ConnectionsDocument =
  `query Connections($after: String, $channel: ID, $token: ID, $identity: String, $transport: Transport) {
  connections(
    first: 100
    after: $after
    channel: $channel
    token: $token
    identity: $identity
    transport: $transport
  ) {
    nodes {
      connection {
        id
        identity
        token
        transport
        connectedAt
      }
      channels
      subscriptions
      queuedBytes
      isCaughtUp
    }
    pageInfo {
      ...Page
    }
  }
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}` as Operation<ConnectionsQuery, ConnectionsQueryVariables>;

export const DisconnectDocument =
  `mutation Disconnect($connection: ID, $token: ID, $identity: String, $channel: ID, $reason: String) {
  disconnect(
    connection: $connection
    token: $token
    identity: $identity
    channel: $channel
    reason: $reason
  )
}` as Operation<DisconnectMutation, DisconnectMutationVariables>;

export const ExplainPermissionDocument =
  `query ExplainPermission($token: ID, $channel: ID!, $action: Action!) {
  explainPermission(token: $token, channel: $channel, action: $action) {
    allowed
    rule
    because
  }
}` as Operation<ExplainPermissionQuery, ExplainPermissionQueryVariables>;

export const EffectivePermissionsDocument = `query EffectivePermissions($token: ID!, $channel: ID!) {
  SUBSCRIBE: explainPermission(
    token: $token
    channel: $channel
    action: SUBSCRIBE
  ) {
    ...Explanation
  }
  PUBLISH: explainPermission(token: $token, channel: $channel, action: PUBLISH) {
    ...Explanation
  }
  PRESENCE: explainPermission(token: $token, channel: $channel, action: PRESENCE) {
    ...Explanation
  }
  MODERATE: explainPermission(token: $token, channel: $channel, action: MODERATE) {
    ...Explanation
  }
}

fragment Explanation on PermissionExplanation {
  allowed
  rule
  because
}` as Operation<EffectivePermissionsQuery, EffectivePermissionsQueryVariables>;

export const ExplainDeliveryDocument = `query ExplainDelivery($message: ID!, $token: ID!) {
  explainDelivery(message: $message, token: $token) {
    outcome
    rule
    because
    isRetained
    unansweredNodes
    endedNodes
    deliveries {
      connection
      node
      at
      replayed
    }
  }
}` as Operation<ExplainDeliveryQuery, ExplainDeliveryQueryVariables>;

export const PublishMessageDocument = `fragment MessageRow on Message {
  id
  cursor
  channel
  event
  data
  ordinal
  publishedAt
  sender {
    kind
    identity
    token
  }
}

fragment Receipt on Receipt {
  message {
    ...MessageRow
  }
  connections
  repeated
}

mutation PublishMessage($channel: ID!, $event: String!, $data: JSON, $ephemeral: Boolean, $idempotencyKey: String) {
  publishMessage(
    channel: $channel
    event: $event
    data: $data
    ephemeral: $ephemeral
    idempotencyKey: $idempotencyKey
  ) {
    ...Receipt
  }
}` as Operation<PublishMessageMutation, PublishMessageMutationVariables>;

export const PublishDirectMessageDocument = `fragment MessageRow on Message {
  id
  cursor
  channel
  event
  data
  ordinal
  publishedAt
  sender {
    kind
    identity
    token
  }
}

fragment Receipt on Receipt {
  message {
    ...MessageRow
  }
  connections
  repeated
}

mutation PublishDirectMessage($token: ID, $identity: String, $connection: ID, $event: String!, $data: JSON, $ephemeral: Boolean, $idempotencyKey: String) {
  publishDirectMessage(
    token: $token
    identity: $identity
    connection: $connection
    event: $event
    data: $data
    ephemeral: $ephemeral
    idempotencyKey: $idempotencyKey
  ) {
    ...Receipt
  }
}` as Operation<PublishDirectMessageMutation, PublishDirectMessageMutationVariables>;

export const RestrictionsDocument = `fragment Restriction on Restriction {
  id
  kind
  channel
  token
  identity
  reason
  until
  createdAt
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}

query Restrictions($after: String, $channel: ID) {
  restrictions(first: 50, after: $after, channel: $channel) {
    nodes {
      ...Restriction
    }
    pageInfo {
      ...Page
    }
  }
}` as Operation<RestrictionsQuery, RestrictionsQueryVariables>;

export const RevocationsDocument = `fragment Page on PageInfo {
  endCursor
  hasNextPage
}

query Revocations($after: String) {
  revocations(first: 50, after: $after) {
    nodes {
      scope
      identity
      issuer
      issuedBefore
      createdAt
    }
    pageInfo {
      ...Page
    }
  }
}` as Operation<RevocationsQuery, RevocationsQueryVariables>;

export const MuteDocument =
  `mutation Mute($channel: ID, $token: ID, $identity: String, $until: DateTime, $reason: String) {
  mute(
    channel: $channel
    token: $token
    identity: $identity
    until: $until
    reason: $reason
  ) {
    id
  }
}` as Operation<MuteMutation, MuteMutationVariables>;

export const UnmuteDocument = `mutation Unmute($channel: ID, $token: ID, $identity: String) {
  unmute(channel: $channel, token: $token, identity: $identity) {
    id
  }
}` as Operation<UnmuteMutation, UnmuteMutationVariables>;

export const BanDocument =
  `mutation Ban($channel: ID!, $token: ID, $identity: String, $until: DateTime, $reason: String) {
  ban(
    channel: $channel
    token: $token
    identity: $identity
    until: $until
    reason: $reason
  ) {
    id
  }
}` as Operation<BanMutation, BanMutationVariables>;

export const UnbanDocument = `mutation Unban($channel: ID!, $token: ID, $identity: String) {
  unban(channel: $channel, token: $token, identity: $identity) {
    id
  }
}` as Operation<UnbanMutation, UnbanMutationVariables>;

export const RevokeTokensDocument =
  `mutation RevokeTokens($identity: String, $issuer: ID, $all: Boolean, $issuedBefore: DateTime) {
  revokeTokens(
    identity: $identity
    issuer: $issuer
    all: $all
    issuedBefore: $issuedBefore
  ) {
    connections
  }
}` as Operation<RevokeTokensMutation, RevokeTokensMutationVariables>;

export const RestoreTokensDocument = `mutation RestoreTokens($identity: String, $issuer: ID, $all: Boolean) {
  restoreTokens(identity: $identity, issuer: $issuer, all: $all) {
    createdAt
  }
}` as Operation<RestoreTokensMutation, RestoreTokensMutationVariables>;

export const StatsDocument = `query Stats($after: DateTime) {
  stats {
    at
    node
    project
    startedAt
    connections
    totals {
      ...Counts
    }
    store {
      databaseBytes
      walBytes
      messages
    }
    series(after: $after) {
      at
      connections
      counts {
        ...Counts
      }
      process {
        loopLagMs
      }
    }
  }
}

fragment Counts on StatsCounts {
  publishes
  deliveries
  replays
  gaps
  slowConsumers
  refusals {
    code
    count
  }
}` as Operation<StatsQuery, StatsQueryVariables>;

export const ProjectSettingsDocument = `fragment Settings on ProjectSettings {
  defaultLifetimeSeconds
  maxLifetimeSeconds
  expiryWarningSeconds
  expiryGraceSeconds
  guests
  guestSeconds
  anonymous
  developmentTokens
  emailIdentities
  publishersSignal
  permissions {
    kinds {
      name
      type
    }
    roles {
      name
      like
    }
    stated {
      kind
      role
      actions
    }
  }
}

query ProjectSettings {
  project {
    id
    name
    createdAt
    settings {
      ...Settings
    }
  }
}` as Operation<ProjectSettingsQuery, ProjectSettingsQueryVariables>;

export const ProjectsDocument = `fragment ProjectRow on Project {
  id
  name
  createdAt
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}

query Projects($after: String) {
  projects(first: 50, after: $after) {
    nodes {
      ...ProjectRow
    }
    pageInfo {
      ...Page
    }
  }
}` as Operation<ProjectsQuery, ProjectsQueryVariables>;

export const ApiKeysDocument = `fragment Key on ApiKey {
  id
  name
  canSign
  isOperator
  scopes
  channels
  createdAt
  expiresAt
  revokedAt
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}

query ApiKeys($after: String) {
  project {
    apiKeys(first: 50, after: $after) {
      nodes {
        ...Key
      }
      pageInfo {
        ...Page
      }
    }
  }
}` as Operation<ApiKeysQuery, ApiKeysQueryVariables>;

export const IssuersDocument = `fragment IssuerDetails on Issuer {
  id
  kind
  name
  account
  service
  createdAt
  keys {
    id
    createdAt
    expiresAt
  }
  provider {
    issuer
    url
    audiences
    algorithms
    claims {
      identity
      audience
      role
      grants
      connectionData
    }
  }
}

query Issuers {
  project {
    issuers {
      ...IssuerDetails
    }
  }
}` as Operation<IssuersQuery, IssuersQueryVariables>;

export const UpdateProjectDocument = `mutation UpdateProject($settings: ProjectSettingsInput!) {
  updateProject(settings: $settings) {
    id
  }
}` as Operation<UpdateProjectMutation, UpdateProjectMutationVariables>;

export const CreateProjectDocument = `mutation CreateProject($input: CreateProjectInput!) {
  createProject(input: $input) {
    project {
      id
    }
    secret
  }
}` as Operation<CreateProjectMutation, CreateProjectMutationVariables>;

export const CreateApiKeyDocument =
  `mutation CreateApiKey($project: ID, $name: String, $scopes: [ApiKeyScope!], $channels: String, $canSign: Boolean, $expiresAt: DateTime) {
  createApiKey(
    project: $project
    name: $name
    scopes: $scopes
    channels: $channels
    canSign: $canSign
    expiresAt: $expiresAt
  ) {
    apiKey {
      id
    }
    secret
  }
}` as Operation<CreateApiKeyMutation, CreateApiKeyMutationVariables>;

export const RotateApiKeyDocument = `mutation RotateApiKey($id: ID!, $overlapSeconds: Int!) {
  rotateApiKey(id: $id, overlapSeconds: $overlapSeconds) {
    apiKey {
      id
    }
    secret
  }
}` as Operation<RotateApiKeyMutation, RotateApiKeyMutationVariables>;

export const RevokeApiKeyDocument = `mutation RevokeApiKey($id: ID!) {
  revokeApiKey(id: $id) {
    id
  }
}` as Operation<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;

export const CreateIssuerDocument = `mutation CreateIssuer($input: CreateIssuerInput!) {
  createIssuer(input: $input) {
    id
  }
}` as Operation<CreateIssuerMutation, CreateIssuerMutationVariables>;

export const UpdateIssuerDocument = `mutation UpdateIssuer($issuer: ID!, $input: UpdateIssuerInput!) {
  updateIssuer(issuer: $issuer, input: $input) {
    id
  }
}` as Operation<UpdateIssuerMutation, UpdateIssuerMutationVariables>;

export const AddIssuerKeyDocument = `mutation AddIssuerKey($issuer: ID!, $key: IssuerKeyInput!) {
  addIssuerKey(issuer: $issuer, key: $key) {
    id
  }
}` as Operation<AddIssuerKeyMutation, AddIssuerKeyMutationVariables>;

export const RemoveIssuerKeyDocument =
  `mutation RemoveIssuerKey($issuer: ID!, $key: ID!, $overlapSeconds: Int!) {
  removeIssuerKey(issuer: $issuer, key: $key, overlapSeconds: $overlapSeconds) {
    id
  }
}` as Operation<RemoveIssuerKeyMutation, RemoveIssuerKeyMutationVariables>;

export const RemoveIssuerDocument = `mutation RemoveIssuer($issuer: ID!) {
  removeIssuer(issuer: $issuer) {
    id
  }
}` as Operation<RemoveIssuerMutation, RemoveIssuerMutationVariables>;

export const TryCredentialDocument = `query TryCredential {
  viewer {
    token {
      id
      identity
      role
      customRole
      expiresAt
    }
  }
}` as Operation<TryCredentialQuery, TryCredentialQueryVariables>;

export const RotateSigningKeyDocument = `mutation RotateSigningKey($overlapSeconds: Int!) {
  rotateSigningKey(overlapSeconds: $overlapSeconds)
}` as Operation<RotateSigningKeyMutation, RotateSigningKeyMutationVariables>;

export const ResealSecretsDocument = `mutation ResealSecrets {
  resealSecrets
}` as Operation<ResealSecretsMutation, ResealSecretsMutationVariables>;

export const WhoAmIDocument = `query WhoAmI {
  viewer {
    kind
    project
    apiKey {
      id
      name
      scopes
      channels
      isOperator
      expiresAt
    }
  }
}` as Operation<WhoAmIQuery, WhoAmIQueryVariables>;

export const TestClientDocument = `fragment MessageRow on Message {
  id
  cursor
  channel
  event
  data
  ordinal
  publishedAt
  sender {
    kind
    identity
    token
  }
}

fragment Restriction on Restriction {
  id
  kind
  channel
  token
  identity
  reason
  until
  createdAt
}

subscription TestClient($since: Cursor) {
  events(since: $since, presence: true) {
    __typename
    at
    ... on Connected {
      cursor
      connection {
        id
      }
      token {
        identity
      }
      channels {
        id
      }
    }
    ... on ChannelMessage {
      message {
        ...MessageRow
      }
    }
    ... on DirectMessage {
      message {
        ...MessageRow
      }
    }
    ... on ChannelAvailable {
      channel {
        id
      }
    }
    ... on ChannelUnavailable {
      channel {
        id
      }
      reason
    }
    ... on ChannelStateUpdated {
      channel {
        id
      }
    }
    ... on TokenExpiring {
      expiresAt
    }
    ... on Gap {
      reason
    }
    ... on Restricted {
      restriction {
        ...Restriction
      }
    }
    ... on RestrictionLifted {
      restriction {
        ...Restriction
      }
    }
    ... on PresenceChanged {
      presence {
        change
        channel
        member {
          id
          identity
        }
      }
    }
    ... on Disconnecting {
      reason
      note
    }
  }
}` as Operation<TestClientSubscription, TestClientSubscriptionVariables>;

export const TokensDocument = `fragment TokenRow on Token {
  id
  identity
  role
  customRole
  origin
  createdAt
  expiresAt
  revokedAt
  isOnline
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}

query Tokens($after: String, $identity: String, $online: Boolean) {
  tokens(first: 50, after: $after, identity: $identity, online: $online) {
    nodes {
      ...TokenRow
    }
    pageInfo {
      ...Page
    }
  }
}` as Operation<TokensQuery, TokensQueryVariables>;

export const TokenDetailsDocument = `fragment TokenRow on Token {
  id
  identity
  role
  customRole
  origin
  createdAt
  expiresAt
  revokedAt
  isOnline
}

fragment TokenDetails on Token {
  ...TokenRow
  issuer
  connectionData
  state
  grants {
    channels
    actions
    expiresAt
  }
  claimedGrants {
    channels
    actions
    expiresAt
  }
  connections {
    ...Member
  }
}

fragment Member on Connection {
  id
  token
  identity
  connectionData
  state
  transport
  connectedAt
}

query TokenDetails($id: ID!) {
  token(id: $id) {
    ...TokenDetails
  }
}` as Operation<TokenDetailsQuery, TokenDetailsQueryVariables>;

export const TokenRestrictionsDocument = `fragment Restriction on Restriction {
  id
  kind
  channel
  token
  identity
  reason
  until
  createdAt
}

query TokenRestrictions($token: ID!) {
  restrictions(token: $token, first: 100) {
    nodes {
      ...Restriction
    }
  }
}` as Operation<TokenRestrictionsQuery, TokenRestrictionsQueryVariables>;

export const TokenConnectionsDocument = `query TokenConnections($token: ID!) {
  connections(token: $token, first: 100) {
    nodes {
      channels
      connection {
        id
      }
    }
  }
}` as Operation<TokenConnectionsQuery, TokenConnectionsQueryVariables>;

export const TokenChannelsDocument = `fragment ChannelRow on Channel {
  id
  type
  kind
  version
  createdAt
  history {
    messages
    seconds
  }
}

fragment Page on PageInfo {
  endCursor
  hasNextPage
}

query TokenChannels($id: ID!, $after: String) {
  token(id: $id) {
    channels(first: 50, after: $after) {
      nodes {
        ...ChannelRow
      }
      pageInfo {
        ...Page
      }
    }
  }
}` as Operation<TokenChannelsQuery, TokenChannelsQueryVariables>;

export const CreateTokenDocument = `mutation CreateToken($input: CreateTokenInput) {
  createToken(input: $input) {
    token {
      id
      expiresAt
    }
    credential
    cursor
  }
}` as Operation<CreateTokenMutation, CreateTokenMutationVariables>;

export const CreateCredentialDocument = `mutation CreateCredential($token: ID!, $expiresIn: Int) {
  createCredential(token: $token, expiresIn: $expiresIn) {
    token {
      id
      expiresAt
    }
    credential
    cursor
  }
}` as Operation<CreateCredentialMutation, CreateCredentialMutationVariables>;

export const UpdateTokenDocument = `mutation UpdateToken($id: ID!, $input: UpdateTokenInput!) {
  updateToken(id: $id, input: $input) {
    id
  }
}` as Operation<UpdateTokenMutation, UpdateTokenMutationVariables>;

export const RevokeTokenDocument = `mutation RevokeToken($id: ID!) {
  revokeToken(id: $id) {
    id
    revokedAt
  }
}` as Operation<RevokeTokenMutation, RevokeTokenMutationVariables>;

export const SubscribeTokenDocument = `mutation SubscribeToken($channel: ID!, $token: ID!) {
  subscribeToken(channel: $channel, token: $token) {
    createdAt
  }
}` as Operation<SubscribeTokenMutation, SubscribeTokenMutationVariables>;

export const UnsubscribeTokenDocument = `mutation UnsubscribeToken($channel: ID!, $token: ID!) {
  unsubscribeToken(channel: $channel, token: $token) {
    createdAt
  }
}` as Operation<UnsubscribeTokenMutation, UnsubscribeTokenMutationVariables>;
