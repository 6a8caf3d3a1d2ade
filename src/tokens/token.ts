import { type Json } from '../names.ts';

export const ROLES = ['GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR'] as const;
export type Role = (typeof ROLES)[number];

export const ACTIONS = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] as const;
export type Action = (typeof ACTIONS)[number];

/** A channel pattern and the actions allowed on it; narrows what the role allows. See `matchesPattern`. */
export interface Grant {
  channels: string;
  actions: Action[];
}

/** The record of what one bearer may do. Its id is a public handle; the secret is the credential. */
export interface Token {
  id: string;
  projectId: string;
  /** The user behind it; several tokens may share one. */
  identity: string | null;
  role: Role;
  /** Null: all that the role allows. Empty: nothing. */
  grants: Grant[] | null;
  /** Shown to others in presence and as the sender of messages. */
  connectionData: string | null;
  /** The backend's own notes; shown to the token itself, to nobody else. */
  state: Json;
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
}
