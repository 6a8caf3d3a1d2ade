import { type StatsQuery } from '../../generated/operations.ts';

/** The length of a step of the series. */
export const STEP_SECONDS = 10;

type Sample = StatsQuery['stats']['series'][number];

/** The columns that the charts draw. Rates are per second. */
export interface Series {
  /** Seconds since 1970. */
  readonly times: number[];
  readonly connections: number[];
  readonly publishes: number[];
  readonly deliveries: number[];
  readonly refusals: number[];
  /** In milliseconds; undefined when the figures are those of one project. */
  readonly loopLag: number[] | undefined;
}

/** Turns samples into columns. */
export function toSeries(samples: readonly Sample[]): Series {
  const rate = (count: (sample: Sample) => number) => samples.map((sample) => count(sample) / STEP_SECONDS);
  return {
    times: samples.map(({ at }) => Date.parse(at) / 1_000),
    connections: samples.map(({ connections }) => connections),
    publishes: rate(({ counts }) => counts.publishes),
    deliveries: rate(({ counts }) => counts.deliveries),
    refusals: rate(({ counts }) => counts.refusals.reduce((sum, { count }) => sum + count, 0)),
    loopLag: samples.some(({ process }) => process)
      ? samples.map(({ process }) => process?.loopLagMs ?? 0)
      : undefined,
  };
}
