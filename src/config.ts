import { parseHost } from './host-list.ts';
import { parseUrl } from './names.ts';
import { parseOrigin } from './origin-list.ts';
import { SETTINGS, type Setting } from './settings.ts';

type Value<S extends Setting> = S extends { unit: 'list' | 'origins' | 'hosts' }
  ? readonly string[]
  : S extends { choices: readonly (infer Choice)[] }
    ? Choice
    : S['default'] extends number
      ? number
      : string;

/** The validated settings. They hold no secret, so they may be logged. */
export type Config = { readonly [Name in keyof typeof SETTINGS]: Value<(typeof SETTINGS)[Name]> };

/** The secrets of the environment. They must never be logged. */
export interface Secrets {
  /** `key_<id>.<secret>`, the first API key of project `default`. Absent: a key is generated and shown once. */
  apiKey?: string;
  /** The keys that protect secrets at rest: the first key encrypts, all keys decrypt. Absent: the key file in the data folder. */
  masterKeys?: readonly string[];
  /** `postgres://user:password@host:port/database`. Absent: the store is SQLite in the data folder. */
  databaseUrl?: string;
}

export const API_KEY_ENV = 'SIGNALBOX_API_KEY';
export const MASTER_KEY_ENV = 'SIGNALBOX_MASTER_KEY';
export const DATABASE_URL_ENV = 'SIGNALBOX_DATABASE_URL';
export const MIN_MASTER_KEY_LENGTH = 32;

/** Lists every invalid setting, one line each, in a form that an operator can act on. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Validates all settings. A variable that is unset or empty takes its default.
 * @throws ConfigError that lists every invalid value
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): {
  config: Config;
  secrets: Secrets;
  /**
   * One sentence for each unknown `SIGNALBOX_*` variable, which a rollback to an older version may leave, for white space around
   * a text, and for a first API key that can be guessed.
   */
  warnings: string[];
} {
  const errors: string[] = [];
  const warnings = unknownVariables(env);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const text = env[setting.env];
    try {
      values[name] = parseSetting(
        setting,
        text === undefined || text === '' ? String(setting.default) : text,
      );
      if (setting.unit === 'text' && text !== undefined && text !== text.trim())
        warnings.push(`${setting.env} begins or ends with white space, which counts as part of the value.`);
    } catch (error) {
      errors.push((error as ConfigError).message);
    }
  }
  const apiKey = env[API_KEY_ENV];
  if (apiKey !== undefined && apiKey !== '' && !API_KEY_SHAPE.test(apiKey)) {
    errors.push(
      `${API_KEY_ENV} must look like key_<id>.<secret>: an id of 1–40 letters or digits, and a secret of 16–200 letters, digits, - or _.${SURROUNDED.test(apiKey) ? ' The value begins or ends with white space or quotation marks; remove them.' : ''}`,
    );
  }
  if (apiKey && API_KEY_SHAPE.test(apiKey) && isWeakApiKey(apiKey)) {
    (values['mode'] === 'production' ? errors : warnings).push(WEAK_API_KEY);
  }
  const masterKeys = parseList(env[MASTER_KEY_ENV] ?? '');
  if (masterKeys.some((key) => key.length < MIN_MASTER_KEY_LENGTH)) {
    errors.push(
      `${MASTER_KEY_ENV} must have at least ${MIN_MASTER_KEY_LENGTH} characters in each key; separate several keys with commas.`,
    );
  }
  const databaseUrl = env[DATABASE_URL_ENV];
  if (databaseUrl && !isDatabaseUrl(databaseUrl)) {
    errors.push(
      `${DATABASE_URL_ENV} must look like postgres://user:password@host:port/database; write special characters of the password as %xx.`,
    );
  }
  if (databaseUrl && masterKeys.length === 0) {
    errors.push(
      `${MASTER_KEY_ENV} is required together with ${DATABASE_URL_ENV}: there is no data folder to keep the key in. Generate one: openssl rand -base64 48`,
    );
  }
  if (errors.length > 0) throw new ConfigError(errors.join('\n'));
  return {
    warnings,
    config: values as Config,
    secrets: {
      ...(apiKey && { apiKey }),
      ...(masterKeys.length > 0 && { masterKeys }),
      ...(databaseUrl && { databaseUrl }),
    },
  };
}

function isDatabaseUrl(text: string): boolean {
  return ['postgres:', 'postgresql:'].includes(parseUrl(text)?.protocol ?? '');
}

/** The format of every API key: `key_<id>.<secret>`. */
export const API_KEY_SHAPE = /^key_([A-Za-z0-9]{1,40})\.([A-Za-z0-9_-]{16,200})$/;

/** The characters of 32 random bytes in base64url. */
const STRONG_SECRET_LENGTH = 43;
/** Fewer distinct characters are practically impossible in 32 random bytes, in base64url or in hexadecimal. */
const STRONG_DISTINCT_CHARACTERS = 10;

/**
 * Whether an API key cannot hold 32 random bytes, by its form: credentials that are signed with the key let their
 * holders test guesses without asking the service, so a short secret can be found.
 */
function isWeakApiKey(apiKey: string): boolean {
  const secret = API_KEY_SHAPE.exec(apiKey)?.[2] ?? '';
  return secret.length < STRONG_SECRET_LENGTH || new Set(secret).size < STRONG_DISTINCT_CHARACTERS;
}

const WEAK_API_KEY = `${API_KEY_ENV} can be guessed: its secret must be 32 random bytes, in base64url or hexadecimal. Generate one with: node -p "'key_main.' + crypto.randomBytes(32).toString('base64url')"`;

function parseSetting(setting: Setting, text: string): unknown {
  if (setting.choices) {
    if (setting.choices.includes(text)) return text;
    throw new ConfigError(`${setting.env} is “${text}”; it must be one of ${setting.choices.join(', ')}.`);
  }
  if (setting.unit === 'list') return parseList(text);
  if (setting.unit === 'origins') return parseOrigins(setting.env, text);
  if (setting.unit === 'hosts') return parseHosts(setting.env, text);
  if (typeof setting.default === 'string') return parseText(setting.env, text);
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = setting;
  if (number >= min && number <= max) return number;
  throw new ConfigError(
    `${setting.env} is “${text}”; it must be a whole number from ${min} to ${max} (${setting.unit}).`,
  );
}

/** Unlike a shell, Docker and systemd neither remove quotation marks nor replace ~, so the text would name something else. */
function parseText(env: string, text: string): string {
  if (QUOTED.test(text))
    throw new ConfigError(
      `${env} is ${text}; write it without quotation marks, which count as part of the value.`,
    );
  if (text === '~' || text.startsWith('~/'))
    throw new ConfigError(
      `${env} is “${text}”; write the whole path instead of ~, which only a shell replaces.`,
    );
  return text;
}

const QUOTED = /^(["']).*\1$/s;
const SURROUNDED = /^[\s"']|[\s"']$/;

function parseOrigins(env: string, text: string): string[] {
  return parseList(text).map((item) => {
    try {
      return parseOrigin(item);
    } catch (error) {
      throw new ConfigError(`${env} lists “${item}”, which matches no page: it ${(error as Error).message}.`);
    }
  });
}

function parseHosts(env: string, text: string): string[] {
  return parseList(text).map((item) => {
    const host = parseHost(item);
    if (host !== undefined) return host;
    throw new ConfigError(
      `${env} lists “${item}”, which is no host name; write names like signalbox.example, without a scheme, a port or “*”.`,
    );
  });
}

function parseList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/**
 * The default settings with some overrides, for tests and embedders. The overrides are not validated.
 * @example defaultConfig({ port: 0, data: ':memory:' })
 */
export function defaultConfig(overrides: Partial<Config> = {}): Config {
  return { ...readConfig({}).config, ...overrides };
}

/** The command line reads these, often in the shell that also starts the service. */
const COMMAND_LINE_ENV = ['SIGNALBOX_URL', 'SIGNALBOX_CREDENTIAL', 'SIGNALBOX_ISSUER_SECRET'];

/** Without this warning, a misspelled variable silently leaves its setting at the default. */
function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [
    ...Object.values<Setting>(SETTINGS).map(({ env: name }) => name),
    API_KEY_ENV,
    MASTER_KEY_ENV,
    DATABASE_URL_ENV,
  ];
  return Object.keys(env)
    .filter((name) => /^signalbox[_-]/i.test(name) && ![...known, ...COMMAND_LINE_ENV].includes(name))
    .map((name) => {
      const upper = name.toUpperCase().replaceAll('-', '_');
      const [nearest = ''] = [...known].sort((a, b) => editDistance(upper, a) - editDistance(upper, b));
      return `${name} is not a setting and is ignored. Did you mean ${nearest}?`;
    });
}

/** The Levenshtein distance of two names. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
