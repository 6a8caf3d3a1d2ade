import { type Contender } from './contender.ts';
import { type Measurement } from './job.ts';
import { measure } from './measure.ts';
import { type Options } from './options.ts';
import { type Scenario } from './scenarios/catalogue.ts';

const ROUNDS = 5;

/** The measurement of one part in one round. */
export interface Sample extends Measurement {
  readonly part: string;
  readonly contender: string;
  /** The size, if the scenario has several; otherwise 0. */
  readonly variant: number;
  readonly round: number;
}

export interface Failure {
  readonly title: string;
  readonly reason: string;
}

export interface Results {
  readonly samples: Sample[];
  readonly failures: Failure[];
}

/** Runs every contender once per round. Each round starts with another contender, so that none always runs first. */
export async function runRounds(
  { scenarios, contenders, workload, pace, rounds }: Options,
  report: (line: string) => void,
): Promise<Results> {
  const results: Results = { samples: [], failures: [] };
  for (const { scenario, parts } of scenarios) {
    const participating = participants(scenario, contenders, pace !== 'full');
    const count = rounds ?? (pace === 'full' ? ROUNDS : scenario.quickRounds);
    for (let round = 0; round < count; round++) {
      for (const contender of rotated(participating, round)) {
        for (const variant of scenario.variants?.(workload) ?? [0]) {
          const size = variant === 0 ? '' : ` ${variant}`;
          const title = `${scenario.name}${size} · ${contender.label} · round ${round + 1} of ${count}`;
          try {
            const job = { scenario: scenario.name, parts, variant, workload };
            const outcome = await measure(contender, job, scenario.env);
            for (const part of parts) {
              const measurement = outcome[part];
              if (!measurement) continue;
              results.samples.push({ part, contender: contender.name, variant, round, ...measurement });
              report(`${title} · ${part}: ${describeValues(measurement)}`);
            }
          } catch (error) {
            const reason = (error as Error).message;
            results.failures.push({ title, reason });
            report(`${title} FAILED: ${reason}`);
          }
        }
      }
    }
  }
  return results;
}

function participants(
  { contenders, quickContenders }: Scenario,
  all: readonly Contender[],
  isQuick: boolean,
): Contender[] {
  const named = (isQuick ? quickContenders : undefined) ?? contenders;
  return all.filter((contender) => named.includes(contender.name));
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % Math.max(1, items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}

function describeValues({ values }: Measurement): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
