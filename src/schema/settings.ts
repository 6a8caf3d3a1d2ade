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
} from '../projects/project-settings.ts';
import { badInput } from '../errors.ts';
import { describeName } from '../names.ts';
import { actorOf, requireApiKey } from '../tokens/caller.ts';
import { builder, nullToUndefined } from './builder.ts';
import { ActionEnum, ChannelTypeEnum, LifetimePresetEnum, RoleEnum } from './enums.ts';
import { ProjectRef } from './project.ts';

const range = (name: keyof typeof SETTING_RANGES) =>
  `${SETTING_RANGES[name].min}–${SETTING_RANGES[name].max.toLocaleString('en')} seconds`;

/** What each setting means, once for reading and writing. */
const ABOUT = {
  developmentTokens:
    'Whether unsigned credentials are accepted: anybody can be anybody. For development; off by default.',
  guests: 'Whether anyone may `createGuest`. Off by default in production.',
  guestSeconds: `How long a guest lives: ${range('guestSeconds')}, an hour by default.`,
  anonymous: 'Whether callers without a credential hear UNPROTECTED channels. Off by default in production.',
  emailIdentities:
    'Whether identities may contain `@` and `+`, as e-mail addresses do. Off by default; what STREAM and JWKS issuers name may always.',
  publishersSignal:
    'Whether tokens that may PUBLISH in a channel may say something to one connection there, with `publishDirectMessage`. Off by default.',
  defaultLifetimeSeconds: `How long a token lives of which nothing is said: ${range('defaultLifetimeSeconds')}; null, the default: for ever.`,
  maxLifetimeSeconds: `How long a token may live: ${range('maxLifetimeSeconds')}; null, the default: for ever. Tokens made before keep their end.`,
  expiryWarningSeconds: `How long before its end a token is told \`TokenExpiring\`: ${range('expiryWarningSeconds')}, 0 never; null, the default: as the service is set, 180 seconds.`,
  expiryGraceSeconds: `How long a live connection goes on after its token has expired, so that a refresh may be late: ${range('expiryGraceSeconds')}, 0 by default. New connections are refused all the same.`,
  permissions: 'The matrix of roles and kinds of channels.',
} satisfies Record<keyof ProjectSettings, string>;

const CustomRoleRef = builder.objectRef<CustomRole>('CustomRole').implement({
  description: 'A role of the project’s own.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    like: t.expose('like', {
      type: RoleEnum,
      description: 'What it may where the matrix states nothing for it.',
    }),
  }),
});

const ChannelKindRef = builder.objectRef<ChannelKind>('ChannelKind').implement({
  description: 'A kind of channel of the project’s own.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    type: t.expose('type', { type: ChannelTypeEnum, description: 'Who may enter.' }),
  }),
});

const PermissionRef = builder.objectRef<Permission>('Permission').implement({
  description: 'What a role may do in channels of a kind.',
  fields: (t) => ({
    role: t.exposeString('role', { description: 'A role, or ANONYMOUS.' }),
    kind: t.exposeString('kind', { description: 'A type or kind of channel.' }),
    actions: t.expose('actions', { type: [ActionEnum], description: 'What it may.' }),
  }),
});

const PermissionsRef = builder.objectRef<Permissions>('Permissions').implement({
  description:
    'The matrix: role × kind of channel → actions. Where it states nothing for a custom role or kind, what it states for the role or type that they are like holds; where it states nothing at all: GUESTs hear UNPROTECTED and PUBLIC channels, SUBSCRIBERs hear every channel that they may enter, PUBLISHERs also speak, MODERATORs also moderate, and anonymous callers hear what is UNPROTECTED.',
  fields: (t) => ({
    roles: t.expose('roles', { type: [CustomRoleRef], description: 'Roles of the project’s own.' }),
    kinds: t.expose('kinds', { type: [ChannelKindRef], description: 'Kinds of channels of its own.' }),
    stated: t.expose('stated', { type: [PermissionRef], description: 'What differs from the defaults.' }),
  }),
});

const ProjectSettingsRef = builder.objectRef<ProjectSettings>('ProjectSettings').implement({
  description: 'What a project decides for itself.',
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
  t.expose('settings', { type: ProjectSettingsRef, description: 'What it decides for itself.' }),
);

const CustomRoleInput = builder.inputType('CustomRoleInput', {
  description: 'A role of the project’s own.',
  fields: (t) => ({
    name: t.string({ required: true, description: `Its name. ${describeName('role')}.` }),
    like: t.field({
      type: RoleEnum,
      required: true,
      description: 'What it may where the matrix states nothing for it.',
    }),
  }),
});

const ChannelKindInput = builder.inputType('ChannelKindInput', {
  description: 'A kind of channel of the project’s own.',
  fields: (t) => ({
    name: t.string({ required: true, description: `Its name. ${describeName('role')}.` }),
    type: t.field({ type: ChannelTypeEnum, required: true, description: 'Who may enter.' }),
  }),
});

const PermissionInput = builder.inputType('PermissionInput', {
  description: 'What a role may do in channels of a kind, instead of what it might otherwise.',
  fields: (t) => ({
    role: t.string({ required: true, description: 'A role of the project, or ANONYMOUS.' }),
    kind: t.string({ required: true, description: 'UNPROTECTED, PUBLIC, PRIVATE or a kind of the project.' }),
    actions: t.field({
      type: [ActionEnum],
      required: true,
      description: `Any of ${ACTIONS.join(', ')}; anonymous callers may SUBSCRIBE and PRESENCE at most, and where anyone may enter.`,
    }),
  }),
});

const PermissionsInput = builder.inputType('PermissionsInput', {
  description: 'The whole matrix; what is absent is as by default. See `Permissions`.',
  fields: (t) => ({
    roles: t.field({ type: [CustomRoleInput], description: `Roles of its own, at most ${MAX_ROLES}.` }),
    kinds: t.field({
      type: [ChannelKindInput],
      description: `Kinds of channels of its own, at most ${MAX_KINDS}. One that channels are of cannot be taken away.`,
    }),
    stated: t.field({
      type: [PermissionInput],
      description: `What differs from the defaults, at most ${MAX_PERMISSIONS}.`,
    }),
  }),
});

const ProjectSettingsInput = builder.inputType('ProjectSettingsInput', {
  description: 'What shall change; what is absent stays.',
  fields: (t) => ({
    developmentTokens: t.boolean({ description: ABOUT.developmentTokens }),
    guests: t.boolean({ description: ABOUT.guests }),
    guestSeconds: t.int({ description: ABOUT.guestSeconds }),
    anonymous: t.boolean({ description: ABOUT.anonymous }),
    emailIdentities: t.boolean({ description: ABOUT.emailIdentities }),
    publishersSignal: t.boolean({ description: ABOUT.publishersSignal }),
    lifetimes: t.field({
      type: LifetimePresetEnum,
      description: 'Sets both lifetimes as another system has them. Not beside either.',
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
      'Changes the settings of the calling API key’s project; live connections feel it before this returns. Throws BAD_USER_INPUT, CONFLICT when a kind is taken away that channels are of, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      settings: t.arg({ type: ProjectSettingsInput, required: true, description: 'What shall change.' }),
    },
    async resolve(_, { settings }, { caller, domain }) {
      requireApiKey(caller);
      const project = await domain.projects.update(caller.projectId, toChange(settings));
      domain.audit({ action: 'project.update', projectId: caller.projectId, actor: actorOf(caller) });
      return project;
    },
  }),
}));

/** Null means something where a lifetime or warning may be null, and is as absent elsewhere. */
function toChange({
  lifetimes,
  permissions,
  ...settings
}: typeof ProjectSettingsInput.$inferInput): Partial<ProjectSettings> {
  if (
    lifetimes &&
    (settings.defaultLifetimeSeconds !== undefined || settings.maxLifetimeSeconds !== undefined)
  )
    throw badInput('settings.lifetimes', 'cannot stand beside defaultLifetimeSeconds or maxLifetimeSeconds.');
  const nullable = new Set(['defaultLifetimeSeconds', 'maxLifetimeSeconds', 'expiryWarningSeconds']);
  const stated = Object.entries(settings).filter(
    ([name, value]) => value !== undefined && (value !== null || nullable.has(name)),
  );
  return {
    ...(Object.fromEntries(stated) as Partial<ProjectSettings>),
    ...(lifetimes && LIFETIME_PRESETS[lifetimes]),
    ...(permissions && {
      permissions: {
        roles: nullToUndefined(permissions.roles) ?? [],
        kinds: nullToUndefined(permissions.kinds) ?? [],
        stated: nullToUndefined(permissions.stated) ?? [],
      },
    }),
  };
}
