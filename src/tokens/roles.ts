import { badInput } from '../errors.ts';
import { ROLES, type Permissions, type Role } from '../projects/permissions.ts';

/** A role as a token has it: one that every project has, and a project's own that counts instead. */
export interface RoleChoice {
  role: Role;
  customRole: string | null;
}

/** The role of this name, built in or the project's own; undefined when there is none. */
export function findRole({ roles }: Permissions, name: string): RoleChoice | undefined {
  const builtIn = ROLES.find((role) => role === name);
  if (builtIn) return { role: builtIn, customRole: null };
  const own = roles.find((role) => role.name === name);
  return own && { role: own.like, customRole: own.name };
}

/**
 * What a caller says of the role of a token; undefined: nothing.
 * @throws BAD_USER_INPUT when it says two things, or names a role that the project does not have
 */
export function parseRole(
  { role, customRole }: { role?: Role | undefined; customRole?: string | undefined },
  permissions: Permissions,
): RoleChoice | undefined {
  if (customRole === undefined) return role && { role, customRole: null };
  if (role !== undefined) throw badInput('input.role', 'cannot stand beside customRole.');
  const choice = findRole(permissions, customRole);
  if (choice?.customRole === customRole) return choice;
  throw badInput(
    'input.customRole',
    `names no role of this project’s settings: ${JSON.stringify(customRole)}.`,
  );
}
