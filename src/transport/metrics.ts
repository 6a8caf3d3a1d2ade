import { collectDefaultMetrics, Registry } from 'prom-client';
import { type ErrorCode } from '../errors.ts';
import { type StatsRecorder, type StoreSize } from '../observability/stats.ts';
import { VERSION } from '../version.ts';
import { isKnownCloseCode } from './close-codes.ts';
import { CLUSTER_METRICS } from './cluster-metrics-catalogue.ts';
import { createClusterMetrics, type ClusterMetrics } from './cluster-metrics.ts';
import { createMetricFactory } from './metric-factory.ts';
import { METRICS } from './metrics-catalogue.ts';

/**
 * The Prometheus metrics of the service; see `metrics-catalogue.ts` for what each of them counts. What `stats` returns for
 * each project is counted by the same calls.
 */
export interface Metrics {
  readonly contentType: string;
  /** Prints all metrics in the Prometheus text format. */
  read(): Promise<string>;
  connected(transport: 'websocket' | 'sse'): void;
  disconnected(transport: 'websocket' | 'sse'): void;
  /** @param code the code of the close frame; codes that a client invented count as `other` */
  websocketClosed(code: number): void;
  connectionDropped(): void;
  descriptorsExhausted(isExhausted: boolean): void;
  delivered(projectId: string, count: number): void;
  /** @param seconds from the start of the publish to its acknowledgement */
  published(projectId: string, seconds: number): void;
  replayed(projectId: string, count: number): void;
  /** An event `Gap` was delivered. */
  gap(projectId: string): void;
  slowConsumer(projectId: string): void;
  /** @param projectId undefined: the caller was refused before its project was known */
  refused(code: ErrorCode, projectId: string | undefined): void;
  purged(rows: number, seconds: number): void;
  fault(): void;
  logLinesDropped(count: number): void;
  /** Sets the source of the estimated memory that clients retain. */
  observeRetainedBytes(read: () => number): void;
  /** Sets the source of the sizes of the store. */
  observeStore(read: () => StoreSize | undefined): void;
  /** Adds the metrics of a node on PostgreSQL. Call it at most once. */
  addCluster(): ClusterMetrics;
}

export function createMetrics(stats: StatsRecorder): Metrics & Disposable {
  const registry = new Registry();
  // Adds event-loop lag, memory, CPU, file descriptors and garbage collection.
  collectDefaultMetrics({ register: registry });
  const { counter, counterOf, gauge, gaugeOf, histogram } = createMetricFactory(registry, METRICS);

  let readRetainedBytes = () => 0;
  let readStore = (): StoreSize | undefined => undefined;
  /** Undefined when the store cannot be read, so that the other metrics are still returned. */
  function readSize(): StoreSize | undefined {
    try {
      return readStore();
    } catch {
      return undefined;
    }
  }
  gauge('signalbox_build_info').set({ version: VERSION }, 1);
  const connections = gauge('signalbox_connections');
  const closes = counter('signalbox_websocket_closes_total');
  const dropped = counter('signalbox_connections_dropped_total');
  const exhausted = gauge('signalbox_file_descriptors_exhausted');
  const published = counter('signalbox_publishes_total');
  const publishDuration = histogram('signalbox_publish_duration_seconds');
  /** A plain number, because every delivery adds to it. */
  let deliveries = 0;
  counterOf('signalbox_deliveries_total', () => deliveries);
  const replayed = counter('signalbox_replayed_total');
  const gaps = counter('signalbox_gaps_total');
  const slow = counter('signalbox_slow_consumers_total');
  const refused = counter('signalbox_refusals_total');
  gaugeOf('signalbox_retained_bytes', () => readRetainedBytes());
  gauge('signalbox_store_bytes', function () {
    const size = readSize();
    if (!size) return;
    const { databaseBytes, walBytes, messages } = size;
    this.set({ file: 'database' }, databaseBytes);
    if (walBytes !== undefined) this.set({ file: 'wal' }, walBytes);
    logMessages.set(messages);
  });
  const logMessages = gauge('signalbox_log_messages');
  const purgedRows = counter('signalbox_purged_rows_total');
  const purgeDuration = histogram('signalbox_purge_duration_seconds');
  const logLinesDropped = counter('signalbox_log_lines_dropped_total');
  const faults = counter('signalbox_faults_total');

  return {
    contentType: registry.contentType,
    read: () => registry.metrics(),
    connected: (transport) => connections.inc({ transport }),
    disconnected: (transport) => connections.dec({ transport }),
    websocketClosed: (code) => closes.inc({ code: isKnownCloseCode(code) ? String(code) : 'other' }),
    connectionDropped: () => dropped.inc(),
    descriptorsExhausted: (isExhausted) => exhausted.set(isExhausted ? 1 : 0),
    delivered(projectId, count) {
      deliveries += count;
      stats.count(projectId, 'deliveries', count);
    },
    published(projectId, seconds) {
      published.inc();
      publishDuration.observe(seconds);
      stats.count(projectId, 'publishes');
    },
    replayed(projectId, count) {
      replayed.inc(count);
      stats.count(projectId, 'replays', count);
    },
    gap(projectId) {
      gaps.inc();
      stats.count(projectId, 'gaps');
    },
    slowConsumer(projectId) {
      slow.inc();
      stats.count(projectId, 'slowConsumers');
    },
    refused(code, projectId) {
      refused.inc({ code });
      stats.refused(code, projectId);
    },
    purged(rows, seconds) {
      purgedRows.inc(rows);
      purgeDuration.observe(seconds);
    },
    fault: () => faults.inc(),
    logLinesDropped: (count) => logLinesDropped.inc(count),
    observeRetainedBytes: (read) => {
      readRetainedBytes = read;
    },
    observeStore: (read) => {
      readStore = read;
    },
    addCluster: () => createClusterMetrics(createMetricFactory(registry, CLUSTER_METRICS)),
    [Symbol.dispose]: () => registry.clear(),
  };
}
