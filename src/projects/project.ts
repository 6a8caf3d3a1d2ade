import { type ProjectSettings } from './project-settings.ts';

/** A tenant: a wall around its keys, tokens, channels and messages. */
export interface Project {
  id: string;
  name: string;
  createdAt: number;
  /** As they hold now, defaults included. */
  settings: ProjectSettings;
}

/** The project of the embedded default, made at the first start. */
export const DEFAULT_PROJECT = 'default';
