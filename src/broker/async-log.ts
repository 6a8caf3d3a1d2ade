import { type Appended, type Log } from './log.ts';
import { type Draft, type Message } from './message.ts';
import { type Position } from './position.ts';

/** The reads of a log whose answers cross a network. */
type Reads = Pick<
  Log,
  'head' | 'positionAt' | 'holds' | 'read' | 'readBack' | 'trimmedThrough' | 'expiredThrough'
>;

/** The messages of all addresses with `after.sequence` < sequence <= `through`. */
export interface LogRange {
  after: Position;
  through: number;
  /** Maximum number of messages. */
  limit: number;
  /** Maximum size of all `data` as JSON, in bytes; the first message is returned even if it is larger. */
  maxBytes: number;
}

export interface AppendOptions {
  /**
   * The number of the batch within this process and project, from 1. A number may be repeated with the same drafts: they are
   * appended once, and the answer is that of the first time.
   */
  batch: number;
  /** The number of the newest batch whose answer this process received; 0: none. */
  answered: number;
  /** The number of the last signal that the node had applied when it made the batch. */
  signals: number;
}

/**
 * How old a signal may be that a node had not applied when it made a batch, in milliseconds. The node waits longer for the append before it
 * confirms the signal: `MAX_APPEND_MS`. The difference is left for the commit.
 */
export const MAX_UNSEEN_MS = 1000;

/** The ordered record of a project's messages in a database that several processes can reach; see `Log`. */
export type AsyncLog = {
  readonly [Name in keyof Reads]: (...args: Parameters<Reads[Name]>) => Promise<ReturnType<Reads[Name]>>;
} & {
  /**
   * Appends a batch of drafts of one project in order; either all or none. No idempotency key may occur twice.
   * @throws RightsChanged, and appends nothing, when a signal after `signals` that may end rights in the project is older than
   * `MAX_UNSEEN_MS`: the batch has waited since its publishers were authorized
   */
  append(projectId: string, options: AppendOptions, drafts: readonly Draft[]): Promise<Appended[]>;
  /** The messages of a part of the log, the oldest first; see `LogRange`. */
  readRange(
    projectId: string,
    range: LogRange,
  ): Promise<
    LogHead & {
      messages: Message[];
      /** Whether the limits of the range left messages out. */
      isFull: boolean;
      /** The end of what was read: of the range, of the log, or of what the limits allow. */
      end: Position;
    }
  >;
  /** The heads of the logs of projects, and whether each holds the position that is named with it. */
  headsOf(positions: ReadonlyMap<string, Position>): Promise<ReadonlyMap<string, LogHead>>;
};

/** The end of a log at some moment. */
export interface LogHead {
  /** The sequence of the newest message; 0: none. */
  head: number;
  /** Whether the log holds the position with which the head was asked for; false if an older copy has replaced it since. */
  holds: boolean;
}

/** Whether it is unknown if an append took effect, so that its batch number must be repeated. */
export type IsOutcomeUnknown = (error: unknown) => boolean;
