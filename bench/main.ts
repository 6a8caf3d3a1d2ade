import { writeFileSync } from 'node:fs';
import { compile } from './compile.ts';
import { BLASTER, CONTENDERS } from './contenders/catalogue.ts';
import { describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { obstacles, warnings } from './preconditions.ts';
import { doubts, marksTable, tablesOf } from './report.ts';
import { keepResults } from './results.ts';
import { playRounds, type Sample } from './rounds.ts';
import { summarise } from './summary.ts';
import { evaluate } from './verdict.ts';
import { SCENARIOS } from './scenarios/catalogue.ts';

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function giveUp(...lines: string[]): never {
  progress(lines.join('\n'));
  process.exit(2);
}

function optionsOrUsage(): Options {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return giveUp((error as Error).message, USAGE);
  }
}

/** What the load generator can take, before it is trusted. */
async function calibrate({ effort }: Options): Promise<Sample[]> {
  const outcome = await measure(BLASTER, { scenario: 'calibration', parts: [], variant: 0, effort });
  return Object.entries(outcome).map(([part, measurement]) => ({
    part,
    contender: BLASTER.name,
    variant: 0,
    round: 0,
    ...measurement,
  }));
}

async function main(): Promise<void> {
  const options = optionsOrUsage();
  const inTheWay = obstacles(options);
  if (inTheWay.length > 0) giveUp(...inTheWay);
  const known = warnings(options);
  known.forEach(progress);
  const able = options.contenders.filter((contender) => contender.missing?.() === undefined);
  compile();
  const machine = describeMachine();
  const calibrated = await calibrate(options);
  const { samples, failures } = await playRounds({ ...options, contenders: able }, progress);
  const rows = summarise([...calibrated, ...samples]);
  const verdicts = evaluate(samples);
  const warned = [...known, ...doubts(rows)];
  say(tablesOf(rows), '', '### Marks', '', marksTable(verdicts), '', ...warned);
  for (const { what, why } of failures) say(`FAILED ${what}: ${why}`);
  if (options.jsonFile !== undefined) {
    const all = { at: new Date().toISOString(), machine, options, samples, rows, verdicts, failures };
    writeFileSync(options.jsonFile, `${JSON.stringify(all, null, 2)}\n`);
  }
  const isWhole = options.scenarios.length === SCENARIOS.length;
  const { pace } = options;
  if (pace === 'full' && failures.length === 0 && options.contenders.length === CONTENDERS.length)
    await keepResults({ machine, effort: options.effort, rows, verdicts, isWhole });
  process.exitCode =
    failures.length > 0 || (pace !== 'smoke' && verdicts.some(({ says }) => says === 'missed')) ? 1 : 0;
}

// Ends what was started: each server and folder listens to the end of this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

await main();
