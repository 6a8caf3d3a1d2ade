import { type Batch } from '../batch.ts';
import { type Address, type Draft, type Message } from './message.ts';
import { type Position } from './position.ts';

/** What became of a draft. A repeat yields the message that was said the first time. */
export type Appended =
  | { outcome: 'APPENDED' | 'REPEATED'; message: Message }
  /** The idempotency key was used for something else. */
  | { outcome: 'CONFLICT' };

export interface ReadRequest {
  projectId: string;
  /** Only what came after this sequence. */
  after: number;
  /** Only what was said at these addresses, and there only after the given sequence. */
  addresses: ReadonlyMap<Address, number>;
  /** Messages to return at most. */
  limit: number;
  /** Bytes of data, as JSON, to return at most, though never less than one message. Unbounded by default. */
  maxBytes?: number;
}

/** One consistent look at the log. */
export interface LogPage {
  messages: Batch<Message>;
  /** Through where this page looked: reading on after it misses nothing. */
  through: number;
  /** Whether the log has more for these addresses. */
  hasMore: boolean;
  /** Addresses at which messages that this read asks for are gone already. */
  lost: Address[];
}

/** The ordered record of a project's messages, as the in-process broker needs it: one writer, no waiting. */
export interface Log {
  /** Appends all in order, in one transaction; what it returns is kept. */
  append(drafts: readonly Draft[]): Appended[];
  head(projectId: string): Position;
  /** The position of a sequence that is not beyond the head. */
  positionAt(projectId: string, sequence: number): Position;
  /** Whether a position belongs to this log; false for one of a history that was undone, of another log or beyond the head. */
  holds(projectId: string, position: Position): boolean;
  read(request: ReadRequest): LogPage;
  /** Backwards: the last `limit` messages of an address before `before` and after `after`, oldest first. */
  readBack(
    projectId: string,
    address: Address,
    range: { after: number; before: number },
    limit: number,
  ): LogPage;
  /** The sequence through which the address was trimmed; 0: it lost nothing. */
  trimmedThrough(projectId: string, address: Address): number;
}
