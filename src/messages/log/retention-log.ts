import { type LogStore } from './log-store.ts';
import { type SweepDuty } from './sweeping-node.ts';

/** The operations of the log that retention needs. */
type Operations = Pick<
  LogStore,
  | 'heads'
  | 'trimmedThrough'
  | 'excessThrough'
  | 'agedThrough'
  | 'trim'
  | 'trimProject'
  | 'listAddresses'
  | 'listProjects'
  | 'removeExpiredKeys'
>;

/** A log whose operations are synchronous, or answer over a network; see LogStore and TrimStore. */
export type RetentionLog = {
  readonly [Name in keyof Operations]: (
    ...args: Parameters<Operations[Name]>
  ) => ReturnType<Operations[Name]> | Promise<ReturnType<Operations[Name]>>;
} & Pick<LogStore, 'takeDirtyAddresses'> & {
    /** What a purge of this node covers where several nodes share the log. Absent: everything. */
    readonly sweepDuty?: () => Promise<SweepDuty>;
    /** Removes up to `limit` rows that processes have left behind which ended long ago. Resolves to the number removed. */
    readonly removeEndedLanes?: (limit: number) => Promise<number>;
  };
