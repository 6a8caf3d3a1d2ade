import { type Address } from '../broker/message.ts';
import { type Connections } from '../connections/registry.ts';
import { receptionOf, RECEPTIONS, type Reception, type Span } from '../connections/reception.ts';
import { isObject } from '../is-object.ts';
import { type DeliveryRecords } from './delivery-records.ts';

/** Deliveries that a node reports of a message and a token, the newest ones: far more than a client has subscriptions. */
export const MAX_DELIVERIES = 100;
/**
 * How much the clocks of two nodes may differ, in milliseconds: each of them by half of it from that of the database, beyond which
 * a node does not run.
 */
export const CLOCK_MARGIN_MS = 10_000;

/** What every node must know of a message to tell what it has done with it. */
export interface MessageFacts {
  projectId: string;
  id: string;
  address: Address;
  event: string;
  /** Null for an ephemeral message. */
  sequence: number | null;
  /** Milliseconds since 1970. */
  publishedAt: number;
  /** When a node that remembers it delivered it, in milliseconds since 1970. */
  deliveredAt: number;
}

export interface ReportedDelivery {
  connectionId: string;
  isReplay: boolean;
  /** When it was delivered, in milliseconds since 1970; null for a replay. */
  at: number | null;
}

/** What one node knows about a message and a token. */
export interface DeliveryReport {
  /** The connections of this node that the message was delivered to, one entry for each subscription, at most `MAX_DELIVERIES`. */
  deliveries: ReportedDelivery[];
  /** What happened at its other subscriptions, each once. */
  receptions: Reception[];
  /** Whether the token had a connection to this node when the message was delivered. */
  wasConnected: boolean;
  /** Whether the node has forgotten what may belong here. */
  hasForgotten: boolean;
}

/** Reports from the memory of this node. */
export function createDeliveryReports({
  records,
  connections,
}: {
  records: DeliveryRecords;
  connections: Pick<Connections, 'ofToken'>;
}): (message: MessageFacts, tokenId: string) => DeliveryReport {
  return (facts, tokenId) => {
    const recorded = records.message(facts.projectId, facts.id);
    const open = connections.ofToken(tokenId);
    // Those of open connections last, so that they are kept in any case.
    const spans = [
      ...records.endedSpans(tokenId, facts.address),
      ...open.flatMap(({ id: connectionId, openedAt, streams }) =>
        [...streams].flatMap((stream) => {
          const span = stream.span?.(facts.address);
          return span ? [{ connectionId, openedAt, endedAt: undefined, span }] : [];
        }),
      ),
    ];
    const received = spans.flatMap((one) => {
      if (!recorded && isApart(one, facts)) return [];
      const reception = receptionOf(one.span, recorded ?? { ...facts, batch: NOT_DELIVERED_HERE });
      return reception ? [{ ...one, reception }] : [];
    });
    const isHandedOver = (reception: Reception) => reception === 'LIVE' || reception === 'REPLAYED';
    const at = recorded?.deliveredAt ?? facts.deliveredAt;
    const hasForgotten = recorded
      ? records.isIncompleteSince(recorded)
      : records.hasForgottenSince(facts.publishedAt - CLOCK_MARGIN_MS);
    // A delivery that the node has forgotten looks like a replay, which a connection that was open by then seldom needs.
    const isReplay = ({ openedAt, reception }: { openedAt: number; reception: Reception }) =>
      reception === 'REPLAYED' && (recorded !== undefined || !hasForgotten || openedAt > at);
    return {
      deliveries: received
        .filter(({ reception }) => isHandedOver(reception))
        .slice(-MAX_DELIVERIES)
        .map((one) => ({
          connectionId: one.connectionId,
          isReplay: isReplay(one),
          at: isReplay(one) ? null : at,
        })),
      receptions: RECEPTIONS.filter(
        (one) => !isHandedOver(one) && received.some(({ reception }) => reception === one),
      ),
      wasConnected:
        open.some(({ openedAt }) => openedAt <= at) ||
        records.endedConnections(tokenId).some(({ openedAt, closedAt }) => openedAt <= at && at <= closedAt),
      hasForgotten,
    };
  };
}

/**
 * The number of the batch of a message that this node has not delivered: it was before all that the node has delivered, because a
 * node delivers all messages of the projects of its connections, or it is still to come.
 */
const NOT_DELIVERED_HERE = 0;

interface TimedSpan {
  span: Span;
  openedAt: number;
  /** Undefined: it has not ended. */
  endedAt: number | undefined;
}

/** Whether a subscription has nothing to do with a message that this node has not delivered, as far as the times tell. */
function isApart({ span, openedAt, endedAt }: TimedSpan, { sequence, publishedAt }: MessageFacts): boolean {
  if (sequence === null)
    return openedAt > publishedAt + CLOCK_MARGIN_MS || (endedAt ?? Infinity) < publishedAt - CLOCK_MARGIN_MS;
  // A replay may have reached it, or may have been interrupted before it.
  if (endedAt === undefined || sequence <= span.position) return false;
  return Number.isFinite(span.liveAfterBatch) || endedAt < publishedAt;
}

/** The facts alone, as they are sent to other nodes. */
export function toFacts(message: MessageFacts): MessageFacts {
  const { projectId, id, address, event, sequence, publishedAt, deliveredAt } = message;
  return { projectId, id, address, event, sequence, publishedAt, deliveredAt };
}

/** Undefined unless the payload of another node is the facts of a message. */
export function parseFacts(payload: unknown): MessageFacts | undefined {
  if (!isObject(payload)) return undefined;
  const { projectId, id, address, event, sequence, publishedAt, deliveredAt } = payload;
  const isValid =
    [projectId, id, event].every((text) => typeof text === 'string') &&
    typeof address === 'string' &&
    /^(channel|token|identity):/.test(address) &&
    (sequence === null || Number.isSafeInteger(sequence)) &&
    isTime(publishedAt) &&
    isTime(deliveredAt);
  return isValid ? toFacts(payload as unknown as MessageFacts) : undefined;
}

/** Undefined unless the payload of another node is a report. */
export function parseReport(payload: unknown): DeliveryReport | undefined {
  if (!isObject(payload)) return undefined;
  const { deliveries, receptions, wasConnected, hasForgotten } = payload;
  const isValid =
    isListOf(deliveries, MAX_DELIVERIES, isDelivery) &&
    isListOf(receptions, RECEPTIONS.length, isReception) &&
    typeof wasConnected === 'boolean' &&
    typeof hasForgotten === 'boolean';
  return isValid ? { deliveries, receptions, wasConnected, hasForgotten } : undefined;
}

function isListOf<T>(value: unknown, max: number, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length <= max && value.every(isItem);
}

const isReception = (value: unknown): value is Reception => RECEPTIONS.some((one) => one === value);

function isDelivery(value: unknown): value is ReportedDelivery {
  if (!isObject(value)) return false;
  const { connectionId, isReplay, at } = value;
  return typeof connectionId === 'string' && typeof isReplay === 'boolean' && (at === null || isTime(at));
}

/** Whether a value is a time in milliseconds that a date can hold. */
const isTime = (value: unknown): boolean => Number.isInteger(value) && Math.abs(Number(value)) <= 8.64e15;
