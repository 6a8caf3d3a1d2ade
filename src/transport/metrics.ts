import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** What an operator watches. Labels are of closed sets: never a name, an id or a payload. */
export interface Metrics {
  readonly contentType: string;
  /** The Prometheus text. */
  read(): Promise<string>;
  connected(transport: 'websocket' | 'sse'): void;
  disconnected(transport: 'websocket' | 'sse'): void;
  delivered(count: number): void;
  published(): void;
  replayed(count: number): void;
  slowConsumer(): void;
  refused(code: string): void;
  fault(): void;
}

export function createMetrics(): Metrics & Disposable {
  const registry = new Registry();
  const registers = [registry];
  // Event-loop lag, memory, CPU and garbage collection come with it.
  collectDefaultMetrics({ register: registry });
  const connections = new Gauge({
    name: 'signalbox_connections',
    help: 'Live connections.',
    labelNames: ['transport'],
    registers,
  });
  const delivered = new Counter({
    name: 'signalbox_deliveries_total',
    help: 'Events handed to WebSocket subscribers.',
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
    help: 'Connections closed because they did not read.',
    registers,
  });
  const refused = new Counter({
    name: 'signalbox_refusals_total',
    help: 'Errors that callers were shown.',
    labelNames: ['code'],
    registers,
  });
  const faults = new Counter({
    name: 'signalbox_faults_total',
    help: 'Faults of the service itself.',
    registers,
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
    [Symbol.dispose]: () => registry.clear(),
  };
}
