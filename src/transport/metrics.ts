import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** The Prometheus metrics of the service. Labels have fixed sets of values: never a name, an id or a payload. */
export interface Metrics {
  readonly contentType: string;
  /** Prints all metrics in the Prometheus text format. */
  read(): Promise<string>;
  connected(transport: 'websocket' | 'sse'): void;
  disconnected(transport: 'websocket' | 'sse'): void;
  delivered(count: number): void;
  published(): void;
  replayed(count: number): void;
  slowConsumer(): void;
  refused(code: string): void;
  fault(): void;
  logLinesDropped(count: number): void;
  /** Sets the source of the estimated memory that clients retain. */
  observeRetainedBytes(read: () => number): void;
}

export function createMetrics(): Metrics & Disposable {
  const registry = new Registry();
  const registers = [registry];
  // Adds event-loop lag, memory, CPU and garbage collection.
  collectDefaultMetrics({ register: registry });
  const connections = new Gauge({
    name: 'signalbox_connections',
    help: 'Live connections.',
    labelNames: ['transport'],
    registers,
  });
  const delivered = new Counter({
    name: 'signalbox_deliveries_total',
    help: 'Events delivered to WebSocket subscribers.',
    registers,
  });
  const published = new Counter({
    name: 'signalbox_publishes_total',
    help: 'Messages published.',
    registers,
  });
  const replayed = new Counter({
    name: 'signalbox_replayed_total',
    help: 'Messages replayed from the log.',
    registers,
  });
  const slow = new Counter({
    name: 'signalbox_slow_consumers_total',
    help: 'Connections closed because the client did not read fast enough.',
    registers,
  });
  const refused = new Counter({
    name: 'signalbox_refusals_total',
    help: 'Errors returned to callers.',
    labelNames: ['code'],
    registers,
  });
  const faults = new Counter({
    name: 'signalbox_faults_total',
    help: 'Internal errors of the service.',
    registers,
  });
  const logLinesDropped = new Counter({
    name: 'signalbox_log_lines_dropped_total',
    help: 'Log lines lost because standard output did not take them.',
    registers,
  });

  let readRetainedBytes = () => 0;
  new Gauge({
    name: 'signalbox_retained_bytes',
    help: 'Estimated memory retained by running operations, open requests and unread answers.',
    registers,
    collect() {
      this.set(readRetainedBytes());
    },
  });

  return {
    contentType: registry.contentType,
    read: () => registry.metrics(),
    connected: (transport) => connections.inc({ transport }),
    disconnected: (transport) => connections.dec({ transport }),
    delivered: (count) => delivered.inc(count),
    published: () => published.inc(),
    replayed: (count) => replayed.inc(count),
    slowConsumer: () => slow.inc(),
    refused: (code) => refused.inc({ code }),
    fault: () => faults.inc(),
    observeRetainedBytes: (read) => {
      readRetainedBytes = read;
    },
    logLinesDropped: (count) => logLinesDropped.inc(count),
    [Symbol.dispose]: () => registry.clear(),
  };
}
