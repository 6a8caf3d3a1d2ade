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

/** What a project decides for itself. */
export interface ProjectSettings {
  /** Whether unsigned credentials are accepted. For development; never in what strangers reach. */
  developmentTokens: boolean;
  /** Whether anonymous callers may make themselves guests. */
  guests: boolean;
  /** How long a guest lives, in seconds: 60–86,400. */
  guestSeconds: number;
  /** Whether callers without a credential hear what is UNPROTECTED. */
  anonymous: boolean;
  /** Whether identities may contain `@` and `+`, as e-mail addresses do. */
  emailIdentities: boolean;
  /** Whether tokens that may PUBLISH in a channel may signal the connections there. */
  publishersSignal: boolean;
  /** How long a token lives that says nothing of it, in seconds; null: for ever. */
  defaultLifetimeSeconds: number | null;
  /** How long a token may live, in seconds; null: for ever. */
  maxLifetimeSeconds: number | null;
  /** How long before its end a token is told, in seconds: 0–86,400; null: as the service is set. */
  expiryWarningSeconds: number | null;
  /** How long a live connection goes on after its token has expired, in seconds: 0–3,600. It takes no new ones. */
  expiryGraceSeconds: number;
  permissions: Permissions;
}

const HUNDRED_YEARS_SECONDS = 100 * 366 * 86_400;

/** Of each number: what it may be. The schema's descriptions are made of it. */
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

/** How long tokens live with the systems that teams come from. */
export const LIFETIME_PRESETS = {
  STREAM: { defaultLifetimeSeconds: null, maxLifetimeSeconds: null },
  TWILIO: { defaultLifetimeSeconds: 3_600, maxLifetimeSeconds: 86_400 },
  OPENTOK: { defaultLifetimeSeconds: 86_400, maxLifetimeSeconds: 30 * 86_400 },
} as const;
export type LifetimePreset = keyof typeof LIFETIME_PRESETS;

/** What holds where a project says nothing. In production nobody gets in without a credential unless the project says so. */
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
 * A change of settings, checked.
 * @throws BAD_USER_INPUT that names the field
 */
export function parseSettings(change: Partial<ProjectSettings>): Partial<ProjectSettings> {
  for (const [name, { min, max }] of Object.entries(SETTING_RANGES)) {
    const value = change[name as keyof typeof SETTING_RANGES];
    if (value === undefined || value === null) continue;
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    throw badInput(`settings.${name}`, `is ${value}; it must be a whole number, ${min}–${max}.`);
  }
  const { permissions } = change;
  return { ...change, ...(permissions && { permissions: parsePermissions(permissions) }) };
}

/** @throws BAD_USER_INPUT when the default is longer than the maximum */
export function requireConsistent({ defaultLifetimeSeconds, maxLifetimeSeconds }: ProjectSettings): void {
  if (maxLifetimeSeconds === null || (defaultLifetimeSeconds ?? 0) <= maxLifetimeSeconds) return;
  throw badInput('settings.defaultLifetimeSeconds', `is more than the maximum, ${maxLifetimeSeconds}.`);
}

function parsePermissions({ roles, kinds, stated }: Permissions): Permissions {
  const field = 'settings.permissions';
  requireRoom(roles.length, MAX_ROLES, `${field}.roles`);
  requireRoom(kinds.length, MAX_KINDS, `${field}.kinds`);
  requireRoom(stated.length, MAX_PERMISSIONS, `${field}.stated`);
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
  const cells = new Set<string>();
  for (const [index, cell] of stated.entries()) {
    const at = `${field}.stated[${index}]`;
    if (!roleNames.has(cell.role)) throw badInput(`${at}.role`, 'names no role of the project.');
    if (!kindNames.has(cell.kind)) throw badInput(`${at}.kind`, 'names no type or kind of channel.');
    if (cells.size === cells.add(`${cell.role} ${cell.kind}`).size)
      throw badInput(at, 'states a second time what a role may do in a kind of channel.');
    if (cell.role === ANONYMOUS) requireHarmless(cell, typeOf.get(cell.kind) ?? cell.kind, at);
  }
  return {
    roles,
    kinds,
    stated: stated.map((cell) => ({
      ...cell,
      actions: ACTIONS.filter((action) => cell.actions.includes(action)),
    })),
  };
}

/** Nobody knows who anonymous callers are: they hear, and only where anyone may. */
function requireHarmless({ actions }: Permission, type: string, field: string): void {
  if (actions.length === 0) return;
  if (type !== 'UNPROTECTED')
    throw badInput(field, 'anonymous callers may enter UNPROTECTED channels and no others.');
  if (actions.includes('PUBLISH') || actions.includes('MODERATE'))
    throw badInput(field, 'anonymous callers may neither PUBLISH nor MODERATE.');
}

function requireRoom(count: number, max: number, field: string): void {
  if (count > max) throw badInput(field, `has ${count} entries; at most ${max} are allowed.`);
}

/** The names of a project's own beside those that every project has. */
function parseNames(names: readonly string[], taken: readonly string[], field: string): Set<string> {
  const all = new Set(taken);
  for (const [index, name] of names.entries()) {
    parseName('role', name, `${field}[${index}].name`);
    if (all.size === all.add(name).size) throw badInput(`${field}[${index}].name`, 'is taken.');
  }
  return all;
}
