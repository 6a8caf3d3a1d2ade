import { type Batch } from '../batch.ts';
import { type Address, type Draft, type Message } from './message.ts';
import { type Position } from './position.ts';

/** The outcome of appending a draft. A repeated idempotency key yields the message of the first publish. */
export type Appended =
  | { outcome: 'APPENDED' | 'REPEATED'; message: Message }
  /** The idempotency key was used for a different message. */
  | { outcome: 'CONFLICT' }
  /** The channel of the draft was deleted after the publisher was authorized. */
  | { outcome: 'CHANNEL_DELETED' };

export interface ReadRequest {
  projectId: string;
  /** Reads messages with a higher sequence number. */
  after: number;
  /** The addresses to read, each with its floor: messages up to and including that sequence number are skipped. */
  addresses: ReadonlyMap<Address, number>;
  /** Maximum number of messages. */
  limit: number;
  /** Maximum size of all `data` as JSON, in bytes; the first message is returned even if it is larger. Default: unbounded. */
  maxBytes?: number;
}

/** The part of a channel's messages that its history policy keeps. A message outside either bound is not readable. */
export interface HistoryBounds {
  /** The number of newest messages. Undefined: no bound. */
  keep: number | undefined;
  /** Messages published at this moment or later, in milliseconds since 1970. Undefined: no bound. */
  since: number | undefined;
}

/** A consistent snapshot of a part of the log. */
export interface LogPage {
  messages: Batch<Message>;
  /** The last sequence number that was examined. Continue reading after this number to miss nothing. */
  through: number;
  /** Whether the log may hold more messages for these addresses. */
  hasMore: boolean;
  /** Addresses that lost messages of the requested range to retention. */
  lost: Address[];
  /** Addresses with messages of this page that are damaged in the store, and are therefore missing from `messages`. */
  damaged: Address[];
}

/** The ordered record of a project's messages, as the in-process broker needs it: synchronous, with a single writer. */
export interface Log {
  /** Appends all drafts in order, in one transaction. The appended messages are durable when this returns. */
  append(drafts: readonly Draft[]): Appended[];
  /** The position of the newest message. */
  head(projectId: string): Position;
  /** The position of a sequence that is not beyond the head. */
  positionAt(projectId: string, sequence: number): Position;
  /** Whether this log holds a position; false if a restore or a loss of power removed it, and beyond the head. */
  holds(projectId: string, position: Position): boolean;
  read(request: ReadRequest): LogPage;
  /**
   * Reads backwards: the newest `limit` messages of an address with `after` < sequence < `before`. The page lists the
   * oldest message first.
   */
  readBack(
    projectId: string,
    address: Address,
    range: { after: number; before: number },
    limit: number,
  ): LogPage;
  /** The sequence number through which retention has trimmed the address; 0 when nothing was trimmed. */
  trimmedThrough(projectId: string, address: Address): number;
  /**
   * The sequence number of the newest message after `after` that lies outside the bounds; `after` if there is none. It
   * differs from `trimmedThrough` until the next purge.
   */
  expiredThrough(projectId: string, address: Address, bounds: HistoryBounds, after: number): number;
}
