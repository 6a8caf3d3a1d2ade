import { type Address, type Message } from '../broker/message.ts';
import { type Batch } from '../batch.ts';
import { type Connection } from './connection.ts';

/**
 * What a subscription received at one address. Batches are numbered in the order in which this node delivered them, so that
 * “before” and “after” are exact without a record for each delivery.
 */
export interface Span {
  /** Messages up to and including this sequence number are hidden: see `LogSubscriber.subscribe`. */
  floor: number;
  /** The sequence number after which the subscription began. */
  after: number;
  /** Everything for the subscription up to this sequence number has been delivered. */
  position: number;
  /** The number of the last batch that the subscription received while it was live, at any address; 0: none. */
  lastBatch: number;
  /** If the address was added to a subscription that had begun: its position and the number of the last batch at that time. */
  added: { position: number; batch: number } | undefined;
  /** The number of the last batch when the subscription became live. Infinite: it is still catching up. */
  liveAfterBatch: number;
  /** The number of the last batch when the subscription gave up the address. Infinite: it still has it. */
  endedInBatch: number;
  /** The event names that the subscription is limited to. Undefined: it receives all. */
  eventNames: ReadonlySet<string> | undefined;
}

/** A message as this node delivered it. */
export interface DeliveredMessage {
  /** Null for an ephemeral message. */
  sequence: number | null;
  event: string;
  /** The number of its batch; 0 if this node has not delivered it, before all that it has delivered. */
  batch: number;
}

/**
 * Whether a subscription received a message. HIDDEN: the message is below the floor of the subscription. BEFORE_START: the
 * subscription, or its cursor, began after the message. PENDING: the replay of the subscription has not reached the message.
 * INTERRUPTED: the subscription ended before its replay reached the message.
 */
export const RECEPTIONS = [
  'LIVE',
  'REPLAYED',
  'FILTERED',
  'PENDING',
  'INTERRUPTED',
  'BEFORE_START',
  'HIDDEN',
  'UNKNOWN',
] as const;
export type Reception = (typeof RECEPTIONS)[number];

/** Undefined: the subscription had given up the address before the message was delivered. */
export function receptionOf(span: Span, message: DeliveredMessage): Reception | undefined {
  if (message.batch > span.endedInBatch) return undefined;
  const reception =
    message.sequence === null
      ? ephemeralReception(span, message)
      : loggedReception(span, message, message.sequence);
  const isHandedOver = reception === 'LIVE' || reception === 'REPLAYED';
  return isHandedOver && span.eventNames?.has(message.event) === false ? 'FILTERED' : reception;
}

function loggedReception(
  { floor, after, position, added, liveAfterBatch, endedInBatch }: Span,
  { batch }: DeliveredMessage,
  sequence: number,
): Reception {
  if (sequence <= floor) return 'HIDDEN';
  if (sequence <= after) return 'BEFORE_START';
  if (batch > liveAfterBatch) {
    if (added && batch <= added.batch) return 'BEFORE_START';
    // Delivered, but not to this connection: it had closed and was not removed yet, or its rights had lapsed.
    return sequence <= position ? 'LIVE' : 'UNKNOWN';
  }
  if (added && (sequence <= added.position || added.batch >= liveAfterBatch)) return 'BEFORE_START';
  if (sequence <= position) return 'REPLAYED';
  return endedInBatch === Number.POSITIVE_INFINITY ? 'PENDING' : 'INTERRUPTED';
}

function ephemeralReception(
  { added, liveAfterBatch, lastBatch }: Span,
  { batch }: DeliveredMessage,
): Reception {
  if (added && batch <= added.batch) return 'BEFORE_START';
  // While it catches up, a subscription keeps the newest ephemeral messages only.
  return batch > liveAfterBatch && batch <= lastBatch ? 'LIVE' : 'UNKNOWN';
}

/** Keeps what `explainDelivery` needs. Must not throw. */
export interface DeliveryRecorder {
  /** @param number the number of the batch; see `Span` */
  delivered(batch: Batch<Message>, number: number): void;
  /** A subscription of a token gave up an address. */
  ended(connection: Connection, address: Address, span: Span): void;
}
