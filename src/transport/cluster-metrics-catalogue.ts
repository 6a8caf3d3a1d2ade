import { type MetricSpec } from './metrics-catalogue.ts';

/** The metrics of a node on PostgreSQL, by their names. A service on SQLite does not have them. */
export const CLUSTER_METRICS = {
  signalbox_suspended: {
    kind: 'gauge',
    help: '1 while the node delivers and accepts nothing because it cannot reach the database in time, otherwise 0.',
  },
  signalbox_registrations_total: {
    kind: 'counter',
    help: 'How often the node has registered in the database: once at its start, and again after it was fenced, after its lease has ended, and after a crash of PostgreSQL.',
  },
  signalbox_fences_total: {
    kind: 'counter',
    help: 'Other nodes that this node has fenced because they did not confirm a change within 2 seconds.',
  },
  signalbox_nodes: { kind: 'gauge', help: 'The nodes of the database whose lease lasts.' },
  signalbox_append_messages: {
    kind: 'histogram',
    help: 'Messages in a batch that the node appended to the log. The count is the number of batches.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
  },
  signalbox_append_duration_seconds: {
    kind: 'histogram',
    help: 'Time until the database had committed a batch, repeats after a lost connection included.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  signalbox_lag_messages: {
    kind: 'gauge',
    help: 'Messages of the log that the node knows of and has not delivered yet, in the project that lags most.',
  },
  signalbox_received_batches_total: {
    kind: 'counter',
    help: 'Batches of other nodes that arrived whole with a notification.',
  },
  signalbox_received_messages_total: { kind: 'counter', help: 'The messages in these batches.' },
  signalbox_repairs_total: {
    kind: 'counter',
    help: 'Reads of the log for messages that did not arrive with a notification: it was lost or late, or the batch was larger than 16 KB.',
  },
  signalbox_repaired_messages_total: { kind: 'counter', help: 'The messages that these reads found.' },
  signalbox_ephemeral_dropped_total: {
    kind: 'counter',
    help: 'Ephemeral messages of other nodes that were dropped because 10,000 of them, or 16 MB, waited for their delivery here.',
  },
  signalbox_receiving_notifications: {
    kind: 'gauge',
    help: '1 while the node receives notifications of other nodes, otherwise 0. Then it looks every 250 ms.',
  },
  signalbox_notifications_sent_total: {
    kind: 'counter',
    help: 'Transactions that notify other nodes; each carries everything that waited.',
  },
  signalbox_notifications_dropped_total: {
    kind: 'counter',
    help: 'Payloads that were not sent to other nodes because the database could not be reached for 5 seconds, or too much waited. Only ephemeral messages are lost by that.',
  },
  signalbox_notifications_lost_total: {
    kind: 'counter',
    help: 'Transactions of other nodes that did not arrive, and reconnects, after which that is unknown.',
  },
  signalbox_notifications_ignored_total: {
    kind: 'counter',
    help: 'Notifications that no node of this version sends: another program notifies on the channel `signalbox`, or versions differ.',
  },
  signalbox_notification_queue_ratio: {
    kind: 'gauge',
    help: 'The part of PostgreSQL’s queue of notifications that is in use, from 0 to 1. It grows when a session of any program listens and does not read.',
  },
  signalbox_waiting_statements: {
    kind: 'gauge',
    help: 'Statements that wait for one of the `SIGNALBOX_DATABASE_CONNECTIONS` connections of the node.',
  },
} as const satisfies Record<string, MetricSpec>;

export type ClusterMetricName = keyof typeof CLUSTER_METRICS;
