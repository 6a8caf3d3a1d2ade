import { badInput } from '../errors.ts';
import { parseName } from '../names.ts';
import {
  ACTIONS,
  ANONYMOUS,
  CHANNEL_TYPES,
  NO_PERMISSIONS,
  ROLES,
  type Permission,
  type Permissions,
} from './permissions.ts';

/** The settings of a project. An API key of the project can change them while the service runs. */
export interface ProjectSettings {
  /** Whether unsigned credentials are accepted. For development only: anyone can create such a credential. */
  developmentTokens: boolean;
  /** Whether anonymous callers may create a GUEST token for themselves. */
  guests: boolean;
  /** The lifetime of a guest token, in seconds: 60–86,400. */
  guestSeconds: number;
  /** Whether callers without a credential are accepted; they may SUBSCRIBE to UNPROTECTED channels. */
  anonymous: boolean;
  /** Whether identities may contain `@` and `+`, as e-mail addresses do. */
  emailIdentities: boolean;
  /** Whether a token that may PUBLISH in a channel may send direct messages to connections in that channel. */
  publishersSignal: boolean;
  /** The lifetime of a token created without an expiry, in seconds; null: the token does not expire. */
  defaultLifetimeSeconds: number | null;
  /** The maximum lifetime of a token, in seconds; null: no maximum. */
  maxLifetimeSeconds: number | null;
  /** How long before the expiry `TokenExpiring` is sent, in seconds: 0–86,400; null: as the service is configured. */
  expiryWarningSeconds: number | null;
  /** How long live connections remain open after their token expired, in seconds: 0–3,600. New connections are refused. */
  expiryGraceSeconds: number;
  /** Custom roles, channel kinds and the permissions that differ from the defaults. */
  permissions: Permissions;
}

/** A change of settings: absent ones stay unchanged, and so do absent lists of the permissions. */
export type SettingsChange = Partial<Omit<ProjectSettings, 'permissions'>> & {
  permissions?: Partial<Permissions>;
};

const HUNDRED_YEARS_SECONDS = 100 * 366 * 86_400;

/** The inclusive range of each numeric setting, in seconds. The descriptions in the schema are generated from it. */
export const SETTING_RANGES = {
  guestSeconds: { min: 60, max: 86_400 },
  defaultLifetimeSeconds: { min: 1, max: HUNDRED_YEARS_SECONDS },
  maxLifetimeSeconds: { min: 1, max: HUNDRED_YEARS_SECONDS },
  expiryWarningSeconds: { min: 0, max: 86_400 },
  expiryGraceSeconds: { min: 0, max: 3_600 },
} as const;

export const MAX_ROLES = 50;
export const MAX_KINDS = 50;
export const MAX_PERMISSIONS = 1_000;

/** The token lifetimes of the systems that teams migrate from. */
export const LIFETIME_PRESETS = {
  STREAM: { defaultLifetimeSeconds: null, maxLifetimeSeconds: null },
  TWILIO: { defaultLifetimeSeconds: 3_600, maxLifetimeSeconds: 86_400 },
  OPENTOK: { defaultLifetimeSeconds: 86_400, maxLifetimeSeconds: 30 * 86_400 },
} as const;
export type LifetimePreset = keyof typeof LIFETIME_PRESETS;

/** The settings of a new project. In production, callers without a credential are refused until the project allows them. */
export function defaultSettings(isProduction: boolean): ProjectSettings {
  return {
    developmentTokens: false,
    guests: !isProduction,
    guestSeconds: 3_600,
    anonymous: !isProduction,
    emailIdentities: false,
    publishersSignal: false,
    defaultLifetimeSeconds: null,
    maxLifetimeSeconds: null,
    expiryWarningSeconds: null,
    expiryGraceSeconds: 0,
    permissions: NO_PERMISSIONS,
  };
}

/**
 * Validates a change of settings and normalizes its permissions.
 * @throws BAD_USER_INPUT with the path of the invalid field
 */
export function parseSettings(change: Partial<ProjectSettings>): Partial<ProjectSettings> {
  for (const [name, { min, max }] of Object.entries(SETTING_RANGES)) {
    const value = change[name as keyof typeof SETTING_RANGES];
    if (value === undefined || value === null) continue;
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    throw badInput(`settings.${name}`, `is ${value}; it must be a whole number of seconds, ${min}–${max}.`);
  }
  const { permissions } = change;
  return { ...change, ...(permissions && { permissions: parsePermissions(permissions) }) };
}

/** @throws BAD_USER_INPUT when the default lifetime is longer than the maximum lifetime */
export function requireConsistent({ defaultLifetimeSeconds, maxLifetimeSeconds }: ProjectSettings): void {
  if (maxLifetimeSeconds === null || (defaultLifetimeSeconds ?? 0) <= maxLifetimeSeconds) return;
  throw badInput(
    'settings.defaultLifetimeSeconds',
    `is more than maxLifetimeSeconds, which is ${maxLifetimeSeconds}.`,
  );
}

function parsePermissions({ roles, kinds, stated }: Permissions): Permissions {
  const field = 'settings.permissions';
  requireAtMost(roles.length, MAX_ROLES, `${field}.roles`);
  requireAtMost(kinds.length, MAX_KINDS, `${field}.kinds`);
  requireAtMost(stated.length, MAX_PERMISSIONS, `${field}.stated`);
  const roleNames = parseNames(
    roles.map(({ name }) => name),
    [...ROLES, ANONYMOUS],
    `${field}.roles`,
  );
  const kindNames = parseNames(
    kinds.map(({ name }) => name),
    CHANNEL_TYPES,
    `${field}.kinds`,
  );
  const typeOf = new Map<string, string>(kinds.map(({ name, type }) => [name, type]));
  const seen = new Set<string>();
  for (const [index, permission] of stated.entries()) {
    const at = `${field}.stated[${index}]`;
    if (!roleNames.has(permission.role)) throw badInput(`${at}.role`, 'is not a role of the project.');
    if (!kindNames.has(permission.kind))
      throw badInput(`${at}.kind`, 'is not a channel type or a channel kind of the project.');
    if (seen.size === seen.add(`${permission.role} ${permission.kind}`).size)
      throw badInput(at, 'is a second permission for the same role and kind.');
    if (permission.role === ANONYMOUS)
      requireAnonymousAllowed(permission, typeOf.get(permission.kind) ?? permission.kind, at);
  }
  return {
    roles,
    kinds,
    stated: stated.map((permission) => ({
      ...permission,
      actions: ACTIONS.filter((action) => permission.actions.includes(action)),
    })),
  };
}

/** Anonymous callers cannot be identified, muted or banned, so they may only read, and only in UNPROTECTED channels. */
function requireAnonymousAllowed({ actions }: Permission, type: string, field: string): void {
  if (actions.length === 0) return;
  if (type !== 'UNPROTECTED')
    throw badInput(field, 'anonymous callers may have permissions in UNPROTECTED channels only.');
  if (actions.includes('PUBLISH') || actions.includes('MODERATE'))
    throw badInput(field, 'anonymous callers may not PUBLISH or MODERATE.');
}

function requireAtMost(count: number, max: number, field: string): void {
  if (count > max) throw badInput(field, `has ${count} entries; at most ${max} are allowed.`);
}

/** Validates the names that a project defines; returns them together with the built-in names. */
function parseNames(names: readonly string[], builtIn: readonly string[], field: string): Set<string> {
  const all = new Set(builtIn);
  for (const [index, name] of names.entries()) {
    parseName('role', name, `${field}[${index}].name`);
    if (all.size === all.add(name).size) throw badInput(`${field}[${index}].name`, 'is already in use.');
  }
  return all;
}
