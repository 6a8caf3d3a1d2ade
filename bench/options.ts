import { parseArgs } from 'node:util';
import { type Contender } from './contender.ts';
import { CONTENDERS } from './contenders/catalogue.ts';
import { FULL, QUICK, SMOKE, type Workload } from './workload.ts';
import { SCENARIOS, type Scenario } from './scenarios/catalogue.ts';

export interface Options {
  /** The scenarios to run, each with the parts to measure. */
  readonly scenarios: readonly { scenario: Scenario; parts: readonly string[] }[];
  readonly contenders: readonly Contender[];
  readonly pace: 'full' | 'quick' | 'smoke';
  readonly workload: Workload;
  /** Undefined: the default of the pace. */
  readonly rounds: number | undefined;
  readonly jsonFile: string | undefined;
}

export const USAGE = `npm run bench -- [options]
  --only <name,…>         scenarios or parts of them: ${SCENARIOS.map(({ name, parts }) => [name, ...parts.filter((part) => part !== name)].join(' ')).join(', ')}
  --contenders <name,…>   ${CONTENDERS.map(({ name }) => name).join(', ')}
  --rounds <n>            5 by default; with --quick 1 or 2
  --quick                 smaller and shorter, a minute and a half; only the ratios are meaningful
  --smoke                 a few sockets; checks that every scenario works, the numbers are meaningless
  --json <file>           writes all samples and results to a file`;

/** @throws Error with a sentence for the user when an option is invalid. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      contenders: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const pace = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full';
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error('--rounds must be a positive integer.');
  return {
    scenarios: parseScenarios(parseList(values.only)),
    contenders: parseContenders(parseList(values.contenders)),
    pace,
    workload: { full: FULL, quick: QUICK, smoke: SMOKE }[pace],
    rounds,
    jsonFile: values.json,
  };
}

function parseList(text: string | undefined): string[] | undefined {
  return text?.split(',').map((item) => item.trim());
}

function parseScenarios(names: readonly string[] | undefined): Options['scenarios'] {
  const known = SCENARIOS.flatMap(({ name, parts }) => [name, ...parts]);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`Unknown scenario ${unknown}.`);
  return SCENARIOS.map((scenario) => ({
    scenario,
    parts: scenario.parts.filter(
      (part) => names === undefined || names.includes(scenario.name) || names.includes(part),
    ),
  })).filter(({ parts }) => parts.length > 0);
}

function parseContenders(names: readonly string[] | undefined): readonly Contender[] {
  const unknown = names?.find((name) => !CONTENDERS.some((contender) => contender.name === name));
  if (unknown !== undefined) throw new Error(`Unknown contender ${unknown}.`);
  return CONTENDERS.filter(({ name }) => names === undefined || names.includes(name));
}
