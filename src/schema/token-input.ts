import { describeName, MAX_TEXT_LENGTH } from '../names.ts';
import { builder } from './builder.ts';
import { ActionEnum, RoleEnum } from './enums.ts';

const GrantInput = builder.inputType('GrantInput', {
  description: 'A channel pattern and the actions to allow in matching channels.',
  fields: (t) => ({
    channels: t.string({
      required: true,
      description:
        'A channel id in which `*` matches any characters between two colons, for example `room:*`; at most one `*` in each part.',
    }),
    actions: t.field({ type: [ActionEnum], required: true, description: 'The actions to allow.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When the grant expires; absent: never.' }),
  }),
});

const EXPIRES_IN =
  'The lifetime in seconds from now, at most the maximum lifetime of the project and 100 years. Mutually exclusive with `expiresAt`.';
const CUSTOM_ROLE = 'The name of a custom role. Mutually exclusive with `role`.';
const CONNECTION_DATA = `Data about the token that other callers see: at most ${MAX_TEXT_LENGTH} characters.`;

export const CreateTokenInput = builder.inputType('CreateTokenInput', {
  description: 'Input of createToken; all fields are optional.',
  fields: (t) => ({
    identity: t.string({ description: `The user that the token belongs to. ${describeName('identity')}.` }),
    role: t.field({ type: RoleEnum, description: 'The role; PUBLISHER by default.' }),
    customRole: t.string({ description: CUSTOM_ROLE }),
    grants: t.field({
      type: [GrantInput],
      description: 'Grants that narrow the role; absent: the role is not narrowed. At most 100 by default.',
    }),
    connectionData: t.string({ description: CONNECTION_DATA }),
    state: t.field({
      type: 'JSON',
      description:
        'A JSON document about the token, at most 16 KiB by default. API keys and the token’s own client can read it: store no secrets.',
    }),
    expiresIn: t.int({ description: EXPIRES_IN }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'When the token expires. If `expiresIn` is absent as well, the `defaultLifetimeSeconds` of the project applies, else its `maxLifetimeSeconds`; without either, the token never expires.',
    }),
    channels: t.idList({
      description: 'Channels to subscribe the token to. If one of them fails, no token is created.',
    }),
  }),
});

export const UpdateTokenInput = builder.inputType('UpdateTokenInput', {
  description: 'Input of updateToken; absent fields stay unchanged.',
  fields: (t) => ({
    role: t.field({ type: RoleEnum, description: 'The new role.' }),
    customRole: t.string({ description: CUSTOM_ROLE }),
    grants: t.field({ type: [GrantInput], description: 'The new grants; null: the role is not narrowed.' }),
    connectionData: t.string({ description: `${CONNECTION_DATA} Null: none.` }),
    state: t.field({ type: 'JSON', description: 'The new state: at most 16 KiB of JSON by default.' }),
    expiresIn: t.int({ description: EXPIRES_IN }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When the token expires; null: never. Existing credentials keep their own expiry.',
    }),
  }),
});
