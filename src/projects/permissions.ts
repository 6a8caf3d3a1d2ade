/** The built-in roles. A project can define further ones; see `CustomRole`. */
export const ROLES = ['GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR'] as const;
export type Role = (typeof ROLES)[number];

export const ACTIONS = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] as const;
export type Action = (typeof ACTIONS)[number];

export const CHANNEL_TYPES = ['UNPROTECTED', 'PUBLIC', 'PRIVATE'] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** The role of callers without a credential, in permissions. */
export const ANONYMOUS = 'ANONYMOUS';

/** A role that a project defines. Where the project states no permission for it, the permissions of `like` apply. */
export interface CustomRole {
  name: string;
  like: Role;
}

/** A channel kind that a project defines. Where the project states no permission for it, the permissions of its type apply. */
export interface ChannelKind {
  name: string;
  type: ChannelType;
}

/** The complete list of actions that `role` may take in channels of `kind`. It replaces the defaults; it does not add to them. */
export interface Permission {
  /** A built-in role, a role that the project defines, or `ANONYMOUS`. */
  role: string;
  /** A channel type, or a channel kind that the project defines. */
  kind: string;
  actions: Action[];
}

/** The permission matrix of a project: role × channel kind → actions. */
export interface Permissions {
  roles: CustomRole[];
  kinds: ChannelKind[];
  /** The permissions that the project sets explicitly. */
  stated: Permission[];
}

export const NO_PERMISSIONS: Permissions = { roles: [], kinds: [], stated: [] };

const READ = ['SUBSCRIBE', 'PRESENCE'] as const satisfies Action[];
const READ_AND_PUBLISH = [...READ, 'PUBLISH'] as const;

/** The permissions that apply where a project states none. */
const DEFAULTS: Record<Role | typeof ANONYMOUS, Record<ChannelType, readonly Action[]>> = {
  ANONYMOUS: { UNPROTECTED: ['SUBSCRIBE'], PUBLIC: [], PRIVATE: [] },
  GUEST: { UNPROTECTED: READ, PUBLIC: READ, PRIVATE: [] },
  SUBSCRIBER: { UNPROTECTED: READ, PUBLIC: READ, PRIVATE: READ },
  PUBLISHER: { UNPROTECTED: READ_AND_PUBLISH, PUBLIC: READ_AND_PUBLISH, PRIVATE: READ_AND_PUBLISH },
  MODERATOR: { UNPROTECTED: ACTIONS, PUBLIC: ACTIONS, PRIVATE: ACTIONS },
};

/**
 * The actions that a role may take in a channel. The first of these that exists applies:
 * 1. the permission stated for the role and the channel kind,
 * 2. the permission stated for the role and the channel type,
 * 3. for a custom role, the permissions stated for the built-in role that it is `like`, in the same order,
 * 4. the default of the built-in role and the channel type.
 *
 * A role that the project no longer defines allows no action.
 */
export function actionsOf(
  { roles, stated }: Permissions,
  role: string,
  channel: { type: ChannelType; kind: string | null },
): readonly Action[] {
  const like = isBuiltIn(role) ? role : roles.find(({ name }) => name === role)?.like;
  if (like === undefined) return [];
  for (const candidateRole of role === like ? [role] : [role, like]) {
    for (const kind of channel.kind === null ? [channel.type] : [channel.kind, channel.type]) {
      const permission = stated.find((entry) => entry.role === candidateRole && entry.kind === kind);
      if (permission) return permission.actions;
    }
  }
  return DEFAULTS[like][channel.type];
}

function isBuiltIn(role: string): role is Role | typeof ANONYMOUS {
  return role === ANONYMOUS || (ROLES as readonly string[]).includes(role);
}
