/** A backend's credential: everything inside its project. */
export interface ApiKey {
  id: string;
  projectId: string;
  name: string;
  /** The operator's key may also make projects and their first keys. */
  operator: boolean;
  /** Whether credentials that are signed with its secret are accepted. */
  canSign: boolean;
  /** The first key of its row of rotations: whose tokens these are does not change with the secret. */
  rootKeyId: string;
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
}
