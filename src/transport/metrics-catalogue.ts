/** One metric of the service. The table below is the single source of names, labels and descriptions. */
export interface MetricSpec {
  kind: 'counter' | 'gauge' | 'histogram';
  /** A description for operators, in Markdown. */
  help: string;
  /** The label and the values that it can have. A label never holds a name, an id or a payload. */
  label?: { readonly name: string; readonly values: string };
  /** Histograms only: upper bounds, in the unit of the metric. */
  buckets?: readonly number[];
}

/** Every metric of the service itself, by its name. `/metrics` also contains the metrics of Node and of the process. */
export const METRICS = {
  signalbox_build_info: {
    kind: 'gauge',
    help: 'Always 1; the label is the version of the service.',
    label: { name: 'version', values: 'a version number' },
  },
  signalbox_connections: {
    kind: 'gauge',
    help: 'Live connections.',
    label: { name: 'transport', values: '`websocket`, `sse`' },
  },
  signalbox_websocket_closes_total: {
    kind: 'counter',
    help: 'WebSockets that have closed, by close code.',
    label: {
      name: 'code',
      values:
        'a [close code](close-codes.md) of the service, 1000–1015 when the client or the network closed first, `other`',
    },
  },
  signalbox_connections_dropped_total: {
    kind: 'counter',
    help: 'Connections that were closed unanswered because the process has few file descriptors left.',
  },
  signalbox_file_descriptors_exhausted: {
    kind: 'gauge',
    help: '1 while connections are refused because the process has few or no file descriptors left, otherwise 0.',
  },
  signalbox_publishes_total: { kind: 'counter', help: 'Messages published.' },
  signalbox_publish_duration_seconds: {
    kind: 'histogram',
    help: 'Time from the start of a publish until it is stored, delivered to its subscribers and acknowledged.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  signalbox_deliveries_total: { kind: 'counter', help: 'Events delivered to WebSocket subscribers.' },
  signalbox_replayed_total: {
    kind: 'counter',
    help: 'Messages replayed from the log to clients that resumed.',
  },
  signalbox_gaps_total: {
    kind: 'counter',
    help: 'Events `Gap`, which tell a client that messages after its cursor are missing. Clients of `messages` and `directMessages` receive the error POSITION_LOST instead.',
  },
  signalbox_slow_consumers_total: {
    kind: 'counter',
    help: 'Connections closed because the client did not read fast enough.',
  },
  signalbox_refusals_total: {
    kind: 'counter',
    help: 'Errors that callers received, those in the outcomes of bulk calls included.',
    label: { name: 'code', values: 'an [error code](errors.md)' },
  },
  signalbox_retained_bytes: {
    kind: 'gauge',
    help: 'Estimated memory retained by running operations, open requests and unread answers.',
  },
  signalbox_store_bytes: {
    kind: 'gauge',
    help: 'Size of the files of the store.',
    label: { name: 'file', values: '`database`, `wal` (the write-ahead log of SQLite)' },
  },
  signalbox_log_messages: {
    kind: 'gauge',
    help: 'Number of messages from the oldest to the newest in the log, over all projects. It includes messages in between that a history policy has removed.',
  },
  signalbox_purged_rows_total: {
    kind: 'counter',
    help: 'Messages and idempotency keys that purges removed.',
  },
  signalbox_purge_duration_seconds: {
    kind: 'histogram',
    help: 'Duration of the purges, pauses for other work included.',
    buckets: [0.01, 0.1, 1, 10, 60, 600],
  },
  signalbox_log_lines_dropped_total: {
    kind: 'counter',
    help: 'Log lines lost because standard output did not take them.',
  },
  signalbox_faults_total: {
    kind: 'counter',
    help: 'Internal errors of the service: alert on any.',
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof METRICS;

/** Metrics of Node and of the process that `/metrics` contains as well and that operators need most. */
export const PROCESS_METRICS = {
  nodejs_eventloop_lag_max_seconds: 'Longest turn of the event loop since the last read of `/metrics`.',
  nodejs_eventloop_lag_p99_seconds: '99th percentile of the turns since then.',
  process_open_fds: 'Open file descriptors.',
  process_max_fds: 'Limit of file descriptors (`ulimit -n`).',
  process_resident_memory_bytes: 'Resident memory.',
  process_cpu_seconds_total: 'CPU time.',
} as const;
