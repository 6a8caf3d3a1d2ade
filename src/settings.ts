/**
 * One setting of the operator. The table below is the single source of names, defaults, units and ranges; the
 * documented table is printed from it.
 */
export interface Setting {
  /** The environment variable. */
  env: string;
  default: string | number;
  unit:
    | 'text'
    | 'bits'
    | 'percent'
    | 'bytes'
    | 'ms'
    | 'seconds'
    | 'count'
    | 'per second'
    | 'switch'
    | 'choice'
    | 'list'
    | 'origins'
    | 'hosts';
  /** Inclusive; numbers only. */
  min?: number;
  /** Inclusive; numbers only. */
  max?: number;
  choices?: readonly string[];
  /** A description for operators, in Markdown. */
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
    about: 'TCP port; 0 selects any free port.',
  },
  host: {
    env: 'HOST',
    default: '127.0.0.1',
    unit: 'text',
    about: 'Address to listen on. `0.0.0.0` accepts connections from the network.',
  },
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
      'Connections to PostgreSQL, where `SIGNALBOX_DATABASE_URL` is set; one more holds the lock of the node.',
  },
  mode: {
    env: 'NODE_ENV',
    default: 'development',
    unit: 'choice',
    choices: ['development', 'test', 'production'],
    about:
      '`production` disables GraphiQL, introspection and suggestions, and, in projects, anonymous callers and guests, unless they are enabled explicitly.',
  },
  logLevel: {
    env: 'SIGNALBOX_LOG_LEVEL',
    default: 'info',
    unit: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    about: 'Lowest severity that is logged. The audit log has a switch of its own.',
  },
  auditLog: {
    env: 'SIGNALBOX_AUDIT_LOG',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about:
      'The audit log: who did what, and who was refused; `auto` writes it at every log level except `silent`.',
  },
  graphiql: {
    env: 'SIGNALBOX_GRAPHIQL',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about: 'GraphiQL at `/graphql`; `auto` enables it outside production.',
  },
  introspection: {
    env: 'SIGNALBOX_INTROSPECTION',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about: 'Schema introspection; `auto` enables it outside production.',
  },
  origins: {
    env: 'SIGNALBOX_ORIGINS',
    default: '',
    unit: 'origins',
    about:
      'Additional origins from which web pages may connect, for example `https://app.example`; the service’s own origin is allowed under the names of `SIGNALBOX_HOSTS`, and in development every loopback origin. `*` allows all. `null` must be listed like any other origin. A value that no page can have ends the start.',
  },
  hosts: {
    env: 'SIGNALBOX_HOSTS',
    default: '',
    unit: 'hosts',
    about:
      'Names under which browsers may ask the service, for example `signalbox.example`, without a port; `*` allows all. Always allowed are IP addresses, `localhost`, names without a dot and the hosts of `SIGNALBOX_ORIGINS`. Other names are refused with 421, except `/health` and `/ready`; in production only if names are listed. A page of the same host counts as the service’s own page under these names only.',
  },
  trustedProxies: {
    env: 'SIGNALBOX_TRUSTED_PROXIES',
    default: 0,
    unit: 'count',
    min: 0,
    max: 10,
    about:
      'Number of proxies in front of the service that append to `X-Forwarded-For`; 0 ignores the header. An entry that is not an IP address, for example one with a port, counts for the proxy that sent it.',
  },
  ipv6PrefixLength: {
    env: 'SIGNALBOX_IPV6_PREFIX_LENGTH',
    default: 64,
    unit: 'bits',
    min: 16,
    max: 128,
    about:
      'Bits of an IPv6 address that count as one network address in every limit, because one client commands a whole prefix. 56 or 48 where providers hand out larger prefixes.',
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
    about: 'Presence lease; the connections of a node that crashes stay in presence until its lease expires.',
  },
  expiryWarningSeconds: {
    env: 'SIGNALBOX_EXPIRY_WARNING_SECONDS',
    default: 180,
    unit: 'seconds',
    min: 0,
    max: DAY_SECONDS,
    about: 'How long before a token expires its connections receive `TokenExpiring`; 0 disables the warning.',
  },
  drainTimeoutMs: {
    env: 'SIGNALBOX_DRAIN_TIMEOUT_MS',
    default: 10_000,
    unit: 'ms',
    min: 0,
    max: 600_000,
    about: 'How long the service waits for open requests and sockets after SIGTERM.',
  },
  drainDelayMs: {
    env: 'SIGNALBOX_DRAIN_DELAY_MS',
    default: 1_000,
    unit: 'ms',
    min: 0,
    max: 600_000,
    about:
      'How long the service goes on as usual after SIGTERM while `/ready` answers 503, so that load balancers stop sending new connections. SIGINT does not wait.',
  },
  handshakeTimeoutMs: {
    env: 'SIGNALBOX_HANDSHAKE_TIMEOUT_MS',
    default: 5_000,
    unit: 'ms',
    min: 100,
    max: 60_000,
    about: 'Time from opening a socket to `connection_ack`, including verification of the credential.',
  },
  responseTimeoutMs: {
    env: 'SIGNALBOX_RESPONSE_TIMEOUT_MS',
    default: 60_000,
    unit: 'ms',
    min: 100,
    max: 3_600_000,
    about: 'How long a client may take to read the answer to an HTTP request before its connection is cut.',
  },
  keepAliveMs: {
    env: 'SIGNALBOX_KEEP_ALIVE_MS',
    default: 75_000,
    unit: 'ms',
    min: 1000,
    max: 3_600_000,
    about:
      'How long an idle HTTP connection stays open for the next request. Longer than the idle time of the load balancer in front, which is often 60 s.',
  },
  pingIntervalMs: {
    env: 'SIGNALBOX_PING_INTERVAL_MS',
    default: 15_000,
    unit: 'ms',
    min: 100,
    max: 300_000,
    about: 'Time between pings; a socket that has not answered a ping when the next is due is closed.',
  },
  maxMessageBytes: {
    env: 'SIGNALBOX_MAX_MESSAGE_BYTES',
    default: 65_536,
    unit: 'bytes',
    min: 1024,
    max: 16 * MIB,
    about: 'Maximum size of a request body and of a WebSocket message from a client.',
  },
  maxDataBytes: {
    env: 'SIGNALBOX_MAX_DATA_BYTES',
    default: 32_768,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about: 'Maximum size of the `data` of a message, as JSON.',
  },
  maxSignalBytes: {
    env: 'SIGNALBOX_MAX_SIGNAL_BYTES',
    default: 8_192,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about:
      'Maximum size of the `data` of a direct message to one connection: a string is measured in bytes, any other value as JSON.',
  },
  maxStateBytes: {
    env: 'SIGNALBOX_MAX_STATE_BYTES',
    default: 16_384,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about: 'Maximum size of the state of a channel or token, as JSON.',
  },
  maxPresenceBytes: {
    env: 'SIGNALBOX_MAX_PRESENCE_BYTES',
    default: 1_024,
    unit: 'bytes',
    min: 64,
    max: 65_536,
    about: 'Maximum size of the presence state of a connection, as JSON.',
  },
  maxQueueBytes: {
    env: 'SIGNALBOX_MAX_QUEUE_BYTES',
    default: MIB,
    unit: 'bytes',
    min: 16_384,
    max: 256 * MIB,
    about:
      'Bytes queued for one slow client before its connection is closed with 4408; the client resumes by cursor.',
  },
  maxConnections: {
    env: 'SIGNALBOX_MAX_CONNECTIONS',
    default: 50_000,
    unit: 'count',
    min: 1,
    max: 10_000_000,
    about:
      'Maximum number of live connections (WebSocket and SSE) in total, and, counted apart from them, of connections for plain HTTP requests. A new HTTP connection beyond the limit takes the place of an idle one.',
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
      'Maximum number of live connections (WebSocket and SSE) from one network address, and, counted apart from them, of connections for plain HTTP requests. Behind trusted proxies, the limit of an address applies to its open HTTP requests.',
  },
  maxConnectionsPerToken: {
    env: 'SIGNALBOX_MAX_CONNECTIONS_PER_TOKEN',
    default: 50,
    unit: 'count',
    min: 1,
    max: 1_000_000,
    about: 'Maximum number of live connections of one token.',
  },
  maxOperationsPerConnection: {
    env: 'SIGNALBOX_MAX_OPERATIONS_PER_CONNECTION',
    default: 100,
    unit: 'count',
    min: 1,
    max: 100_000,
    about: 'Maximum number of concurrent operations on one connection.',
  },
  maxDocumentsPerConnection: {
    env: 'SIGNALBOX_MAX_DOCUMENTS_PER_CONNECTION',
    default: 20,
    unit: 'count',
    min: 1,
    max: 100_000,
    about:
      'Maximum number of differing subscription operations on one connection. Operations that differ only in the arguments of the subscription count once.',
  },
  maxDocumentsPerToken: {
    env: 'SIGNALBOX_MAX_DOCUMENTS_PER_TOKEN',
    default: 50,
    unit: 'count',
    min: 1,
    max: 100_000,
    about:
      'Maximum number of differing subscription operations of one token, or of the anonymous callers of one network address; and of subscriptions of one token to one channel whose result depends on the caller.',
  },
  maxDocumentsPerChannel: {
    env: 'SIGNALBOX_MAX_DOCUMENTS_PER_CHANNEL',
    default: 200,
    unit: 'count',
    min: 1,
    max: 100_000,
    about:
      'Maximum number of differing subscription operations of all tokens and anonymous callers to one channel, and to the inboxes of one project. Each is executed once per event. A token may use half of those that are left, so that a few tokens cannot use them up. API keys do not count.',
  },
  maxRetainedBytesPerConnection: {
    env: 'SIGNALBOX_MAX_RETAINED_BYTES_PER_CONNECTION',
    default: 4 * MIB,
    unit: 'bytes',
    min: 16_384,
    max: 1024 * MIB,
    about:
      'Estimated memory that the running operations of one connection may retain: their variables and their documents. An event stream over HTTP counts as a connection.',
  },
  maxRetainedBytesPerAddress: {
    env: 'SIGNALBOX_MAX_RETAINED_BYTES_PER_ADDRESS',
    default: 64 * MIB,
    unit: 'bytes',
    min: 65_536,
    max: 65_536 * MIB,
    about:
      'Estimated memory that the clients of one network address may retain: running operations, and answers that were not read.',
  },
  maxRetainedBytes: {
    env: 'SIGNALBOX_MAX_RETAINED_BYTES',
    default: 256 * MIB,
    unit: 'bytes',
    min: 65_536,
    max: 1_048_576 * MIB,
    about:
      'Estimated memory that all clients together may retain: running operations, open requests and answers that were not read.',
  },
  maxMembershipsPerToken: {
    env: 'SIGNALBOX_MAX_MEMBERSHIPS_PER_TOKEN',
    default: 1_000,
    unit: 'count',
    min: 1,
    max: 10_000,
    about: 'Maximum number of channels that one token may be subscribed to.',
  },
  maxGrantsPerToken: {
    env: 'SIGNALBOX_MAX_GRANTS_PER_TOKEN',
    default: 100,
    unit: 'count',
    min: 1,
    max: 10_000,
    about: 'Maximum number of grants of one token.',
  },
  maxCredentialBytes: {
    env: 'SIGNALBOX_MAX_CREDENTIAL_BYTES',
    default: 32_768,
    unit: 'bytes',
    min: 1024,
    max: 1_048_576,
    about:
      'Maximum size of a credential that another issuer signed. Over a WebSocket it must also fit into SIGNALBOX_MAX_MESSAGE_BYTES.',
  },
  privateProviders: {
    env: 'SIGNALBOX_PRIVATE_PROVIDERS',
    default: 'off',
    unit: 'choice',
    choices: ['on', 'off'],
    about:
      'Whether the keys of an OpenID provider may be fetched from a private or loopback address. Off by default, because a project could otherwise make the service send requests into your network.',
  },
  connectsPerSecond: {
    env: 'SIGNALBOX_CONNECTS_PER_SECOND',
    default: 200,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'New connections from one network address; bursts of twice this number are allowed.',
  },
  publishesPerSecondPerToken: {
    env: 'SIGNALBOX_PUBLISHES_PER_SECOND_PER_TOKEN',
    default: 50,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'Publishes by one token; bursts of twice this number are allowed.',
  },
  publishesPerSecondPerKey: {
    env: 'SIGNALBOX_PUBLISHES_PER_SECOND_PER_KEY',
    default: 50_000,
    unit: 'per second',
    min: 1,
    max: 10_000_000,
    about: 'Publishes by one API key; bursts of twice this number are allowed.',
  },
  stateChangesPerSecondPerToken: {
    env: 'SIGNALBOX_STATE_CHANGES_PER_SECOND_PER_TOKEN',
    default: 20,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'Changes of channel state by one token; bursts of twice this number are allowed.',
  },
  stateChangesPerSecondPerChannel: {
    env: 'SIGNALBOX_STATE_CHANGES_PER_SECOND_PER_CHANNEL',
    default: 200,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Changes of the state of one channel, by API keys and tokens together; bursts of twice this number are allowed.',
  },
  changesPerSecondPerToken: {
    env: 'SIGNALBOX_CHANGES_PER_SECOND_PER_TOKEN',
    default: 20,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Changes by one token that others see: mutes, bans and disconnects, its own memberships, and joins of channels by a connection that has left one. Each kind counts for itself; bursts of twice this number are allowed.',
  },
  operationCostPerSecondPerToken: {
    env: 'SIGNALBOX_OPERATION_COST_PER_SECOND_PER_TOKEN',
    default: 20_000,
    unit: 'per second',
    min: 100,
    max: 1_000_000_000,
    about:
      'Cost of the operations of one token, reads included; bursts of twice this number are allowed. An operation costs 10, 1 for each field that it may return and 5 for each row that it reads.',
  },
  operationCostPerSecondPerAddress: {
    env: 'SIGNALBOX_OPERATION_COST_PER_SECOND_PER_ADDRESS',
    default: 100_000,
    unit: 'per second',
    min: 100,
    max: 1_000_000_000,
    about:
      'Cost of the operations of all tokens and anonymous callers of one network address; bursts of twice this number are allowed.',
  },
  operationCostPerSecondPerKey: {
    env: 'SIGNALBOX_OPERATION_COST_PER_SECOND_PER_KEY',
    default: 10_000_000,
    unit: 'per second',
    min: 100,
    max: 1_000_000_000,
    about: 'Cost of the operations of one API key; bursts of twice this number are allowed.',
  },
  mintsPerSecond: {
    env: 'SIGNALBOX_MINTS_PER_SECOND',
    default: 2_000,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Tokens and credentials that one API key creates per second; bursts of twice this number are allowed.',
  },
  guestsPerSecond: {
    env: 'SIGNALBOX_GUESTS_PER_SECOND',
    default: 2,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'Guest tokens created from one network address; bursts of twice this number are allowed.',
  },
  auditedRefusalsPerSecondPerAddress: {
    env: 'SIGNALBOX_AUDITED_REFUSALS_PER_SECOND_PER_ADDRESS',
    default: 100,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Refusals of one network address that the audit log has lines for; bursts of twice this number are allowed. The others are counted, and a line every 10 s says how many they were.',
  },
  auditedRefusalsPerSecond: {
    env: 'SIGNALBOX_AUDITED_REFUSALS_PER_SECOND',
    default: 200,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'Refusals of all network addresses that the audit log has lines for, as above.',
  },
  maxDepth: {
    env: 'SIGNALBOX_MAX_DEPTH',
    default: 15,
    unit: 'count',
    min: 3,
    max: 100,
    about: 'Maximum depth of a GraphQL document, in levels.',
  },
  maxAliases: {
    env: 'SIGNALBOX_MAX_ALIASES',
    default: 30,
    unit: 'count',
    min: 0,
    max: 10_000,
    about: 'Maximum number of aliases in a GraphQL document; a fragment counts at every use.',
  },
  maxDirectives: {
    env: 'SIGNALBOX_MAX_DIRECTIVES',
    default: 30,
    unit: 'count',
    min: 0,
    max: 10_000,
    about: 'Maximum number of directives in a GraphQL document; a fragment counts at every use.',
  },
  maxTokens: {
    env: 'SIGNALBOX_MAX_TOKENS',
    default: 2_000,
    unit: 'count',
    min: 50,
    max: 1_000_000,
    about: 'Maximum number of lexical tokens in a GraphQL document.',
  },
  maxCost: {
    env: 'SIGNALBOX_MAX_COST',
    default: 50_000,
    unit: 'count',
    min: 100,
    max: 100_000_000,
    about:
      'Maximum number of fields that a GraphQL document may return; a list counts at its requested size.',
  },
} as const satisfies Record<string, Setting>;
