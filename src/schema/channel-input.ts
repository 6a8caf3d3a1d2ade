import { describeName } from '../names.ts';
import { builder } from './builder.ts';
import { ChannelTypeEnum } from './enums.ts';

const HistoryPolicyInput = builder.inputType('HistoryPolicyInput', {
  description: 'How many messages of a channel to keep. The limits of the service always apply.',
  fields: (t) => ({
    messages: t.int({
      description:
        'The number of newest messages to keep: 0–10,000 by default, 0 keeps none. Null: the limit of the service.',
    }),
    seconds: t.int({
      description:
        'The maximum age of a message in seconds: 0–604,800 by default. Null: the limit of the service.',
    }),
  }),
});

const KIND =
  'The name of a custom kind, which determines the type; see `ProjectSettings.permissions`. Mutually exclusive with `type`.';

export const CreateChannelInput = builder.inputType('CreateChannelInput', {
  description: 'Input of createChannel; all fields are optional.',
  fields: (t) => ({
    id: t.id({ description: `The id of the channel. ${describeName('channel')}. Generated when absent.` }),
    type: t.field({
      type: ChannelTypeEnum,
      description: 'Who may subscribe to the channel; PRIVATE by default.',
    }),
    kind: t.string({ description: KIND }),
    state: t.field({
      type: 'JSON',
      description: 'The initial state: at most 16 KiB of JSON by default; `{}` when absent.',
    }),
    history: t.field({
      type: HistoryPolicyInput,
      description: 'How many messages to keep; absent: the limits of the service.',
    }),
  }),
});

export const UpdateChannelInput = builder.inputType('UpdateChannelInput', {
  description: 'Input of updateChannel; absent fields stay unchanged.',
  fields: (t) => ({
    type: t.field({
      type: ChannelTypeEnum,
      description:
        'The new type. Subscriptions that the new type does not allow end at once. Removes a custom kind.',
    }),
    kind: t.string({ description: KIND }),
    keepMemberships: t.boolean({
      description:
        'Whether a channel that becomes PRIVATE keeps the tokens that subscribed themselves. False by default: their memberships end, and `Channel.endedMemberships` counts them. Tokens that an API key or a credential subscribed always stay.',
    }),
    history: t.field({ type: HistoryPolicyInput, description: 'The new history policy.' }),
  }),
});
