import {
  ACTIONS,
  type ChannelKind,
  type CustomRole,
  type Permission,
  type Permissions,
} from '../projects/permissions.ts';
import {
  LIFETIME_PRESETS,
  MAX_KINDS,
  MAX_PERMISSIONS,
  MAX_ROLES,
  SETTING_RANGES,
  type ProjectSettings,
  type SettingsChange,
} from '../projects/project-settings.ts';
import { badInput } from '../errors.ts';
import { describeName } from '../names.ts';
import { requireApiKey } from '../tokens/caller.ts';
import { requireSettings } from '../projects/project.ts';
import { audit } from './audit.ts';
import { builder } from './builder.ts';
import { ActionEnum, ChannelTypeEnum, LifetimePresetEnum, RoleEnum } from './enums.ts';
import { ProjectRef } from './project.ts';

const range = (name: keyof typeof SETTING_RANGES) =>
  `${SETTING_RANGES[name].min}–${SETTING_RANGES[name].max.toLocaleString('en')} seconds`;

/** The description of each setting, for the output and the input type. */
const ABOUT = {
  developmentTokens:
    'Whether unsigned credentials are accepted, so that any client can claim any identity. For development only; off by default.',
  guests: 'Whether any caller may use `createGuest`. Off by default in production.',
  guestSeconds: `The lifetime of a guest: ${range('guestSeconds')}, one hour by default.`,
  anonymous:
    'Whether callers without a credential may subscribe to UNPROTECTED channels. Off by default in production.',
  emailIdentities:
    'Whether identities may contain `@` and `+`, as e-mail addresses do. Off by default; identities of STREAM and JWKS issuers may always contain them.',
  publishersSignal:
    'Whether tokens that may PUBLISH in a channel may use `publishDirectMessage` to a connection in that channel. Off by default.',
  defaultLifetimeSeconds: `The lifetime of a token that does not state one: ${range('defaultLifetimeSeconds')}; null, the default: unlimited.`,
  maxLifetimeSeconds: `The maximum lifetime of a token: ${range('maxLifetimeSeconds')}; null, the default: unlimited. Existing tokens keep their expiry.`,
  expiryWarningSeconds: `How long before the expiry of its token a connection receives \`TokenExpiring\`: ${range('expiryWarningSeconds')}; 0: never; null, the default: the setting of the service, 180 seconds.`,
  expiryGraceSeconds: `How long a live connection stays open after its token has expired, so that a renewal may be late: ${range('expiryGraceSeconds')}, 0 by default. New connections with an expired token are always refused.`,
  permissions: 'The permission matrix: the actions of each role in each kind of channel.',
} satisfies Record<keyof ProjectSettings, string>;

const CustomRoleRef = builder.objectRef<CustomRole>('CustomRole').implement({
  description: 'A custom role of the project.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name.' }),
    like: t.expose('like', {
      type: RoleEnum,
      description:
        'The built-in role whose permissions apply where the matrix has no entry for the custom role.',
    }),
  }),
});

const ChannelKindRef = builder.objectRef<ChannelKind>('ChannelKind').implement({
  description: 'A custom kind of channel.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name.' }),
    type: t.expose('type', {
      type: ChannelTypeEnum,
      description: 'The channel type, which determines who may subscribe.',
    }),
  }),
});

const PermissionRef = builder.objectRef<Permission>('Permission').implement({
  description: 'The actions that a role may take in channels of a kind.',
  fields: (t) => ({
    role: t.exposeString('role', { description: 'A role of the project, or ANONYMOUS.' }),
    kind: t.exposeString('kind', { description: 'A channel type or a custom kind.' }),
    actions: t.expose('actions', { type: [ActionEnum], description: 'The allowed actions.' }),
  }),
});

const PermissionsRef = builder.objectRef<Permissions>('Permissions').implement({
  description:
    'The permission matrix: role × kind of channel → actions. A custom role or kind without an entry inherits the entry of its built-in role or type. Defaults: GUESTs subscribe to UNPROTECTED and PUBLIC channels, SUBSCRIBERs subscribe to every channel that is open to them, PUBLISHERs also publish, MODERATORs also moderate, and anonymous callers subscribe to UNPROTECTED channels.',
  fields: (t) => ({
    roles: t.expose('roles', { type: [CustomRoleRef], description: 'The custom roles.' }),
    kinds: t.expose('kinds', { type: [ChannelKindRef], description: 'The custom kinds of channels.' }),
    stated: t.expose('stated', {
      type: [PermissionRef],
      description: 'The entries that differ from the defaults.',
    }),
  }),
});

const ProjectSettingsRef = builder.objectRef<ProjectSettings>('ProjectSettings').implement({
  description: 'The settings of a project.',
  fields: (t) => ({
    developmentTokens: t.exposeBoolean('developmentTokens', { description: ABOUT.developmentTokens }),
    guests: t.exposeBoolean('guests', { description: ABOUT.guests }),
    guestSeconds: t.exposeInt('guestSeconds', { description: ABOUT.guestSeconds }),
    anonymous: t.exposeBoolean('anonymous', { description: ABOUT.anonymous }),
    emailIdentities: t.exposeBoolean('emailIdentities', { description: ABOUT.emailIdentities }),
    publishersSignal: t.exposeBoolean('publishersSignal', { description: ABOUT.publishersSignal }),
    defaultLifetimeSeconds: t.exposeFloat('defaultLifetimeSeconds', {
      nullable: true,
      description: ABOUT.defaultLifetimeSeconds,
    }),
    maxLifetimeSeconds: t.exposeFloat('maxLifetimeSeconds', {
      nullable: true,
      description: ABOUT.maxLifetimeSeconds,
    }),
    expiryWarningSeconds: t.exposeInt('expiryWarningSeconds', {
      nullable: true,
      description: ABOUT.expiryWarningSeconds,
    }),
    expiryGraceSeconds: t.exposeInt('expiryGraceSeconds', { description: ABOUT.expiryGraceSeconds }),
    permissions: t.expose('permissions', { type: PermissionsRef, description: ABOUT.permissions }),
  }),
});

builder.objectField(ProjectRef, 'settings', (t) =>
  t.field({
    type: ProjectSettingsRef,
    nullable: true,
    description: 'The settings of the project. Throws UNAVAILABLE when the stored settings are damaged.',
    resolve: requireSettings,
  }),
);

const CustomRoleInput = builder.inputType('CustomRoleInput', {
  description: 'A custom role of the project.',
  fields: (t) => ({
    name: t.string({ required: true, description: `The name. ${describeName('role')}.` }),
    like: t.field({
      type: RoleEnum,
      required: true,
      description:
        'The built-in role whose permissions apply where the matrix has no entry for the custom role.',
    }),
  }),
});

const ChannelKindInput = builder.inputType('ChannelKindInput', {
  description: 'A custom kind of channel.',
  fields: (t) => ({
    name: t.string({ required: true, description: `The name. ${describeName('role')}.` }),
    type: t.field({
      type: ChannelTypeEnum,
      required: true,
      description: 'The channel type, which determines who may subscribe.',
    }),
  }),
});

const PermissionInput = builder.inputType('PermissionInput', {
  description: 'The actions that a role may take in channels of a kind. Replaces the default.',
  fields: (t) => ({
    role: t.string({ required: true, description: 'A role of the project, or ANONYMOUS.' }),
    kind: t.string({ required: true, description: 'UNPROTECTED, PUBLIC, PRIVATE or a custom kind.' }),
    actions: t.field({
      type: [ActionEnum],
      required: true,
      description: `Any of ${ACTIONS.join(', ')}. Anonymous callers may be allowed SUBSCRIBE and PRESENCE in UNPROTECTED channels only.`,
    }),
  }),
});

const PermissionsInput = builder.inputType('PermissionsInput', {
  description:
    'Changes of the permission matrix. Each list replaces the stored one as a whole; absent lists stay unchanged. See `Permissions`.',
  fields: (t) => ({
    roles: t.field({ type: [CustomRoleInput], description: `The custom roles, at most ${MAX_ROLES}.` }),
    kinds: t.field({
      type: [ChannelKindInput],
      description: `The custom kinds of channels, at most ${MAX_KINDS}. A kind that channels use cannot be removed.`,
    }),
    stated: t.field({
      type: [PermissionInput],
      description: `The entries that differ from the defaults, at most ${MAX_PERMISSIONS}.`,
    }),
  }),
});

const ProjectSettingsInput = builder.inputType('ProjectSettingsInput', {
  description: 'Input of updateProject; absent fields stay unchanged.',
  fields: (t) => ({
    developmentTokens: t.boolean({ description: ABOUT.developmentTokens }),
    guests: t.boolean({ description: ABOUT.guests }),
    guestSeconds: t.int({ description: ABOUT.guestSeconds }),
    anonymous: t.boolean({ description: ABOUT.anonymous }),
    emailIdentities: t.boolean({ description: ABOUT.emailIdentities }),
    publishersSignal: t.boolean({ description: ABOUT.publishersSignal }),
    lifetimes: t.field({
      type: LifetimePresetEnum,
      description:
        'Sets both lifetimes to those of another vendor. Mutually exclusive with `defaultLifetimeSeconds` and `maxLifetimeSeconds`.',
    }),
    defaultLifetimeSeconds: t.float({ description: ABOUT.defaultLifetimeSeconds }),
    maxLifetimeSeconds: t.float({ description: ABOUT.maxLifetimeSeconds }),
    expiryWarningSeconds: t.int({ description: ABOUT.expiryWarningSeconds }),
    expiryGraceSeconds: t.int({ description: ABOUT.expiryGraceSeconds }),
    permissions: t.field({ type: PermissionsInput, description: ABOUT.permissions }),
  }),
});

builder.mutationFields((t) => ({
  updateProject: t.field({
    type: ProjectRef,
    description:
      'Changes the settings of the project of the calling API key. The change applies to live connections before the mutation returns. Throws BAD_USER_INPUT, CONFLICT when a removed kind is still used by channels, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      settings: t.arg({ type: ProjectSettingsInput, required: true, description: 'The settings to change.' }),
    },
    async resolve(_, { settings }, { caller, domain }) {
      requireApiKey(caller, 'ADMIN');
      const project = await domain.projects.update(caller.projectId, toChange(settings));
      audit({ caller, domain }, 'project.update');
      return project;
    },
  }),
}));

/** Null is a value of the lifetimes and of the warning; elsewhere null means absent. */
function toChange({
  lifetimes,
  permissions,
  ...settings
}: typeof ProjectSettingsInput.$inferInput): SettingsChange {
  if (
    lifetimes &&
    (settings.defaultLifetimeSeconds !== undefined || settings.maxLifetimeSeconds !== undefined)
  )
    throw badInput(
      'settings.lifetimes',
      'is mutually exclusive with defaultLifetimeSeconds and maxLifetimeSeconds.',
    );
  const nullable = new Set(['defaultLifetimeSeconds', 'maxLifetimeSeconds', 'expiryWarningSeconds']);
  const stated = Object.entries(settings).filter(
    ([name, value]) => value !== undefined && (value !== null || nullable.has(name)),
  );
  return {
    ...(Object.fromEntries(stated) as Partial<ProjectSettings>),
    ...(lifetimes && LIFETIME_PRESETS[lifetimes]),
    ...(permissions && {
      permissions: {
        ...(permissions.roles && { roles: permissions.roles }),
        ...(permissions.kinds && { kinds: permissions.kinds }),
        ...(permissions.stated && { stated: permissions.stated }),
      },
    }),
  };
}
