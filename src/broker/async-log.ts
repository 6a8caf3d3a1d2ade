import { type Appended, type Log } from './log.ts';
import { type Draft, type Message } from './message.ts';

/** The reads of a log whose answers cross a network. */
type Reads = Pick<
  Log,
  'head' | 'positionAt' | 'holds' | 'read' | 'readBack' | 'trimmedThrough' | 'expiredThrough'
>;

/** The messages of all addresses with `after` < sequence <= `through`. */
export interface LogRange {
  after: number;
  through: number;
  /** Maximum number of messages. */
  limit: number;
  /** Maximum size of all `data` as JSON, in bytes; the first message is returned even if it is larger. */
  maxBytes: number;
}

/** The ordered record of a project's messages in a database that several processes can reach; see `Log`. */
export type AsyncLog = {
  readonly [Name in keyof Reads]: (...args: Parameters<Reads[Name]>) => Promise<ReturnType<Reads[Name]>>;
} & {
  /**
   * Appends a batch of drafts of one project in order; either all or none. No idempotency key may occur twice.
   * @param batch the number of the batch within this process and project, from 1. A number may be repeated with the same
   * drafts: they are appended once, and the answer is that of the first time.
   * @param answered the number of the newest batch whose answer this process received; 0: none
   */
  append(projectId: string, batch: number, answered: number, drafts: readonly Draft[]): Promise<Appended[]>;
  /** The messages of a part of the log, the oldest first; see `LogRange`. */
  readRange(
    projectId: string,
    range: LogRange,
  ): Promise<{
    messages: Message[];
    /** The sequence of the newest message of the log at that moment. */
    head: number;
    /** Whether the limits of the range left messages out. */
    isFull: boolean;
  }>;
  /** The sequences of the newest messages of projects; a project without messages may be absent. */
  headsOf(projectIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
};

/** Whether it is unknown if an append took effect, so that its batch number must be repeated. */
export type IsOutcomeUnknown = (error: unknown) => boolean;
