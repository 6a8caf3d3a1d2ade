import { CONTENDERS } from './contenders/catalogue.ts';
import { mergedPercentilesOf } from './latencies.ts';
import { type Sample } from './rounds.ts';
import { median, spread } from './statistics.ts';

/** The result of one contender, or of one size, over all rounds. */
export interface Row {
  readonly part: string;
  readonly contender: string;
  readonly variant: number;
  readonly label: string;
  readonly rounds: number;
  /** Medians over the rounds; percentiles are computed from the merged latencies of all rounds. */
  readonly values: Readonly<Record<string, number>>;
  /** (max − min) / median over the rounds, for each value. */
  readonly noise: Readonly<Record<string, number>>;
}

/** Summarises the samples, sorted by contender in the order of the catalogue, then by size. */
export function summarise(samples: readonly Sample[]): Row[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = `${sample.part} ${sample.contender} ${sample.variant}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  const positionOf = ({ contender }: Row) => CONTENDERS.findIndex(({ name }) => name === contender);
  return [...groups.values()]
    .map(toRow)
    .sort((a, b) => positionOf(a) - positionOf(b) || a.variant - b.variant);
}

function toRow(samples: readonly Sample[]): Row {
  const { part, contender, variant, values } = samples[0]!;
  const valuesOf = (key: string) => samples.map((sample) => sample.values[key] ?? NaN);
  const keys = Object.keys(values);
  const label = CONTENDERS.find(({ name }) => name === contender)?.label ?? contender;
  const merged = mergedPercentilesOf(samples.map(({ latenciesMs }) => latenciesMs ?? {}));
  return {
    part,
    contender,
    variant,
    label,
    rounds: samples.length,
    values: { ...Object.fromEntries(keys.map((key) => [key, median(valuesOf(key))])), ...merged },
    noise: Object.fromEntries(keys.map((key) => [key, spread(valuesOf(key))])),
  };
}
