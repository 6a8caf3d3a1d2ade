import { orderStatistics, percentile } from './statistics.ts';

/** In ms, by what follows `p50Ms` and `p99Ms` in the names of their percentiles: nothing, mostly. */
export type Latencies = Readonly<Record<string, readonly number[]>>;

/** What was measured, with the percentiles of all its latencies, and as much of these as other rounds must know. */
export function measurementOf(
  values: Readonly<Record<string, number>>,
  latenciesMs: Latencies,
): { values: Readonly<Record<string, number>>; latenciesMs: Latencies } {
  return {
    values: { ...values, ...percentilesOf(latenciesMs) },
    latenciesMs: each(latenciesMs, (all) => orderStatistics(all)),
  };
}

/** Of all rounds together. */
export function mergedPercentilesOf(rounds: readonly Latencies[]): Record<string, number> {
  const [first = {}] = rounds;
  return percentilesOf(each(first, (_, ending) => rounds.flatMap((round) => round[ending] ?? [])));
}

function percentilesOf(latenciesMs: Latencies): Record<string, number> {
  const entries = Object.entries(latenciesMs).flatMap(([ending, all]) => [
    [`p50Ms${ending}`, percentile(all, 0.5)],
    [`p99Ms${ending}`, percentile(all, 0.99)],
  ]);
  return Object.fromEntries(entries);
}

function each(latenciesMs: Latencies, of: (all: readonly number[], ending: string) => number[]): Latencies {
  return Object.fromEntries(Object.entries(latenciesMs).map(([ending, all]) => [ending, of(all, ending)]));
}
