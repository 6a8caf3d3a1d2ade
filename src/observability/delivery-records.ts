import { type Clock } from '../clock.ts';
import { type Address } from '../broker/message.ts';
import { type ConnectionChange } from '../connections/registry.ts';
import { type DeliveryRecorder, type Span } from '../connections/reception.ts';
import { DeliveredMessages, type RecordedMessage } from './delivered-messages.ts';
import { Recent } from './recent.ts';

/** The newest messages that a node remembers, of all projects, without their data. They take about 1 MB. */
export const MAX_MESSAGES = 10_000;
/** The newest subscriptions and connections that ended, of all projects. They take about 4 MB. */
export const MAX_ENDED = 10_000;

interface EndedSpan {
  connectionId: string;
  address: Address;
  span: Span;
  /** When its connection was opened, and when it ended, in milliseconds since 1970. */
  openedAt: number;
  endedAt: number;
}

interface EndedConnection {
  connectionId: string;
  /** Milliseconds since 1970. */
  openedAt: number;
  closedAt: number;
}

/** What a node remembers about deliveries, in memory and bounded. */
export interface DeliveryRecords {
  readonly recorder: DeliveryRecorder;
  connectionChanged(change: ConnectionChange): void;
  message(projectId: string, id: string): RecordedMessage | undefined;
  /** The messages of a project, the newest first. */
  newestMessages(projectId: string): Iterable<RecordedMessage>;
  /** The subscriptions of a token that have ended. */
  endedSpans(tokenId: string, address: Address): EndedSpan[];
  endedConnections(tokenId: string): EndedConnection[];
  /** Whether subscriptions or connections that ended after the message was delivered have been forgotten. */
  isIncompleteSince(message: RecordedMessage): boolean;
  /** Whether anything may have been forgotten that was delivered, or ended, after a moment in milliseconds since 1970. */
  hasForgottenSince(at: number): boolean;
}

export function createDeliveryRecords(clock: Clock): DeliveryRecords {
  const messages = new DeliveredMessages(MAX_MESSAGES);
  const spans = new Recent<EndedSpan & { tokenId: string }>(MAX_ENDED);
  const connections = new Recent<EndedConnection & { tokenId: string }>(MAX_ENDED);

  return {
    recorder: {
      delivered(batch, number) {
        messages.add(batch, number, clock.now());
      },
      ended({ id: connectionId, caller, openedAt }, address, span) {
        if (caller.kind !== 'TOKEN') return;
        const endedAt = clock.now();
        spans.add({ tokenId: caller.token.id, connectionId, address, span, openedAt, endedAt });
      },
    },
    connectionChanged({ action, connection: { id: connectionId, caller, openedAt } }) {
      if (action === 'connection.close' && caller.kind === 'TOKEN')
        connections.add({ tokenId: caller.token.id, connectionId, openedAt, closedAt: clock.now() });
    },
    message: (projectId, id) => messages.find(projectId, id),
    newestMessages: (projectId) => messages.newest(projectId),
    endedSpans: (tokenId, address) =>
      spans.all.filter((ended) => ended.tokenId === tokenId && ended.address === address),
    endedConnections: (tokenId) => connections.all.filter((ended) => ended.tokenId === tokenId),
    isIncompleteSince: ({ batch, deliveredAt }) =>
      (spans.forgotten?.span.endedInBatch ?? -1) >= batch ||
      (connections.forgotten?.closedAt ?? -1) >= deliveredAt,
    hasForgottenSince(at) {
      return (
        messages.forgottenBefore >= at ||
        (spans.forgotten?.endedAt ?? -1) >= at ||
        (connections.forgotten?.closedAt ?? -1) >= at
      );
    },
  };
}
