/** What an operator may set. The table below is the only home of names, defaults, units and ranges; the README's is printed from it. */
interface Setting {
  env: string;
  default: string | number;
  unit: 'text' | 'bytes' | 'ms' | 'seconds' | 'count' | 'per second' | 'switch' | 'choice' | 'list';
  min?: number;
  max?: number;
  choices?: readonly string[];
  about: string;
}

const DAY_SECONDS = 86_400;
const MIB = 1024 * 1024;

export const SETTINGS = {
  port: {
    env: 'PORT',
    default: 4000,
    unit: 'count',
    min: 0,
    max: 65_535,
    about: 'TCP port; 0 takes any free one.',
  },
  host: {
    env: 'HOST',
    default: '127.0.0.1',
    unit: 'text',
    about: 'Address to listen on. `0.0.0.0` opens it to the network.',
  },
  data: {
    env: 'SIGNALBOX_DATA',
    default: './data',
    unit: 'text',
    about: 'Folder of the store; `:memory:` keeps nothing.',
  },
  mode: {
    env: 'NODE_ENV',
    default: 'development',
    unit: 'choice',
    choices: ['development', 'test', 'production'],
    about: '`production` turns GraphiQL, introspection and suggestions off unless switched on.',
  },
  logLevel: {
    env: 'SIGNALBOX_LOG_LEVEL',
    default: 'info',
    unit: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    about: 'Least severe log line that is written.',
  },
  graphiql: {
    env: 'SIGNALBOX_GRAPHIQL',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about: 'GraphiQL at `/graphql`; `auto` is on outside production.',
  },
  introspection: {
    env: 'SIGNALBOX_INTROSPECTION',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about: 'Schema introspection; `auto` is on outside production.',
  },
  origins: {
    env: 'SIGNALBOX_ORIGINS',
    default: '',
    unit: 'list',
    about:
      'Origins of web pages that may connect besides our own, for example `https://app.example`. `*` allows all. `null` is an origin like any other.',
  },
  trustedProxies: {
    env: 'SIGNALBOX_TRUSTED_PROXIES',
    default: 0,
    unit: 'count',
    min: 0,
    max: 10,
    about: 'How many proxies in front of us append to `X-Forwarded-For`; 0 ignores the header.',
  },
  synchronous: {
    env: 'SIGNALBOX_SYNCHRONOUS',
    default: 'normal',
    unit: 'choice',
    choices: ['normal', 'full'],
    about:
      '`normal`: an acknowledged publish survives a crash of the process; `full`: a loss of power as well.',
  },
  retentionSeconds: {
    env: 'SIGNALBOX_RETENTION_SECONDS',
    default: 7 * DAY_SECONDS,
    unit: 'seconds',
    min: 1,
    max: 3650 * DAY_SECONDS,
    about: 'How long the log keeps a message; a channel may ask for less.',
  },
  retentionMessages: {
    env: 'SIGNALBOX_RETENTION_MESSAGES',
    default: 10_000,
    unit: 'count',
    min: 1,
    max: 10_000_000,
    about: 'How many messages the log keeps per channel and per direct address; a channel may ask for less.',
  },
  purgeIntervalMs: {
    env: 'SIGNALBOX_PURGE_INTERVAL_MS',
    default: 10_000,
    unit: 'ms',
    min: 100,
    max: 3_600_000,
    about: 'How often what retention no longer covers is removed, in small steps.',
  },
  leaseMs: {
    env: 'SIGNALBOX_LEASE_MS',
    default: 10_000,
    unit: 'ms',
    min: 1000,
    max: 300_000,
    about: 'How long the presence of a node that was killed still counts.',
  },
  expiryWarningSeconds: {
    env: 'SIGNALBOX_EXPIRY_WARNING_SECONDS',
    default: 180,
    unit: 'seconds',
    min: 0,
    max: DAY_SECONDS,
    about: 'How long before its expiry a token is told `TokenExpiring`; 0 never.',
  },
  drainTimeoutMs: {
    env: 'SIGNALBOX_DRAIN_TIMEOUT_MS',
    default: 10_000,
    unit: 'ms',
    min: 0,
    max: 600_000,
    about: 'How long SIGTERM waits for open requests and sockets.',
  },
  handshakeTimeoutMs: {
    env: 'SIGNALBOX_HANDSHAKE_TIMEOUT_MS',
    default: 5_000,
    unit: 'ms',
    min: 100,
    max: 60_000,
    about: 'From opening a socket to its acknowledgement, verification included.',
  },
  pingIntervalMs: {
    env: 'SIGNALBOX_PING_INTERVAL_MS',
    default: 15_000,
    unit: 'ms',
    min: 100,
    max: 300_000,
    about: 'Time between pings; a socket that has not answered one by the next is closed.',
  },
  maxMessageBytes: {
    env: 'SIGNALBOX_MAX_MESSAGE_BYTES',
    default: 65_536,
    unit: 'bytes',
    min: 1024,
    max: 16 * MIB,
    about: 'Largest request body and largest WebSocket message from a client.',
  },
  maxDataBytes: {
    env: 'SIGNALBOX_MAX_DATA_BYTES',
    default: 32_768,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about: 'Largest `data` of a message, as JSON.',
  },
  maxStateBytes: {
    env: 'SIGNALBOX_MAX_STATE_BYTES',
    default: 16_384,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about: 'Largest state of a channel or token, as JSON.',
  },
  maxPresenceBytes: {
    env: 'SIGNALBOX_MAX_PRESENCE_BYTES',
    default: 1_024,
    unit: 'bytes',
    min: 64,
    max: 65_536,
    about: 'Largest state that a connection shows in presence, as JSON.',
  },
  maxQueueBytes: {
    env: 'SIGNALBOX_MAX_QUEUE_BYTES',
    default: MIB,
    unit: 'bytes',
    min: 16_384,
    max: 256 * MIB,
    about:
      'What may wait for one slow reader before its connection is closed with 4408; it resumes by cursor.',
  },
  maxConnections: {
    env: 'SIGNALBOX_MAX_CONNECTIONS',
    default: 50_000,
    unit: 'count',
    min: 1,
    max: 10_000_000,
    about: 'Live connections in all.',
  },
  maxConnectionsPerAddress: {
    env: 'SIGNALBOX_MAX_CONNECTIONS_PER_ADDRESS',
    default: 1_000,
    unit: 'count',
    min: 1,
    max: 10_000_000,
    about: 'Live connections from one network address.',
  },
  maxConnectionsPerToken: {
    env: 'SIGNALBOX_MAX_CONNECTIONS_PER_TOKEN',
    default: 50,
    unit: 'count',
    min: 1,
    max: 1_000_000,
    about: 'Live connections of one token.',
  },
  maxOperationsPerConnection: {
    env: 'SIGNALBOX_MAX_OPERATIONS_PER_CONNECTION',
    default: 100,
    unit: 'count',
    min: 1,
    max: 100_000,
    about: 'Operations open at once on one connection.',
  },
  maxMembershipsPerToken: {
    env: 'SIGNALBOX_MAX_MEMBERSHIPS_PER_TOKEN',
    default: 1_000,
    unit: 'count',
    min: 1,
    max: 10_000,
    about: 'Channels that one token may be subscribed to.',
  },
  maxGrantsPerToken: {
    env: 'SIGNALBOX_MAX_GRANTS_PER_TOKEN',
    default: 100,
    unit: 'count',
    min: 1,
    max: 10_000,
    about: 'Grants that one token may hold.',
  },
  connectsPerSecond: {
    env: 'SIGNALBOX_CONNECTS_PER_SECOND',
    default: 200,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'New connections from one network address; a burst of twice that passes.',
  },
  publishesPerSecondPerToken: {
    env: 'SIGNALBOX_PUBLISHES_PER_SECOND_PER_TOKEN',
    default: 50,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'Publishes by one token; a burst of twice that passes.',
  },
  publishesPerSecondPerKey: {
    env: 'SIGNALBOX_PUBLISHES_PER_SECOND_PER_KEY',
    default: 50_000,
    unit: 'per second',
    min: 1,
    max: 10_000_000,
    about: 'Publishes by one API key; a burst of twice that passes.',
  },
  mintsPerSecond: {
    env: 'SIGNALBOX_MINTS_PER_SECOND',
    default: 2_000,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'Credentials minted by one API key; a burst of twice that passes.',
  },
  maxDepth: {
    env: 'SIGNALBOX_MAX_DEPTH',
    default: 15,
    unit: 'count',
    min: 3,
    max: 100,
    about: 'Levels of a GraphQL document.',
  },
  maxAliases: {
    env: 'SIGNALBOX_MAX_ALIASES',
    default: 30,
    unit: 'count',
    min: 0,
    max: 10_000,
    about: 'Aliases in a GraphQL document, fragments counted at every use.',
  },
  maxDirectives: {
    env: 'SIGNALBOX_MAX_DIRECTIVES',
    default: 30,
    unit: 'count',
    min: 0,
    max: 10_000,
    about: 'Directives in a GraphQL document, fragments counted at every use.',
  },
  maxTokens: {
    env: 'SIGNALBOX_MAX_TOKENS',
    default: 2_000,
    unit: 'count',
    min: 50,
    max: 1_000_000,
    about: 'Lexical tokens of a GraphQL document.',
  },
  maxCost: {
    env: 'SIGNALBOX_MAX_COST',
    default: 50_000,
    unit: 'count',
    min: 100,
    max: 100_000_000,
    about: 'Fields a GraphQL document may yield, every list at the size it asks for.',
  },
} as const satisfies Record<string, Setting>;

type Value<S extends Setting> = S extends { unit: 'list' }
  ? readonly string[]
  : S extends { choices: readonly (infer Choice)[] }
    ? Choice
    : S['default'] extends number
      ? number
      : string;

/** Everything an operator set or left at its default. Holds no secret, so it may be logged. */
export type Config = { readonly [Name in keyof typeof SETTINGS]: Value<(typeof SETTINGS)[Name]> };

/** What must never be logged. */
export interface Secrets {
  /** `key_<id>.<secret>`, the first key of project `default`; absent: one is made and shown once. */
  apiKey?: string;
}

export const API_KEY_ENV = 'SIGNALBOX_API_KEY';

/** A sentence an operator can act on. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** @throws ConfigError that names every bad value at once. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): {
  config: Config;
  secrets: Secrets;
} {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const text = env[setting.env];
    try {
      values[name] = parseSetting(
        setting,
        text === undefined || text === '' ? String(setting.default) : text,
      );
    } catch (error) {
      faults.push((error as ConfigError).message);
    }
  }
  const apiKey = env[API_KEY_ENV];
  if (apiKey !== undefined && apiKey !== '' && !API_KEY_SHAPE.test(apiKey)) {
    faults.push(
      `${API_KEY_ENV} must look like key_<id>.<secret>, with an id of 1–40 and a secret of at least 16 letters, digits, - or _.`,
    );
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return { config: values as Config, secrets: apiKey ? { apiKey } : {} };
}

/** The shape of every API key: `key_<id>.<secret>`. */
export const API_KEY_SHAPE = /^key_([A-Za-z0-9]{1,40})\.([A-Za-z0-9_-]{16,200})$/;

function parseSetting(setting: Setting, text: string): unknown {
  if (setting.choices) {
    if (setting.choices.includes(text)) return text;
    throw new ConfigError(`${setting.env} is “${text}”; it must be one of ${setting.choices.join(', ')}.`);
  }
  if (setting.unit === 'list') {
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }
  if (typeof setting.default === 'string') return text;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = setting;
  if (number >= min && number <= max) return number;
  throw new ConfigError(
    `${setting.env} is “${text}”; it must be a whole number from ${min} to ${max} (${setting.unit}).`,
  );
}

/** The defaults, with some of them set: how tests and embedders begin. */
export function defaultConfig(overrides: Partial<Config> = {}): Config {
  return { ...readConfig({}).config, ...overrides };
}
