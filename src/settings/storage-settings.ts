import { type Setting } from './setting.ts';

const DAY_SECONDS = 86_400;

/** Settings of the store and of what the log keeps. */
export const STORAGE_SETTINGS = {
  data: {
    env: 'SIGNALBOX_DATA',
    default: './data',
    unit: 'text',
    about: 'Data folder; `:memory:` keeps all data in memory and loses it on exit.',
  },
  databaseConnections: {
    env: 'SIGNALBOX_DATABASE_CONNECTIONS',
    default: 10,
    unit: 'count',
    min: 2,
    max: 200,
    about:
      'Connections to PostgreSQL, where `SIGNALBOX_DATABASE_URL` is set; each node opens 3 more for leases and notifications.',
  },
  databaseFailover: {
    env: 'SIGNALBOX_DATABASE_FAILOVER',
    default: 'asynchronous',
    unit: 'choice',
    choices: ['asynchronous', 'synchronous'],
    about:
      '`asynchronous`: a PostgreSQL standby that is promoted may lack commits, so cursors of lost messages are refused and all connections are closed; `synchronous`: only standbys are promoted that have all commits, so every cursor stays valid.',
  },
  synchronous: {
    env: 'SIGNALBOX_SYNCHRONOUS',
    default: 'normal',
    unit: 'choice',
    choices: ['normal', 'full'],
    about:
      '`normal`: an acknowledged publish survives a process crash; `full`: it also survives a power loss.',
  },
  retentionSeconds: {
    env: 'SIGNALBOX_RETENTION_SECONDS',
    default: 7 * DAY_SECONDS,
    unit: 'seconds',
    min: 1,
    max: 3650 * DAY_SECONDS,
    about: 'How long the log keeps a message; a channel may set a shorter time.',
  },
  retentionMessages: {
    env: 'SIGNALBOX_RETENTION_MESSAGES',
    default: 10_000,
    unit: 'count',
    min: 1,
    max: 10_000_000,
    about:
      'Messages that the log keeps per channel and per direct address; a channel may set a lower number.',
  },
  purgeIntervalMs: {
    env: 'SIGNALBOX_PURGE_INTERVAL_MS',
    default: 10_000,
    unit: 'ms',
    min: 100,
    max: 3_600_000,
    about: 'How often messages outside retention are removed, in small steps.',
  },
  leaseMs: {
    env: 'SIGNALBOX_LEASE_MS',
    default: 10_000,
    unit: 'ms',
    min: 1000,
    max: 300_000,
    about:
      'Lease of a node: the connections of a node that crashes stay in presence until its lease expires. On PostgreSQL it also bounds how long a node may act without the database.',
  },
  expiryWarningSeconds: {
    env: 'SIGNALBOX_EXPIRY_WARNING_SECONDS',
    default: 180,
    unit: 'seconds',
    min: 0,
    max: DAY_SECONDS,
    about: 'How long before a token expires its connections receive `TokenExpiring`; 0 disables the warning.',
  },
} as const satisfies Record<string, Setting>;
