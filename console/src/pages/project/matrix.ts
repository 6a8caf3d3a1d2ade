import { ACTIONS } from '../../fields/grant.ts';
import {
  type Action,
  type ChannelType,
  type Role,
  type SettingsFragment,
} from '../../generated/operations.ts';

export type Permissions = SettingsFragment['permissions'];
export type Stated = Permissions['stated'];

/** One cell of the matrix. */
export interface Cell {
  readonly actions: readonly Action[];
  /** Whether the project states the cell itself; otherwise it has the default or what it inherits. */
  readonly isStated: boolean;
}

const READ: readonly Action[] = ['SUBSCRIBE', 'PRESENCE'];
const READ_AND_PUBLISH: readonly Action[] = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'];

/** Those of the service: test/console/matrix.test.ts compares them. */
const DEFAULTS: Readonly<Record<Role | 'ANONYMOUS', Readonly<Record<ChannelType, readonly Action[]>>>> = {
  ANONYMOUS: { UNPROTECTED: ['SUBSCRIBE'], PUBLIC: [], PRIVATE: [] },
  GUEST: { UNPROTECTED: READ, PUBLIC: READ, PRIVATE: [] },
  SUBSCRIBER: { UNPROTECTED: READ, PUBLIC: READ, PRIVATE: READ },
  PUBLISHER: { UNPROTECTED: READ_AND_PUBLISH, PUBLIC: READ_AND_PUBLISH, PRIVATE: READ_AND_PUBLISH },
  MODERATOR: { UNPROTECTED: ACTIONS, PUBLIC: ACTIONS, PRIVATE: ACTIONS },
};

/** The rows: the built-in roles, those of the project, and callers without a credential. */
export function rolesOf({ roles }: Permissions): { name: string; like: Role | 'ANONYMOUS' }[] {
  const builtIn = (['GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR', 'ANONYMOUS'] as const).map((name) => ({
    name,
    like: name,
  }));
  return [...builtIn, ...roles];
}

/** The columns: the types, and the kinds of the project. */
export function kindsOf({ kinds }: Permissions): { name: string; type: ChannelType }[] {
  const types = (['UNPROTECTED', 'PUBLIC', 'PRIVATE'] as const).map((name) => ({ name, type: name }));
  return [...types, ...kinds];
}

/** What a cell allows: what the project states, else what the kind or the role inherits, else the default. */
export function cellOf(
  stated: Stated,
  role: { name: string; like: Role | 'ANONYMOUS' },
  kind: { name: string; type: ChannelType },
): Cell {
  for (const roleName of new Set([role.name, role.like]))
    for (const kindName of new Set([kind.name, kind.type])) {
      const entry = stated.find((permission) => permission.role === roleName && permission.kind === kindName);
      if (entry)
        return { actions: entry.actions, isStated: roleName === role.name && kindName === kind.name };
    }
  return { actions: DEFAULTS[role.like][kind.type], isStated: false };
}

/** States a cell, or with null gives it back to what it inherits. */
export function withCell(
  stated: Stated,
  role: string,
  kind: string,
  actions: readonly Action[] | null,
): Stated {
  const others = stated.filter((entry) => entry.role !== role || entry.kind !== kind);
  return inOrder(actions === null ? others : [...others, { role, kind, actions: [...actions] }]);
}

/** The cells in one order, so that two lists can be compared. */
export function inOrder(stated: Stated): Stated {
  const keyOf = ({ role, kind }: Stated[number]) => `${role} ${kind}`;
  return stated
    .map(({ role, kind, actions }) => ({ role, kind, actions }))
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}
