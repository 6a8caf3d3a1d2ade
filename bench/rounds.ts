import { type Contender } from './contender.ts';
import { type Measurement } from './job.ts';
import { measure } from './measure.ts';
import { type Options } from './options.ts';
import { type Scenario } from './scenarios/catalogue.ts';

const ROUNDS = 5;

/** One measurement of one part, in one round. */
export interface Sample extends Measurement {
  readonly part: string;
  readonly contender: string;
  /** Of the scenario, where it has several; otherwise 0. */
  readonly variant: number;
  readonly round: number;
}

export interface Failure {
  readonly what: string;
  readonly why: string;
}

export interface Results {
  readonly samples: Sample[];
  readonly failures: Failure[];
}

/** Every contender once per round, each round beginning with another one, so that nobody always comes first. */
export async function playRounds(
  { scenarios, contenders, effort, pace, rounds }: Options,
  say: (line: string) => void,
): Promise<Results> {
  const results: Results = { samples: [], failures: [] };
  for (const { scenario, parts } of scenarios) {
    const taking = takingPart(scenario, contenders, pace !== 'full');
    const count = rounds ?? (pace === 'full' ? ROUNDS : scenario.quickRounds);
    for (let round = 0; round < count; round++) {
      for (const contender of rotated(taking, round)) {
        for (const variant of scenario.variants?.(effort) ?? [0]) {
          const size = variant === 0 ? '' : ` ${variant}`;
          const what = `${scenario.name}${size} · ${contender.label} · round ${round + 1} of ${count}`;
          try {
            const job = { scenario: scenario.name, parts, variant, effort };
            const outcome = await measure(contender, job, scenario.env);
            for (const part of parts) {
              const measurement = outcome[part];
              if (!measurement) continue;
              results.samples.push({ part, contender: contender.name, variant, round, ...measurement });
              say(`${what} · ${part}: ${inShort(measurement)}`);
            }
          } catch (error) {
            const why = (error as Error).message;
            results.failures.push({ what, why });
            say(`${what} FAILED: ${why}`);
          }
        }
      }
    }
  }
  return results;
}

function takingPart(
  { contenders, quickContenders }: Scenario,
  all: readonly Contender[],
  isQuick: boolean,
): Contender[] {
  const named = (isQuick ? quickContenders : undefined) ?? contenders;
  return all.filter((contender) => named?.includes(contender.name) ?? true);
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % Math.max(1, items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}

function inShort({ values }: Measurement): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
