import { type Workload } from '../workload.ts';

/** A scenario, and the contenders that take part in it. The file with its name contains the work of the load generator. */
export interface Scenario {
  readonly name: string;
  /** The parts that the scenario measures with one server. `--only` accepts their names as well. */
  readonly parts: readonly string[];
  readonly title: string;
  /** Names of the contenders. `quickContenders` replaces them with `--quick` and `--smoke`. */
  readonly contenders: readonly string[];
  readonly quickContenders?: readonly string[];
  /** The sizes that the scenario runs with, one after another. Default: a single size. */
  variants?(workload: Workload): readonly number[];
  /** Number of rounds with `--quick` and `--smoke`. */
  readonly quickRounds: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Number of sockets that the load generator opens. */
  sockets(workload: Workload): number;
}

const SIGNALBOX_ONLY = ['signalbox'];
const ALL_SERVERS = [
  ...['yoga', 'apollo', 'mercurius', 'socket-io', 'raw-ws', 'nchan', 'signalbox-uuid'],
  ...SIGNALBOX_ONLY,
];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'fanout',
    parts: ['fanout-single', 'fanout-burst'],
    title: 'Fan-out to 1,000 subscribers of one channel',
    contenders: ALL_SERVERS,
    // The contenders that targets refer to.
    quickContenders: ['yoga', 'apollo', 'mercurius', 'raw-ws', 'nchan', 'signalbox-uuid', 'signalbox'],
    quickRounds: 2,
    sockets: ({ subscribers }) => subscribers,
  },
  {
    name: 'connections',
    parts: ['connect', 'memory'],
    title: 'Connections with one subscription each',
    contenders: ALL_SERVERS,
    quickContenders: ['socket-io', 'raw-ws', 'signalbox'],
    quickRounds: 1,
    sockets: ({ connections }) => connections,
  },
  {
    name: 'publishes',
    parts: ['publish-http', 'publish-ws'],
    title: 'Acknowledged publishes',
    contenders: ['yoga', 'mercurius', 'signalbox'],
    quickRounds: 1,
    sockets: () => 33,
  },
  {
    name: 'resume',
    parts: ['resume'],
    title: 'All clients resume at once',
    contenders: SIGNALBOX_ONLY,
    quickRounds: 1,
    sockets: ({ resumers }) => resumers,
  },
  {
    name: 'stalled',
    parts: ['stalled'],
    title: 'One stalled reader among a thousand',
    contenders: SIGNALBOX_ONLY,
    quickRounds: 1,
    sockets: ({ subscribers }) => subscribers,
  },
  {
    name: 'channels',
    parts: ['channels'],
    title: 'Many channels per connection',
    contenders: SIGNALBOX_ONLY,
    quickRounds: 1,
    variants: ({ channelCounts }) => channelCounts,
    sockets: ({ members }) => members,
  },
  {
    name: 'size',
    parts: ['size-single', 'size-burst'],
    title: 'Cost against the number of subscribers',
    contenders: SIGNALBOX_ONLY,
    quickRounds: 1,
    variants: ({ sizes }) => sizes,
    sockets: ({ sizes }) => Math.max(...sizes),
  },
  {
    name: 'revocation',
    parts: ['revocation'],
    title: 'From a revocation to the last close',
    contenders: SIGNALBOX_ONLY,
    quickRounds: 1,
    sockets: ({ subscribers }) => subscribers,
  },
  {
    name: 'cluster',
    parts: ['cluster-publish', 'cluster-same', 'cluster-other', 'cluster-burst', 'cluster-revocation'],
    title: 'Several nodes on PostgreSQL',
    contenders: ['signalbox', 'nodes-1', 'nodes-1-memory', 'nodes-1-standby', 'nodes-2', 'nodes-3'],
    quickContenders: ['signalbox', 'nodes-1', 'nodes-2'],
    quickRounds: 1,
    variants: ({ projectCounts }) => projectCounts,
    sockets: ({ subscribers }) => 3 * subscribers,
  },
  {
    name: 'stalls',
    parts: ['stalls', 'stalls-gc'],
    title: 'Longest turns of the event loop',
    contenders: SIGNALBOX_ONLY,
    quickRounds: 1,
    // Purges start soon after messages become obsolete, and every message is kept until then.
    env: { SIGNALBOX_PURGE_INTERVAL_MS: '500', SIGNALBOX_RETENTION_MESSAGES: '1000000' },
    sockets: ({ stallConnections }) => stallConnections,
  },
];
