import { type ProjectSettings } from './project-settings.ts';

/** A tenant. Its API keys, tokens, channels and messages are isolated from those of other projects. */
export interface Project {
  id: string;
  name: string;
  /** Milliseconds since 1970, UTC. */
  createdAt: number;
  /** The effective settings, defaults included. */
  settings: ProjectSettings;
}

/** The id of the project that every service has; it is created at the first start. */
export const DEFAULT_PROJECT = 'default';
