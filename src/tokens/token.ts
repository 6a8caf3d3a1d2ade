import { type Json } from '../names.ts';
import { type Action, type Role } from '../projects/permissions.ts';

/** A channel pattern and the actions allowed on it; narrows what the role allows. See `matchesPattern`. */
export interface Grant {
  channels: string;
  actions: Action[];
  /** Milliseconds since 1970 from which it allows nothing; null or absent: it does not lapse. */
  expiresAt?: number | null;
}

/** How a token came to be: minted here, at the first use of a credential that others signed, or by whoever wanted to be a guest. */
export const ORIGINS = ['MINTED', 'SELF_MINTED', 'DEVELOPMENT', 'GUEST'] as const;
export type Origin = (typeof ORIGINS)[number];

/** What a credential that others signed says of its bearer; null where it leaves that to the record. */
export interface CredentialRights {
  role: Role | null;
  customRole: string | null;
  grants: Grant[] | null;
  connectionData: string | null;
  issuedAt: number | null;
  expiresAt: number | null;
}

/** The record of what one bearer may do. Its id is a public handle; the secret is the credential. */
export interface Token {
  id: string;
  projectId: string;
  /** The user behind it; several tokens may share one. */
  identity: string | null;
  origin: Origin;
  /** Whoever signs its credentials, or had it minted: the lineage of an API key, an issuer, or `development`; null: a guest. */
  issuerId: string | null;
  /** What the issuer calls it; null: its credentials are signed by us. */
  subject: string | null;
  role: Role;
  /** A role of the project's own, which counts instead; `role` is the one that it is like. */
  customRole: string | null;
  /** Null: all that the role allows. Empty: nothing. */
  grants: Grant[] | null;
  /** What its credential says, where others sign. The other fields are with regard to it: see `withClaims`. */
  credentialRights: CredentialRights | null;
  /** Shown to others in presence and as the sender of messages. */
  connectionData: string | null;
  /** The backend's own notes; shown to the token itself, to nobody else. */
  state: Json;
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
  /** From when on nobody can come back to it, so that it may be forgotten; null: never. */
  forgetAfter: number | null;
}

/** The record in the hands of whoever presents these claims: they count where they say something, and the end that comes first. */
export function withCredentialRights(record: Token, credentialRights: CredentialRights | null): Token {
  if (credentialRights === null) return record;
  const ends = [record.expiresAt, credentialRights.expiresAt].filter((end) => end !== null);
  return {
    ...record,
    credentialRights,
    ...(credentialRights.role !== null && {
      role: credentialRights.role,
      customRole: credentialRights.customRole,
    }),
    connectionData: credentialRights.connectionData ?? record.connectionData,
    expiresAt: ends.length > 0 ? Math.min(...ends) : null,
  };
}

/** The name under which its role stands in the matrix. */
export function roleOf({ role, customRole }: Pick<Token, 'role' | 'customRole'>): string {
  return customRole ?? role;
}

/** Whether the second lets its bearer do or show something else than the first. When it ends does not count. */
export function rightsChanged(before: Token, after: Token): boolean {
  const rights = ({ role, customRole, grants, credentialRights, connectionData }: Token) =>
    JSON.stringify([role, customRole, grants, credentialRights?.grants ?? null, connectionData]);
  return rights(before) !== rights(after);
}

/** A token of which nothing is said: a publisher without identity, for ever. */
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
    forgetAfter: null,
  };
}
