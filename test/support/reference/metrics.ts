import { METRICS, PROCESS_METRICS, type MetricSpec } from '../../../src/transport/metrics-catalogue.ts';
import { documentOf, PRINTED, table } from './markdown.ts';

export function printMetrics(): string {
  const rows = Object.entries<MetricSpec>(METRICS).map(([name, { kind, label, help }]) => [
    label ? `\`${name}{${label.name}}\`` : `\`${name}\``,
    kind,
    label ? `${help} \`${label.name}\`: ${label.values}.` : help,
  ]);
  const buckets = Object.entries<MetricSpec>(METRICS).flatMap(([name, spec]) =>
    spec.buckets ? `\`${name}\`: ${spec.buckets.join(', ')}` : [],
  );
  return documentOf(
    PRINTED,
    '# Metrics',
    '`/metrics` returns these metrics in the text format of Prometheus. No label contains a name, an id or a payload.',
    table(['metric', 'kind', 'meaning'], rows),
    `Buckets of the histograms, in seconds: ${buckets.join('; ')}.`,
    '`/metrics` also contains the metrics of Node and of the process. The most useful are:',
    table(
      ['metric', 'meaning'],
      Object.entries(PROCESS_METRICS).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
  );
}
