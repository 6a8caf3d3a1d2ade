import { type Setting } from './setting.ts';

/** Maximum numbers of connections, operations, memberships and grants. */
export const COUNT_SETTINGS = {
  maxConnections: {
    env: 'SIGNALBOX_MAX_CONNECTIONS',
    default: 50_000,
    unit: 'count',
    min: 1,
    max: 10_000_000,
    about:
      'Maximum number of live connections (WebSocket and SSE) in total. The same number limits the connections for plain HTTP requests, which are counted separately; a new one beyond the limit replaces an idle one.',
  },
  reservedConnectionsPercent: {
    env: 'SIGNALBOX_RESERVED_CONNECTIONS_PERCENT',
    default: 10,
    unit: 'percent',
    min: 0,
    max: 90,
    about:
      'Share of SIGNALBOX_MAX_CONNECTIONS that only API keys can use, so that a flood of users cannot keep a backend out.',
  },
  maxConnectionsPerAddress: {
    env: 'SIGNALBOX_MAX_CONNECTIONS_PER_ADDRESS',
    default: 1_000,
    unit: 'count',
    min: 1,
    max: 10_000_000,
    about:
      'Maximum number of live connections (WebSocket and SSE) from one network address. The same number limits its connections for plain HTTP requests, which are counted separately; behind trusted proxies, it limits the open HTTP requests of the address instead.',
  },
  maxConnectionsPerToken: {
    env: 'SIGNALBOX_MAX_CONNECTIONS_PER_TOKEN',
    default: 50,
    unit: 'count',
    min: 1,
    max: 1_000_000,
    about: 'Maximum number of live connections of one token, on all nodes together.',
  },
  maxOperationsPerConnection: {
    env: 'SIGNALBOX_MAX_OPERATIONS_PER_CONNECTION',
    default: 100,
    unit: 'count',
    min: 1,
    max: 100_000,
    about: 'Maximum number of concurrent operations on one connection.',
  },
  maxDistinctOperationsPerConnection: {
    env: 'SIGNALBOX_MAX_DISTINCT_OPERATIONS_PER_CONNECTION',
    default: 20,
    unit: 'count',
    min: 1,
    max: 100_000,
    about:
      'Maximum number of distinct subscription operations on one connection. Operations that differ only in the arguments of the subscription count once.',
  },
  maxDistinctOperationsPerToken: {
    env: 'SIGNALBOX_MAX_DISTINCT_OPERATIONS_PER_TOKEN',
    default: 50,
    unit: 'count',
    min: 1,
    max: 100_000,
    about:
      'Maximum number of distinct subscription operations of one token, or of all anonymous callers of one network address. It also limits how many subscriptions of one token to one channel may have results that depend on the caller.',
  },
  maxDistinctOperationsPerChannel: {
    env: 'SIGNALBOX_MAX_DISTINCT_OPERATIONS_PER_CHANNEL',
    default: 200,
    unit: 'count',
    min: 1,
    max: 100_000,
    about:
      'Maximum number of distinct subscription operations of all tokens and anonymous callers to one channel, and to the inboxes of one project. Each is executed once per event. One token may use at most half of the remaining ones, so that a few tokens cannot use them up. API keys do not count.',
  },
  maxMembershipsPerToken: {
    env: 'SIGNALBOX_MAX_MEMBERSHIPS_PER_TOKEN',
    default: 1_000,
    unit: 'count',
    min: 1,
    max: 2_000,
    about:
      'Maximum number of channels that one token may be subscribed to. A connection of the token joins all of them at once.',
  },
  maxGrantsPerToken: {
    env: 'SIGNALBOX_MAX_GRANTS_PER_TOKEN',
    default: 100,
    unit: 'count',
    min: 1,
    max: 10_000,
    about: 'Maximum number of grants of one token.',
  },
} as const satisfies Record<string, Setting>;
