import { SignalboxError } from '../errors.ts';
import { type Json } from '../names.ts';
import { type Action, type Role } from '../projects/permissions.ts';

/**
 * A channel pattern and the actions that are allowed there. Grants narrow the role. For patterns see
 * `matchesPattern`.
 */
export interface Grant {
  channels: string;
  actions: Action[];
  /** When the grant lapses, in milliseconds since 1970; null or absent: it does not lapse. */
  expiresAt?: number | null;
}

/**
 * How a token was created: by `createToken`, by the first use of a credential of another issuer, or by
 * `createGuest`.
 */
export const ORIGINS = ['MINTED', 'SELF_MINTED', 'DEVELOPMENT', 'GUEST'] as const;
export type Origin = (typeof ORIGINS)[number];

/** The rights that a credential of another issuer claims. Null: not claimed, the token record decides. */
export interface CredentialRights {
  role: Role | null;
  customRole: string | null;
  /** Narrow the grants of the record. */
  grants: Grant[] | null;
  connectionData: string | null;
  /** Milliseconds since 1970. */
  issuedAt: number | null;
  /** Milliseconds since 1970. */
  expiresAt: number | null;
}

/** The record of a token. The id is a public handle; the secret is the credential. */
export interface Token {
  id: string;
  projectId: string;
  /** The user behind the token. Several tokens may share an identity. */
  identity: string | null;
  origin: Origin;
  /**
   * The issuer of the token's credentials: the `rootKeyId` of the API key that minted the token or signs its
   * credentials, an issuer id, or `development`. Null: a guest.
   */
  issuerId: string | null;
  /** The issuer's name for the token; null: Signalbox signs the credentials. */
  subject: string | null;
  role: Role;
  /**
   * A role that the project defines. It takes precedence over `role`, which is the built-in role that it is
   * like.
   */
  customRole: string | null;
  /** Null: everything that the role allows. Empty: nothing. */
  grants: Grant[] | null;
  /**
   * The rights of the newest credential; null: Signalbox signs the credentials. See `withCredentialRights`.
   */
  credentialRights: CredentialRights | null;
  /** Shown to others in presence and as the sender of messages. */
  connectionData: string | null;
  /** JSON for the backend's own use, at most `maxStateBytes`. Shown to the token and to API keys only. */
  state: Json;
  /** Milliseconds since 1970, as all times below. */
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
  /** When the record may be deleted, because no credential can use it any more; null: never. */
  purgeAfter: number | null;
  /** The properties whose stored text is damaged. Until they are set again, the token is allowed nothing that they would decide. */
  damaged?: readonly DamagedProperty[];
}

export type DamagedProperty = 'grants' | 'state' | 'credentialRights';

/**
 * The record as a caller with these credential rights sees it: claimed rights replace those of the record,
 * and the earlier expiry counts. The grants of both stay separate, because an action needs both to allow it:
 * see `decide`.
 */
export function withCredentialRights(record: Token, credentialRights: CredentialRights | null): Token {
  if (credentialRights === null) return record;
  const expiries = [record.expiresAt, credentialRights.expiresAt].filter((at) => at !== null);
  return {
    ...record,
    credentialRights,
    ...(credentialRights.role !== null && {
      role: credentialRights.role,
      customRole: credentialRights.customRole,
    }),
    connectionData: credentialRights.connectionData ?? record.connectionData,
    expiresAt: expiries.length > 0 ? Math.min(...expiries) : null,
  };
}

/** The name of the token's role in the project's permissions. */
export function roleOf({ role, customRole }: Pick<Token, 'role' | 'customRole'>): string {
  return customRole ?? role;
}

/** Whether the role, the grants or the connection data differ. Ignores `expiresAt`. */
export function rightsChanged(before: Token, after: Token): boolean {
  const rights = ({ role, customRole, grants, credentialRights, connectionData }: Token) =>
    JSON.stringify([role, customRole, grants, credentialRights?.grants ?? null, connectionData]);
  return rights(before) !== rights(after);
}

/** Some tokens of a project. */
export interface TokensOfProject {
  readonly projectId: string;
  readonly ids: readonly string[];
}

/** A token with the defaults of every field: a publisher without identity that does not expire. */
export function blankToken(id: string, projectId: string, now: number): Token {
  return {
    id,
    projectId,
    identity: null,
    origin: 'MINTED',
    issuerId: null,
    subject: null,
    role: 'PUBLISHER',
    customRole: null,
    grants: null,
    credentialRights: null,
    connectionData: null,
    state: null,
    createdAt: now,
    expiresAt: null,
    revokedAt: null,
    purgeAfter: null,
  };
}

/**
 * The grants or the state of a token.
 * @throws UNAVAILABLE when the stored text is damaged
 */
export function requireUndamaged<P extends 'grants' | 'state'>(token: Token, property: P): Token[P] {
  if (!token.damaged?.includes(property)) return token[property];
  throw new SignalboxError(
    'UNAVAILABLE',
    `The stored ${property} of the token “${token.id}” is damaged. Set it again with updateToken; the operator can find more damage with “signalbox check”.`,
  );
}
