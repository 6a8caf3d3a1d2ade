import { type LogStore } from './log-store.ts';

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
} & Pick<LogStore, 'takeDirtyAddresses'>;
