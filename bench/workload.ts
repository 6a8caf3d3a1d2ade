/** The amount of work of a run. Values are counts, or milliseconds if the name ends in `Ms`. */
export interface Workload {
  /** Subscribers of one channel, in the fan-out, stalled and revocation scenarios. */
  readonly subscribers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Longer than `warmUpMs`, because publishes compile more code and fewer of them fit into a second. */
  readonly publishWarmUpMs: number;
  /** Connections in the connections scenario. */
  readonly connections: number;
  /** Clients that resume at once. */
  readonly resumers: number;
  /** Messages that each of them has missed. */
  readonly missedMessages: number;
  /** Tokens in the channels scenario: few, since each is a member of up to 1,000 channels. */
  readonly members: number;
  readonly channelCounts: readonly number[];
  readonly sizes: readonly number[];
  /** Numbers of projects that share the publishes, in the cluster scenario. */
  readonly projectCounts: readonly number[];
  /** Tokens that the cluster scenario revokes, one after another, of half as many as `subscribers`. */
  readonly revokedTokens: number;
  /** Number of measured revocations in one round, after a warm-up. */
  readonly revocations: number;
  /** Duration of the stream while all clients read. With a stalled reader, the stream lasts until that one is closed. */
  readonly stallMs: number;
  /** Connections, tokens and purged messages in the stalls scenario. */
  readonly stallConnections: number;
  readonly stallTokens: number;
  readonly purgedMessages: number;
  /** Time for which the server is idle before its memory is measured. */
  readonly memorySettleMs: number;
}

export const FULL: Workload = {
  subscribers: 1000,
  warmUpMs: 2000,
  publishWarmUpMs: 4000,
  measureMs: 3000,
  connections: 8000,
  resumers: 8000,
  missedMessages: 100,
  members: 100,
  channelCounts: [1, 10, 100, 1000],
  sizes: [100, 500, 2000, 8000],
  projectCounts: [1, 8, 64],
  revokedTokens: 500,
  revocations: 5,
  stallMs: 6000,
  stallConnections: 2000,
  stallTokens: 50_000,
  purgedMessages: 200_000,
  memorySettleMs: 3000,
};

export const QUICK: Workload = {
  ...FULL,
  warmUpMs: 300,
  publishWarmUpMs: 1200,
  measureMs: 500,
  connections: 2000,
  resumers: 1000,
  members: 50,
  channelCounts: [1, 300],
  sizes: [100, 1000],
  projectCounts: [1, 8],
  revokedTokens: 100,
  revocations: 1,
  stallMs: 2000,
  stallTokens: 10_000,
  purgedMessages: 40_000,
  memorySettleMs: 500,
};

/** Checks that every scenario works. The numbers are meaningless. */
export const SMOKE: Workload = {
  ...QUICK,
  subscribers: 50,
  warmUpMs: 50,
  publishWarmUpMs: 100,
  measureMs: 100,
  connections: 100,
  resumers: 50,
  members: 10,
  channelCounts: [1, 10],
  sizes: [20, 50],
  projectCounts: [1, 2],
  revokedTokens: 5,
  revocations: 1,
  stallMs: 1000,
  stallConnections: 50,
  stallTokens: 100,
  purgedMessages: 400,
  memorySettleMs: 200,
};
