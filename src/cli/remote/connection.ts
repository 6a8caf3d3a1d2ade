import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './errors.ts';

/** Where a command finds its service. */
export interface ServiceAddress {
  url: string;
  apiKey: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The address of a service that was started without settings. */
const DEFAULT_URL = 'http://127.0.0.1:4000';

/**
 * Reads where the service is: from the profile that `--profile` names; otherwise from `SIGNALBOX_URL` and `SIGNALBOX_API_KEY`,
 * and what is absent there from the profile `default`, if there is one.
 * @throws UsageError when the profile cannot be read, or others can read it
 */
export function readServiceAddress(env: Environment, profile: string | undefined): ServiceAddress {
  const stored = readProfile(env, profile ?? 'default', profile !== undefined);
  const given = profile === undefined ? env : {};
  return {
    url: given['SIGNALBOX_URL'] || stored.url || DEFAULT_URL,
    apiKey: given['SIGNALBOX_API_KEY'] || stored.apiKey,
  };
}

/** The folder of the profiles. */
export function profileFolder(env: Environment): string | undefined {
  const { XDG_CONFIG_HOME, HOME } = env;
  if (XDG_CONFIG_HOME) return join(XDG_CONFIG_HOME, 'signalbox');
  return HOME ? join(HOME, '.config', 'signalbox') : undefined;
}

/** The file of a profile. @throws UsageError for a malformed name, and where there is no folder for profiles */
export function profileFile(env: Environment, name: string): string {
  requireProfileName(name);
  const folder = profileFolder(env);
  if (folder === undefined)
    throw new UsageError('Set HOME or XDG_CONFIG_HOME, which say where profiles are.');
  return join(folder, `${name}.json`);
}

function requireProfileName(name: string): void {
  if (!/^[\w-]{1,64}$/.test(name))
    throw new UsageError('The name of a profile has 1–64 letters, digits, “_” and “-”.');
}

function readProfile(env: Environment, name: string, isRequired: boolean): { url?: string; apiKey?: string } {
  requireProfileName(name);
  const folder = profileFolder(env);
  const file = folder === undefined ? undefined : join(folder, `${name}.json`);
  const mode = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })?.mode;
  if (file === undefined || mode === undefined) {
    if (isRequired) throw new UsageError(`There is no profile “${name}”: ${file ?? 'HOME is not set'}.`);
    return {};
  }
  if ((mode & 0o077) !== 0)
    throw new UsageError(`Others can read ${file}, which holds an API key. Run: chmod 600 ${file}`);
  let profile: unknown;
  try {
    profile = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: { "url": "https://…", "apiKey": "key_…" }`, {
      cause: error,
    });
  }
  const { url, apiKey } = Object(profile) as { url?: unknown; apiKey?: unknown };
  for (const value of [url, apiKey])
    if (value !== undefined && typeof value !== 'string')
      throw new UsageError(`${file}: url and apiKey must be texts.`);
  return {
    ...(typeof url === 'string' && { url }),
    ...(typeof apiKey === 'string' && { apiKey }),
  };
}
