import { type Effort } from '../effort.ts';

/** What is measured, and of whom. What the load generator does for it is in the file of its name. */
export interface Scenario {
  readonly name: string;
  /** What it measures in one go; `--only` takes these as well. */
  readonly parts: readonly string[];
  readonly title: string;
  /** Names of contenders; absent: all. With `--quick`, `quickContenders` where there are some. */
  readonly contenders?: readonly string[];
  readonly quickContenders?: readonly string[];
  /** Sizes that it is played with, one after the other; absent: one. */
  variants?(effort: Effort): readonly number[];
  /** Rounds with `--quick`. */
  readonly quickRounds: number;
  readonly env?: Readonly<Record<string, string>>;
  /** How many sockets the load generator opens. */
  sockets(effort: Effort): number;
}

const OURS = ['signalbox'];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'fanout',
    parts: ['fanout-single', 'fanout-burst'],
    title: 'Fan-out to 1,000 subscribers of one channel',
    // Those that marks are about.
    quickContenders: ['yoga', 'apollo', 'mercurius', 'raw-ws', 'nchan', 'signalbox-uuid', 'signalbox'],
    quickRounds: 2,
    sockets: ({ subscribers }) => subscribers,
  },
  {
    name: 'connections',
    parts: ['connect', 'memory'],
    title: 'Connections with one subscription each',
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
    title: 'Everybody resumes at once',
    contenders: OURS,
    quickRounds: 1,
    sockets: ({ resumers }) => resumers,
  },
  {
    name: 'stalled',
    parts: ['stalled'],
    title: 'One stalled reader among a thousand',
    contenders: OURS,
    quickRounds: 1,
    sockets: ({ subscribers }) => subscribers,
  },
  {
    name: 'channels',
    parts: ['channels'],
    title: 'Many channels per connection',
    contenders: OURS,
    quickRounds: 1,
    variants: ({ channelCounts }) => channelCounts,
    sockets: ({ members }) => members,
  },
  {
    name: 'size',
    parts: ['size-single', 'size-burst'],
    title: 'Cost against the number of subscribers',
    contenders: OURS,
    quickRounds: 1,
    variants: ({ sizes }) => sizes,
    sockets: ({ sizes }) => Math.max(...sizes),
  },
  {
    name: 'revocation',
    parts: ['revocation'],
    title: 'From a revocation to the last close',
    contenders: OURS,
    quickRounds: 1,
    sockets: ({ subscribers }) => subscribers,
  },
];
