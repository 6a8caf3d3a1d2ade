import { type Latencies, type Measurement } from './job.ts';
import { orderStatistics, percentile } from './statistics.ts';

/** Adds the percentiles of all latencies to the values, and reduces the latencies to what other rounds need for merging. */
export function measurementOf(values: Measurement['values'], latenciesMs: Latencies): Measurement {
  return {
    values: { ...values, ...percentilesOf(latenciesMs) },
    latenciesMs: mapEach(latenciesMs, (all) => orderStatistics(all)),
  };
}

/** The percentiles of the latencies of all rounds together. */
export function mergedPercentilesOf(rounds: readonly Latencies[]): Record<string, number> {
  const [first = {}] = rounds;
  return percentilesOf(mapEach(first, (_, suffix) => rounds.flatMap((round) => round[suffix] ?? [])));
}

function percentilesOf(latenciesMs: Latencies): Record<string, number> {
  const entries = Object.entries(latenciesMs).flatMap(([suffix, all]) => [
    [`p50Ms${suffix}`, percentile(all, 0.5)],
    [`p99Ms${suffix}`, percentile(all, 0.99)],
  ]);
  return Object.fromEntries(entries);
}

function mapEach(
  latenciesMs: Latencies,
  map: (all: readonly number[], suffix: string) => number[],
): Latencies {
  return Object.fromEntries(Object.entries(latenciesMs).map(([suffix, all]) => [suffix, map(all, suffix)]));
}
