import { ERROR_CATALOGUE, type ErrorCode } from '../errors.ts';
import { CHANNEL_TYPES } from '../tokens/authorisation.ts';
import { ACTIONS, ROLES } from '../tokens/token.ts';
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
    MODERATOR: 'Moderates too: sets the state of channels.',
  }),
});

export const ActionEnum = builder.enumType('Action', {
  description: 'What can be done in a channel.',
  values: described(ACTIONS, {
    SUBSCRIBE: 'Hear its messages and read its history and state.',
    PUBLISH: 'Say something in it.',
    PRESENCE: 'See who is there.',
    MODERATE: 'Set its state.',
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
