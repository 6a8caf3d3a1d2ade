/** The roles that every project has. Others are the project's own: see `CustomRole`. */
export const ROLES = ['GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR'] as const;
export type Role = (typeof ROLES)[number];

export const ACTIONS = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] as const;
export type Action = (typeof ACTIONS)[number];

export const CHANNEL_TYPES = ['UNPROTECTED', 'PUBLIC', 'PRIVATE'] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** The row of callers without a credential. */
export const ANONYMOUS = 'ANONYMOUS';

/** A role of the project's own. Where no permission is stated for it, it may what `like` may. */
export interface CustomRole {
  name: string;
  like: Role;
}

/** A kind of channel of the project's own. Its type says who may enter; where no permission is stated for it, it is as its type. */
export interface ChannelKind {
  name: string;
  type: ChannelType;
}

/** What `role` may do in channels of `kind`: replaces what it might otherwise. */
export interface Permission {
  /** A role, built in or the project's own, or `ANONYMOUS`. */
  role: string;
  /** A channel type, or a kind of the project's own. */
  kind: string;
  actions: Action[];
}

/** The matrix of a project: role × kind of channel → actions. */
export interface Permissions {
  roles: CustomRole[];
  kinds: ChannelKind[];
  stated: Permission[];
}

export const NO_PERMISSIONS: Permissions = { roles: [], kinds: [], stated: [] };

const LISTENER = ['SUBSCRIBE', 'PRESENCE'] as const satisfies Action[];
const SPEAKER = [...LISTENER, 'PUBLISH'] as const;

/** What holds where a project states nothing. */
const DEFAULTS: Record<Role | typeof ANONYMOUS, Record<ChannelType, readonly Action[]>> = {
  ANONYMOUS: { UNPROTECTED: ['SUBSCRIBE'], PUBLIC: [], PRIVATE: [] },
  GUEST: { UNPROTECTED: LISTENER, PUBLIC: LISTENER, PRIVATE: [] },
  SUBSCRIBER: { UNPROTECTED: LISTENER, PUBLIC: LISTENER, PRIVATE: LISTENER },
  PUBLISHER: { UNPROTECTED: SPEAKER, PUBLIC: SPEAKER, PRIVATE: SPEAKER },
  MODERATOR: { UNPROTECTED: ACTIONS, PUBLIC: ACTIONS, PRIVATE: ACTIONS },
};

/**
 * What a role may do in a kind of channel: what the project states for the two; else for the role and the kind's type;
 * else the same of the built-in role that it is like; else the default. A role that the project no longer has may nothing.
 */
export function actionsOf(
  { roles, stated }: Permissions,
  role: string,
  channel: { type: ChannelType; kind: string | null },
): readonly Action[] {
  const like = isBuiltIn(role) ? role : roles.find(({ name }) => name === role)?.like;
  if (like === undefined) return [];
  for (const row of role === like ? [role] : [role, like]) {
    for (const kind of channel.kind === null ? [channel.type] : [channel.kind, channel.type]) {
      const cell = stated.find((one) => one.role === row && one.kind === kind);
      if (cell) return cell.actions;
    }
  }
  return DEFAULTS[like][channel.type];
}

function isBuiltIn(role: string): role is Role | typeof ANONYMOUS {
  return role === ANONYMOUS || (ROLES as readonly string[]).includes(role);
}
