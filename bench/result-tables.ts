export interface Column {
  readonly key: string;
  readonly label: string;
  /** Set for rates. For all other values, less is better. */
  readonly isMoreBetter?: boolean;
}

/** The table of a part. Its first column is also drawn as a chart, with a bar for each row. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  /** The unit of the sizes, if there are several. */
  readonly variantUnit?: string;
  /** If there is only one row: the columns to draw instead, a bar for each. They have the same unit. */
  readonly drawn?: readonly Column[];
}

const CPU = { key: 'cpuUsPerDelivery', label: 'CPU per delivery, µs' };
const RATE = { key: 'deliveriesPerSecond', label: 'deliveries/s', isMoreBetter: true };
const P50 = { key: 'p50Ms', label: 'p50, ms' };
const P99 = { key: 'p99Ms', label: 'p99, ms' };
const LAST = { key: 'lastMs', label: 'last, ms' };
const GENERATOR = { key: 'generatorShare', label: 'generator busy, %' };
const PUBLISHES = [
  { key: 'publishesPerSecond', label: 'acknowledged publishes/s', isMoreBetter: true },
  { key: 'cpuUsPerPublish', label: 'CPU per publish, µs' },
  P50,
  P99,
  GENERATOR,
];
const STALLED_LATENCIES = [
  { key: 'p50MsBefore', label: 'p50 before, ms' },
  { key: 'p50MsDuring', label: 'p50 during, ms' },
  { key: 'p99MsBefore', label: 'p99 before, ms' },
  { key: 'p99MsDuring', label: 'p99 during, ms' },
];
const LONGEST_TURNS = [
  { key: 'subscribeTokensMs', label: 'subscribeTokens' },
  { key: 'unsubscribeTokensMs', label: 'unsubscribeTokens' },
  { key: 'updateProjectMs', label: 'updateProject' },
  { key: 'listOfflineMs', label: 'tokens(online: false)' },
  { key: 'listOnlineMs', label: 'tokens(online: true)' },
  { key: 'isOnlineMs', label: 'isOnline(identity)' },
  { key: 'disconnectMs', label: 'disconnect(identity)' },
  { key: 'updateChannelMs', label: 'updateChannel' },
  { key: 'deleteChannelMs', label: 'deleteChannel' },
  { key: 'deleteFullChannelMs', label: 'deleteChannel and its purge' },
  { key: 'revokeTokensMs', label: 'revokeTokens' },
  { key: 'purgeMs', label: 'purge' },
];
const DELIVERY = [CPU, RATE, P50, P99, GENERATOR];

/** The tables by part of a scenario. */
export const TABLES: Readonly<Record<string, Table>> = {
  'calibration-single': { title: 'The load generator alone, one frame per read', columns: [RATE, GENERATOR] },
  'calibration-burst': { title: 'The load generator alone, 16 frames per read', columns: [RATE, GENERATOR] },
  'fanout-single': { title: 'Fan-out to 1,000 subscribers, one publish at a time', columns: DELIVERY },
  'fanout-burst': { title: 'Fan-out to 1,000 subscribers, 16 publishes in flight', columns: DELIVERY },
  connect: {
    title: 'Connects, one subscription each',
    columns: [
      { key: 'cpuUsPerConnect', label: 'CPU per connect, µs' },
      { key: 'connectsPerSecond', label: 'connects/s' },
      P50,
      P99,
      GENERATOR,
    ],
  },
  memory: {
    title: 'Memory of idle connections, one subscription each',
    columns: [
      { key: 'kbPerConnection', label: 'KB per connection' },
      { key: 'connections', label: 'connections' },
    ],
  },
  'publish-http': { title: 'Publishes over HTTP, 32 connections', columns: PUBLISHES },
  'publish-ws': { title: 'Publishes over one WebSocket, 256 in flight', columns: PUBLISHES },
  resume: {
    title: 'All resume at once, 100 missed messages each',
    columns: [
      { key: 'cpuUsPerMessage', label: 'CPU per replayed message, µs' },
      { key: 'caughtUpMs', label: 'all caught up after, ms' },
      { key: 'messagesPerSecond', label: 'messages/s' },
      { key: 'p50Ms', label: 'a client caught up after: p50, ms' },
      P99,
      { key: 'resumers', label: 'clients' },
      GENERATOR,
    ],
  },
  stalled: {
    title: 'One stalled reader among a thousand',
    columns: [
      RATE,
      ...STALLED_LATENCIES,
      { key: 'cpuUsBefore', label: 'CPU per delivery before, µs' },
      { key: 'cpuUsDuring', label: 'CPU per delivery during, µs' },
      { key: 'residentMbBefore', label: 'resident before, MB' },
      { key: 'residentMbDuring', label: 'resident during, MB' },
      { key: 'closedAfterMs', label: 'closed after, ms' },
      GENERATOR,
    ],
    drawn: STALLED_LATENCIES,
  },
  channels: { title: 'Channels per connection', columns: DELIVERY, variantUnit: 'channels' },
  'size-single': {
    title: 'Subscribers of one channel, one publish at a time',
    columns: DELIVERY,
    variantUnit: 'subscribers',
  },
  'size-burst': {
    title: 'Subscribers of one channel, 16 publishes in flight',
    columns: DELIVERY,
    variantUnit: 'subscribers',
  },
  revocation: {
    title: 'From a revocation to the close of 1,000 connections',
    columns: [
      { key: 'cpuUsPerClose', label: 'CPU per close, µs' },
      { key: 'closesPerSecond', label: 'closes/s' },
      P50,
      P99,
      LAST,
      GENERATOR,
    ],
    drawn: [P50, P99, LAST],
  },
  'cluster-publish': {
    title: 'Publishes over WebSockets to all nodes, 256 in flight',
    columns: PUBLISHES,
    variantUnit: 'projects',
  },
  'cluster-same': {
    title: 'Fan-out to 1,000 subscribers of the node that publishes, one publish at a time',
    columns: DELIVERY,
  },
  'cluster-other': {
    title: 'Fan-out to 1,000 subscribers of another node, one publish at a time',
    columns: DELIVERY,
  },
  'cluster-burst': {
    title: 'Fan-out to 1,000 subscribers of the last node, 16 publishes in flight',
    columns: DELIVERY,
  },
  'cluster-revocation': {
    title: 'From a revocation to the close of its connections on all nodes, 1,000 connections on each',
    columns: [
      P50,
      P99,
      LAST,
      { key: 'worstNodeP99Ms', label: 'p99 of the slowest node, ms' },
      { key: 'revocationsPerSecond', label: 'revocations/s', isMoreBetter: true },
      GENERATOR,
    ],
  },
  stalls: {
    title: 'Longest turn of the event loop of one call or job, ms',
    columns: [...LONGEST_TURNS, { key: 'purgeCpuUs', label: 'CPU per purged message, µs' }],
    drawn: LONGEST_TURNS,
  },
  'stalls-gc': {
    title:
      'Pauses of the garbage collector during each call or job, ms: at most this much of its longest turn',
    columns: LONGEST_TURNS,
  },
};
