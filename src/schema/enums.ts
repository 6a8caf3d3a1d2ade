import { ERROR_CATALOGUE, type ErrorCode } from '../errors.ts';
import { CHANNEL_TYPES } from '../projects/permissions.ts';
import { ISSUER_KINDS, JWKS_ALGORITHMS } from '../tokens/issuers/issuer.ts';
import { EXPLANATION_RULES } from '../channels/explain.ts';
import { LIFETIME_PRESETS, type LifetimePreset } from '../projects/project-settings.ts';
import { RESTRICTION_KINDS } from '../tokens/restriction.ts';
import { REVOCATION_SCOPES } from '../tokens/revocation.ts';
import { ORIGINS } from '../tokens/token.ts';
import { ACTIONS, ROLES } from '../projects/permissions.ts';
import { builder } from './builder.ts';

/** Values with their descriptions, complete by type. */
function described<Value extends string>(values: readonly Value[], descriptions: Record<Value, string>) {
  return Object.fromEntries(values.map((value) => [value, { description: descriptions[value] }])) as Record<
    Value,
    { description: string }
  >;
}

export const ChannelTypeEnum = builder.enumType('ChannelType', {
  description: 'Who may enter a channel.',
  values: described(CHANNEL_TYPES, {
    UNPROTECTED: 'Anyone who knows its id, with or without a token.',
    PUBLIC: 'Any token of the project.',
    PRIVATE: 'Tokens that were subscribed to it.',
  }),
});

export const RoleEnum = builder.enumType('Role', {
  description: 'What a token may do in the channels that it may enter. Grants narrow it.',
  values: described(ROLES, {
    GUEST: 'Hears UNPROTECTED and PUBLIC channels, and sees who is there.',
    SUBSCRIBER: 'Hears every channel that it may enter, and sees who is there.',
    PUBLISHER: 'Speaks too. The default.',
    MODERATOR: 'Moderates too: sets the state of channels, mutes, bans and disconnects.',
  }),
});

export const ActionEnum = builder.enumType('Action', {
  description: 'What can be done in a channel.',
  values: described(ACTIONS, {
    SUBSCRIBE: 'Hear its messages and read its history and state.',
    PUBLISH: 'Say something in it.',
    PRESENCE: 'See who is there.',
    MODERATE: 'Set its state; mute, ban and disconnect who is there.',
  }),
});

export const OriginEnum = builder.enumType('Origin', {
  description: 'How a token came to be.',
  values: described(ORIGINS, {
    MINTED: 'By `createToken`.',
    SELF_MINTED: 'By the first use of a credential that an issuer of the project signed.',
    DEVELOPMENT: 'By the first use of an unsigned development token.',
    GUEST: 'By `createGuest`.',
  }),
});

export const IssuerKindEnum = builder.enumType('IssuerKind', {
  description: 'How the credentials of an issuer are signed, and how its claims are read.',
  values: described(ISSUER_KINDS, {
    SIGNALBOX:
      'A JWT (HS256, HS384, HS512) in our own words: `sub` is the identity; `role`, `grants`, `data`, `channels`, `iat`, `exp` and `nbf` are optional. `kid`, or else `iss`, names the key.',
    STREAM: 'Stream Chat’s user tokens: HS256, `user_id`, optionally `iat` and `exp`.',
    TWILIO:
      'Twilio’s access tokens with a Sync grant: HS256, HS384, HS512; `iss` names the API key; they live at most 24 hours.',
    OPENTOK:
      'OpenTok’s connection tokens, as `T1==…` and as JWT (HS256): the session is a channel of that name, made at first use; they live at most 30 days.',
    JWKS: 'JWTs of any OpenID provider, verified with the keys that it publishes.',
  }),
});

export const JwksAlgorithmEnum = builder.enumType('JwksAlgorithm', {
  description: 'How a provider may sign.',
  values: Object.fromEntries(
    JWKS_ALGORITHMS.map((algorithm) => [
      algorithm,
      { description: `${algorithm}, of RFC 7518 or RFC 8037.` },
    ]),
  ) as Record<(typeof JWKS_ALGORITHMS)[number], { description: string }>,
});

export const RestrictionKindEnum = builder.enumType('RestrictionKind', {
  description: 'What a restriction takes away.',
  values: described(RESTRICTION_KINDS, {
    MUTE: 'Saying something.',
    BAN: 'Everything: hearing, speaking, seeing who is there.',
  }),
});

export const RevocationScopeEnum = builder.enumType('RevocationScope', {
  description: 'What a revocation of many is about.',
  values: described(REVOCATION_SCOPES, {
    PROJECT: 'All tokens of the project.',
    IDENTITY: 'All tokens of an identity.',
    ISSUER: 'All tokens of an issuer, or of an API key: what it signed and what it had minted.',
  }),
});

export const LifetimePresetEnum = builder.enumType('LifetimePreset', {
  description: 'How long tokens live with the systems that teams come from.',
  values: described(Object.keys(LIFETIME_PRESETS) as LifetimePreset[], {
    STREAM: 'For ever, unless they say otherwise.',
    TWILIO: 'An hour unless they say otherwise, 24 hours at most.',
    OPENTOK: '24 hours unless they say otherwise, 30 days at most.',
  }),
});

export const PermissionRuleEnum = builder.enumType('PermissionRule', {
  description:
    'What decides whether something is allowed. They are asked in this order; the first that refuses decides.',
  values: described(EXPLANATION_RULES, {
    NO_CHANNEL: 'There is no such channel.',
    TOKEN_ENDED: 'The token has expired or was revoked.',
    API_KEY: 'An API key may do everything in its project.',
    ANONYMOUS: 'What the project lets callers do who have no credential.',
    BANNED: 'The token is banned from the channel.',
    ROLE: 'What the matrix of the project lets its role do in channels of that kind.',
    MEMBERSHIP: 'In PRIVATE channels only members may do something.',
    GRANTS: 'The grants of the token, and those of its credential, narrow its role.',
    MUTED: 'The token is muted.',
    ALLOWED: 'None of them refuses.',
  }),
});

export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description:
    'What `extensions.code` of an error can be. `extensions.retryable` says whether the same request may succeed later.',
  values: described(
    Object.keys(ERROR_CATALOGUE) as ErrorCode[],
    Object.fromEntries(
      Object.entries(ERROR_CATALOGUE).map(([code, { meaning }]) => [code, meaning]),
    ) as Record<ErrorCode, string>,
  ),
});
