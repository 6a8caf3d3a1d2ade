import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type MetricSpec } from './metrics-catalogue.ts';

/** Creates the metrics of a catalogue. */
export interface MetricFactory<Name extends string> {
  counter(name: Name): Counter;
  /** @param collect sets the value when the metrics are read */
  gauge(name: Name, collect?: (this: Gauge) => void): Gauge;
  histogram(name: Name): Histogram;
  /** A counter whose value another part of the service keeps. */
  counterOf(name: Name, read: () => number): Counter;
  /** A gauge whose value is asked for when the metrics are read. */
  gaugeOf(name: Name, read: () => number): Gauge;
}

export function createMetricFactory<Name extends string>(
  registry: Registry,
  catalogue: Readonly<Record<Name, MetricSpec>>,
): MetricFactory<Name> {
  const optionsOf = (name: Name) => {
    const { help, label } = catalogue[name];
    return { name, help, labelNames: label ? [label.name] : [], registers: [registry] };
  };
  const gauge = (name: Name, collect?: (this: Gauge) => void) =>
    new Gauge({ ...optionsOf(name), ...(collect && { collect }) });
  return {
    counter: (name) => new Counter(optionsOf(name)),
    gauge,
    histogram(name) {
      return new Histogram({ ...optionsOf(name), buckets: [...(catalogue[name].buckets ?? [])] });
    },
    counterOf(name, read) {
      return new Counter({
        ...optionsOf(name),
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    },
    gaugeOf(name, read) {
      return gauge(name, function () {
        this.set(read());
      });
    },
  };
}
