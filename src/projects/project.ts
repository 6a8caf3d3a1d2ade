import { SignalboxError } from '../errors.ts';
import { type ProjectSettings } from './project-settings.ts';

/** A tenant. Its API keys, tokens, channels and messages are isolated from those of other projects. */
export interface Project {
  id: string;
  name: string;
  /** Milliseconds since 1970, UTC. */
  createdAt: number;
  /** The effective settings, defaults included. */
  settings: ProjectSettings;
  /** Set when the stored settings are damaged. `settings` then holds the defaults, which must not decide anything. */
  isDamaged?: true;
}

/**
 * The settings of a project.
 * @throws UNAVAILABLE when they are damaged, because the defaults may allow actions that the settings did not allow
 */
export function requireSettings({ id, settings, isDamaged }: Project): ProjectSettings {
  if (!isDamaged) return settings;
  throw new SignalboxError(
    'UNAVAILABLE',
    `The stored settings of the project “${id}” are damaged. Set them again with updateProject; the operator can find more damage with “signalbox check”.`,
  );
}

/** The id of the project that every service has; it is created at the first start. */
export const DEFAULT_PROJECT = 'default';
