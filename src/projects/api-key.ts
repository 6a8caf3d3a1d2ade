/** A backend's credential: everything inside its project. */
export interface ApiKey {
  id: string;
  projectId: string;
  name: string;
  /** The operator's key may also make projects and their first keys. */
  operator: boolean;
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
}
