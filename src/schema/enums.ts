import { API_KEY_SCOPES, type ApiKeyScope } from '../projects/api-key.ts';
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

/** Enum values with their descriptions; the types require a description for every value. */
export function described<Value extends string>(
  values: readonly Value[],
  descriptions: Record<Value, string>,
) {
  return Object.fromEntries(values.map((value) => [value, { description: descriptions[value] }])) as Record<
    Value,
    { description: string }
  >;
}

export const ChannelTypeEnum = builder.enumType('ChannelType', {
  description: 'Who may subscribe to a channel.',
  values: described(CHANNEL_TYPES, {
    UNPROTECTED: 'Every caller that knows its id, with or without a token.',
    PUBLIC: 'Every token of the project.',
    PRIVATE: 'Tokens with a membership in the channel.',
  }),
});

export const RoleEnum = builder.enumType('Role', {
  description:
    'The actions that a token may take, by type of channel. A PRIVATE channel also requires a membership, and grants narrow the actions.',
  values: described(ROLES, {
    GUEST: 'Subscribes to UNPROTECTED and PUBLIC channels and sees their presence.',
    SUBSCRIBER:
      'Subscribes to UNPROTECTED and PUBLIC channels, and to PRIVATE channels with a membership, and sees their presence.',
    PUBLISHER: 'Also publishes. The default role.',
    MODERATOR: 'Also moderates: sets the state of channels, mutes, bans and disconnects.',
  }),
});

export const ActionEnum = builder.enumType('Action', {
  description: 'An action that a caller can take in a channel.',
  values: described(ACTIONS, {
    SUBSCRIBE: 'Receive the messages of the channel, and read its history and state.',
    PUBLISH: 'Publish messages to the channel.',
    PRESENCE: 'See which connections are in the channel.',
    MODERATE: 'Set the state of the channel; mute, ban and disconnect its members.',
  }),
});

export const OriginEnum = builder.enumType('Origin', {
  description: 'How a token was created.',
  values: described(ORIGINS, {
    MINTED: 'By `createToken`.',
    SELF_MINTED: 'By the first use of a credential that an issuer of the project signed.',
    DEVELOPMENT: 'By the first use of an unsigned development token.',
    GUEST: 'By `createGuest`.',
  }),
});

export const IssuerKindEnum = builder.enumType('IssuerKind', {
  description: 'How the credentials of an issuer are signed, and how their claims are read.',
  values: described(ISSUER_KINDS, {
    SIGNALBOX:
      'A JWT (HS256, HS384, HS512) with the claims of Signalbox: `sub` is the identity; `role`, `grants`, `data`, `channels`, `iat`, `exp` and `nbf` are optional. `kid`, or else `iss`, names the key.',
    STREAM: 'User tokens of Stream Chat: HS256 with `user_id`, optionally `iat` and `exp`.',
    TWILIO:
      'Access tokens of Twilio with a Sync grant: HS256, HS384 or HS512; `iss` names the API key; valid for at most 24 hours.',
    OPENTOK:
      'Connection tokens of OpenTok, as `T1==…` or as a JWT (HS256). The session is a channel with the id of the session, created at the first use; valid for at most 30 days.',
    JWKS: 'JWTs of an OpenID provider, verified with the keys that the provider publishes.',
  }),
});

export const JwksAlgorithmEnum = builder.enumType('JwksAlgorithm', {
  description: 'An algorithm that a provider may sign with.',
  values: Object.fromEntries(
    JWKS_ALGORITHMS.map((algorithm) => [
      algorithm,
      { description: `${algorithm}, defined in ${algorithm === 'EdDSA' ? 'RFC 8037' : 'RFC 7518'}.` },
    ]),
  ) as Record<(typeof JWKS_ALGORITHMS)[number], { description: string }>,
});

export const RestrictionKindEnum = builder.enumType('RestrictionKind', {
  description: 'What a restriction takes away.',
  values: described(RESTRICTION_KINDS, {
    MUTE: 'The action PUBLISH.',
    BAN: 'All actions: SUBSCRIBE, PUBLISH, PRESENCE and MODERATE.',
  }),
});

export const RevocationScopeEnum = builder.enumType('RevocationScope', {
  description: 'Which tokens a revocation applies to.',
  values: described(REVOCATION_SCOPES, {
    PROJECT: 'All tokens of the project.',
    IDENTITY: 'The credentials of an identity.',
    ISSUER: 'The credentials of an issuer, or of the tokens that an API key created or signed.',
  }),
});

export const LifetimePresetEnum = builder.enumType('LifetimePreset', {
  description: 'The token lifetimes of another vendor.',
  values: described(Object.keys(LIFETIME_PRESETS) as LifetimePreset[], {
    STREAM: 'Tokens without an expiry never expire.',
    TWILIO: 'Tokens without an expiry live one hour; the maximum is 24 hours.',
    OPENTOK: 'Tokens without an expiry live 24 hours; the maximum is 30 days.',
  }),
});

export const ApiKeyScopeEnum = builder.enumType('ApiKeyScope', {
  description: 'What an API key may do.',
  values: described(Object.keys(API_KEY_SCOPES) as ApiKeyScope[], API_KEY_SCOPES),
});

export const PermissionRuleEnum = builder.enumType('PermissionRule', {
  description: `The rules that decide whether an action is allowed, checked in the order ${EXPLANATION_RULES.slice(0, -1).join(', ')}. The first rule that refuses decides; ALLOWED means that none refused.`,
  values: described(EXPLANATION_RULES, {
    NO_CHANNEL: 'The channel does not exist.',
    TOKEN_ENDED: 'The token has expired or was revoked.',
    API_KEY: 'The scopes and channels of the API key decide.',
    ANONYMOUS: 'The project decides which actions callers without a credential may take.',
    BANNED: 'The token is banned from the channel.',
    ROLE: 'The permission matrix of the project decides which actions the role may take in channels of this kind.',
    MEMBERSHIP: 'Only members may take actions in a PRIVATE channel.',
    GRANTS: 'The grants of the token and the grants of its credential narrow its role.',
    MUTED: 'The token is muted.',
    ALLOWED: 'No rule refused the action.',
  }),
});

export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description:
    'The values of `extensions.code` in an error. `extensions.retryable` tells whether the same request may succeed later.',
  values: described(
    Object.keys(ERROR_CATALOGUE) as ErrorCode[],
    Object.fromEntries(
      Object.entries(ERROR_CATALOGUE).map(([code, { meaning }]) => [code, meaning]),
    ) as Record<ErrorCode, string>,
  ),
});
