import { badInput } from '../errors.ts';
import { ROLES, type Permissions, type Role } from '../projects/permissions.ts';

/**
 * The role of a token: a built-in role, and optionally a custom role of the project that takes precedence.
 */
export interface RoleChoice {
  /** With a custom role: the built-in role that the custom role is like. */
  role: Role;
  customRole: string | null;
}

/** The built-in or custom role of this name; undefined: the project has none. */
export function findRole({ roles }: Permissions, name: string): RoleChoice | undefined {
  const builtIn = ROLES.find((role) => role === name);
  if (builtIn) return { role: builtIn, customRole: null };
  const custom = roles.find((role) => role.name === name);
  return custom && { role: custom.like, customRole: custom.name };
}

/**
 * The requested role of a token; undefined: the input requests none.
 * @throws BAD_USER_INPUT when the input has both fields, or names a custom role that the project does not
 * have
 */
export function parseRole(
  { role, customRole }: { role?: Role | undefined; customRole?: string | undefined },
  permissions: Permissions,
): RoleChoice | undefined {
  if (customRole === undefined) return role && { role, customRole: null };
  if (role !== undefined) throw badInput('input.role', 'role and customRole are mutually exclusive.');
  const choice = findRole(permissions, customRole);
  if (choice?.customRole === customRole) return choice;
  throw badInput(
    'input.customRole',
    `${JSON.stringify(customRole)} is not a custom role in the settings of this project.`,
  );
}
