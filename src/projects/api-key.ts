/** The credential of a backend. It allows every action inside its project. */
export interface ApiKey {
  /** `key_<id>` */
  id: string;
  projectId: string;
  name: string;
  /** Whether the key may also administer the service: create projects and their API keys, rotate the signing key. */
  operator: boolean;
  /** Whether credentials signed with the key's secret are accepted. */
  canSign: boolean;
  /** The first key of its chain of rotations. Tokens refer to it as their issuer, so that a rotation does not change the issuer. */
  rootKeyId: string;
  /** Milliseconds since 1970, UTC. */
  createdAt: number;
  /** Milliseconds since 1970, UTC; set by a rotation. Null: the key does not expire. */
  expiresAt: number | null;
  /** Milliseconds since 1970, UTC; null: the key was not revoked. */
  revokedAt: number | null;
}
