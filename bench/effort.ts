/** How much is done. Counts, and milliseconds where it says so. */
export interface Effort {
  /** Of one channel, in the fan-out scenarios, of the stalled reader and the revocation. */
  readonly subscribers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Of publishes: they compile more code, and fewer of them fit into a second. */
  readonly publishWarmUpMs: number;
  /** In the memory and connect scenario. */
  readonly connections: number;
  /** Clients that resume at once, and what each has missed. */
  readonly resumers: number;
  readonly missedMessages: number;
  /** In the scenario of many channels: few, since each is a member of up to 1,000. */
  readonly members: number;
  readonly channelCounts: readonly number[];
  readonly sizes: readonly number[];
  /** How often a thousand tokens are revoked in one round, after a first time. */
  readonly revocations: number;
  /** How long the stream goes on while all read; when one does not, it goes on until that one is closed. */
  readonly stallMs: number;
  /** How long the memory of an idle server is watched. */
  readonly memorySettleMs: number;
}

export const FULL: Effort = {
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
  revocations: 5,
  stallMs: 6000,
  memorySettleMs: 3000,
};

export const QUICK: Effort = {
  ...FULL,
  warmUpMs: 300,
  publishWarmUpMs: 1200,
  measureMs: 500,
  connections: 2000,
  resumers: 1000,
  members: 50,
  channelCounts: [1, 300],
  sizes: [100, 1000],
  revocations: 1,
  stallMs: 2000,
  memorySettleMs: 500,
};

/** Enough to see that everything works; its numbers mean nothing. */
export const SMOKE: Effort = {
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
  revocations: 1,
  stallMs: 1000,
  memorySettleMs: 200,
};
