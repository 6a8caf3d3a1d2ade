import { CLUSTER_METRICS } from '../../../src/transport/cluster-metrics-catalogue.ts';
import { METRICS, PROCESS_METRICS, type MetricSpec } from '../../../src/transport/metrics-catalogue.ts';
import { documentOf, PRINTED, table } from './markdown.ts';

export function printMetrics(): string {
  return documentOf(
    PRINTED,
    '# Metrics',
    '`/metrics` returns these metrics in the text format of Prometheus. No label contains a name, an id or a payload.',
    tableOf(METRICS),
    `Buckets of the histograms, in seconds: ${bucketsOf(METRICS)}.`,
    '## Nodes on PostgreSQL',
    'A service on PostgreSQL has these metrics as well. `signalbox_store_bytes` and `signalbox_log_messages` are the same on all nodes of a database, and up to 15 seconds old.',
    tableOf(CLUSTER_METRICS),
    `Buckets of the histograms: ${bucketsOf(CLUSTER_METRICS)}.`,
    '## Process',
    '`/metrics` also contains the metrics of Node and of the process. The most useful are:',
    table(
      ['metric', 'meaning'],
      Object.entries(PROCESS_METRICS).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
  );
}

function tableOf(catalogue: Readonly<Record<string, MetricSpec>>): string {
  const rows = Object.entries(catalogue).map(([name, { kind, label, help }]) => [
    label ? `\`${name}{${label.name}}\`` : `\`${name}\``,
    kind,
    label ? `${help} \`${label.name}\`: ${label.values}.` : help,
  ]);
  return table(['metric', 'kind', 'meaning'], rows);
}

function bucketsOf(catalogue: Readonly<Record<string, MetricSpec>>): string {
  const buckets = Object.entries(catalogue).flatMap(([name, spec]) =>
    spec.buckets ? `\`${name}\`: ${spec.buckets.join(', ')}` : [],
  );
  return buckets.join('; ');
}
