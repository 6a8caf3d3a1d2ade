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

/** Who may subscribe to a channel. */
export type ChannelType =
  /** Tokens with a membership of the channel. */
  | 'PRIVATE'
  /** Every token of the project. */
  | 'PUBLIC'
  /** Every caller that knows its id, with or without a token. */
  | 'UNPROTECTED';

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

/** Input of createToken; all fields are optional. */
export type CreateTokenInput = {
  /** Channels to subscribe the token to. If one of them fails, no token is created. */
  channels?: Array<string> | null | undefined;
  /** Data about the token that other callers see: at most 1000 characters. */
  connectionData?: string | null | undefined;
  /** The name of a custom role. Mutually exclusive with `role`. */
  customRole?: string | null | undefined;
  /** When the token expires. When `expiresIn` is absent, too: the default lifetime of the project, unlimited by default. */
  expiresAt?: string | null | undefined;
  /** The lifetime in seconds from now, at most the maximum lifetime of the project and 100 years. Mutually exclusive with `expiresAt`. */
  expiresIn?: number | null | undefined;
  /** Grants that narrow the role; absent: the role is not narrowed. At most 100 by default. */
  grants?: Array<GrantInput> | null | undefined;
  /** The user that the token belongs to. 1–255 characters: letters, digits and _ . | ~ - (also @ and + with emailIdentities). */
  identity?: string | null | undefined;
  /** The role; PUBLISHER by default. */
  role?: Role | null | undefined;
  /** Notes of the backend: at most 16 KiB of JSON by default. */
  state?: unknown;
};

/** The values of `extensions.code` in an error. `extensions.retryable` tells whether the same request may succeed later. */
export type ErrorCode =
  /** An argument is malformed or out of range; `field` names the argument, if there is one. */
  | 'BAD_USER_INPUT'
  /** The object already exists, its version differs from `ifVersion`, or the idempotency key was used for a different message. */
  | 'CONFLICT'
  /** The caller is authenticated, but its role, grants or memberships do not allow this. */
  | 'FORBIDDEN'
  /** The document is not valid GraphQL syntax. */
  | 'GRAPHQL_PARSE_FAILED'
  /** The document does not match the schema. */
  | 'GRAPHQL_VALIDATION_FAILED'
  /** An unexpected error in the service; its log has the details under `errorId`. */
  | 'INTERNAL_SERVER_ERROR'
  /** A limit is reached: open operations, connections, memberships or names in one call. `limit` is its value. */
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
  /** The token was revoked by its backend. */
  | 'TOKEN_REVOKED'
  /** The credential or API key is missing, malformed, unknown or signed by an untrusted key. */
  | 'UNAUTHENTICATED'
  /** The service is starting, draining or cannot write. Nothing was changed; try again. */
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

/** How a token was created. */
export type Origin =
  /** By the first use of an unsigned development token. */
  | 'DEVELOPMENT'
  /** By `createGuest`. */
  | 'GUEST'
  /** By `createToken`. */
  | 'MINTED'
  /** By the first use of a credential that an issuer of the project signed. Its backend mints credentials itself. */
  | 'SELF_MINTED';

/** What a restriction takes away. */
export type RestrictionKind =
  /** All actions: SUBSCRIBE, PUBLISH, PRESENCE and MODERATE. */
  | 'BAN'
  /** The action PUBLISH. */
  | 'MUTE';

/** Which tokens a revocation applies to. */
export type RevocationScope =
  /** All tokens of an identity. */
  | 'IDENTITY'
  /** All tokens of an issuer or of an API key: those it signed and those it minted. */
  | 'ISSUER'
  /** All tokens of the project. */
  | 'PROJECT';

/** The actions that a token may take in the channels that are open to it. Grants narrow them. */
export type Role =
  /** Subscribes to UNPROTECTED and PUBLIC channels and sees their presence. */
  | 'GUEST'
  /** Also moderates: sets the state of channels, mutes, bans and disconnects. */
  | 'MODERATOR'
  /** Also publishes. The default role. */
  | 'PUBLISHER'
  /** Subscribes to every channel that is open to the token and sees its presence. */
  | 'SUBSCRIBER';

/** The kind of caller that published a message. */
export type SenderKind =
  /** A backend, with an API key. */
  | 'API_KEY'
  /** A client, with a token. */
  | 'TOKEN';

/** Input of updateChannel; absent fields stay unchanged. */
export type UpdateChannelInput = {
  /** The new history policy. */
  history?: HistoryPolicyInput | null | undefined;
  /** Whether a channel that becomes PRIVATE keeps the tokens that subscribed themselves. False by default: their memberships end, and `Channel.membersLeft` counts them. Tokens that an API key or a credential subscribed always stay. */
  keepMembers?: boolean | null | undefined;
  /** The name of a custom kind, which determines the type; see `ProjectSettings.permissions`. Mutually exclusive with `type`. */
  kind?: string | null | undefined;
  /** The new type. Subscriptions that the new type does not allow end at once. Removes a custom kind. */
  type?: ChannelType | null | undefined;
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
  /** The new notes. */
  state?: unknown;
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
    membersLeft: number | null;
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

export const CreateChannelDocument =
  'mutation CreateChannel($input:CreateChannelInput!){createChannel(input:$input){...Channel}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
    CreateChannelMutation,
    CreateChannelMutationVariables
  >;

export const UpdateChannelDocument =
  'mutation UpdateChannel($id:ID!$input:UpdateChannelInput!){updateChannel(id:$id input:$input){...Channel membersLeft}}fragment Channel on Channel{id type kind state version history{messages seconds}createdAt}' as Operation<
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
