import { type DatabaseReading } from '../observability/database-reading.ts';
import { type NodeReading } from '../observability/node-reading.ts';
import { type ClusterMetricName } from './cluster-metrics-catalogue.ts';
import { type MetricFactory } from './metric-factory.ts';

/** The Prometheus metrics of a node on PostgreSQL; see `cluster-metrics-catalogue.ts` for what each of them counts. */
export interface ClusterMetrics {
  /** A batch of this node was appended to the log. */
  appended(messages: number, seconds: number): void;
  /** This node has registered in the database. */
  registered(): void;
  /** This node has fenced others. */
  fenced(nodes: number): void;
  /** Adds the figures that other parts of the service keep. Call it once. */
  observe(sources: ClusterMetricSources): void;
}

export interface ClusterMetricSources {
  readNode: () => NodeReading;
  /** Undefined while the database does not answer; its metrics are then absent. */
  readDatabase: () => DatabaseReading | undefined;
}

export function createClusterMetrics({
  counter,
  gauge,
  histogram,
  counterOf,
  gaugeOf,
}: MetricFactory<ClusterMetricName>): ClusterMetrics {
  const registrations = counter('signalbox_registrations_total');
  const fences = counter('signalbox_fences_total');
  const messages = histogram('signalbox_append_messages');
  const duration = histogram('signalbox_append_duration_seconds');

  return {
    appended(count, seconds) {
      messages.observe(count);
      duration.observe(seconds);
    },
    registered: () => registrations.inc(),
    fenced: (nodes) => fences.inc(nodes),
    observe({ readNode, readDatabase }) {
      gaugeOf('signalbox_suspended', () => Number(readNode().isSuspended));
      gaugeOf('signalbox_lag_messages', () => readNode().lag);
      gaugeOf('signalbox_receiving_notifications', () => Number(readNode().isReceiving));
      gaugeOf('signalbox_waiting_statements', () => readNode().waitingStatements);
      counterOf('signalbox_received_batches_total', () => readNode().receivedBatches);
      counterOf('signalbox_received_messages_total', () => readNode().receivedMessages);
      counterOf('signalbox_repairs_total', () => readNode().repairs);
      counterOf('signalbox_repaired_messages_total', () => readNode().repairedMessages);
      counterOf('signalbox_ephemeral_dropped_total', () => readNode().ephemeralDropped);
      counterOf('signalbox_notifications_sent_total', () => readNode().notificationsSent);
      counterOf('signalbox_notifications_dropped_total', () => readNode().notificationsDropped);
      counterOf('signalbox_notifications_lost_total', () => readNode().notificationsLost);
      counterOf('signalbox_notifications_ignored_total', () => readNode().notificationsIgnored);
      const queue = gauge('signalbox_notification_queue_ratio');
      gauge('signalbox_nodes', function () {
        const reading = readDatabase();
        // A value of earlier would hide that the database does not answer.
        if (!reading) {
          this.remove();
          queue.remove();
          return;
        }
        this.set(reading.nodes);
        queue.set(reading.notificationQueueUsage);
      });
    },
  };
}
