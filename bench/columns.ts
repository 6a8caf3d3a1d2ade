export interface Column {
  readonly key: string;
  readonly label: string;
}

/** How a part is shown: its columns, of which the first are drawn, one picture each. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  /** What the sizes are sizes of, where there are several. */
  readonly variantUnit?: string;
  /** Drawn: so many columns from the left, 1 by default; or all of them, as bars of one picture. */
  readonly drawn?: 'columns as bars';
}

const CPU = { key: 'cpuUsPerDelivery', label: 'CPU per delivery, µs' };
const RATE = { key: 'deliveriesPerSecond', label: 'deliveries/s' };
const P50 = { key: 'p50Ms', label: 'p50, ms' };
const P99 = { key: 'p99Ms', label: 'p99, ms' };
const GENERATOR = { key: 'generatorShare', label: 'generator, % of a core' };
const PUBLISHES = [
  { key: 'publishesPerSecond', label: 'acknowledged publishes/s' },
  { key: 'cpuUsPerPublish', label: 'CPU per publish, µs' },
  GENERATOR,
];
const DELIVERY = [CPU, RATE, P50, P99, GENERATOR];

/** By part of a scenario. */
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
      { key: 'resumers', label: 'clients' },
      GENERATOR,
    ],
  },
  stalled: {
    title: 'One stalled reader among a thousand',
    columns: [
      { key: 'p50MsBefore', label: 'p50 before, ms' },
      { key: 'p50MsDuring', label: 'p50 during, ms' },
      { key: 'p99MsBefore', label: 'p99 before, ms' },
      { key: 'p99MsDuring', label: 'p99 during, ms' },
      { key: 'residentMbBefore', label: 'resident before, MB' },
      { key: 'residentMbDuring', label: 'resident during, MB' },
    ],
    drawn: 'columns as bars',
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
    columns: [P50, P99, { key: 'lastMs', label: 'last, ms' }],
    drawn: 'columns as bars',
  },
};
