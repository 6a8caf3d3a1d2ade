import { writeFileSync } from 'node:fs';
import { compile } from './compile.ts';
import { PREBUILT_FRAMES, CONTENDERS } from './contenders/catalogue.ts';
import { describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { unmetPreconditions, warnings } from './preconditions.ts';
import { doubtsAbout, targetsTable, tablesOf } from './report.ts';
import { writeResults } from './write-results.ts';
import { runRounds, type Sample } from './rounds.ts';
import { summarise } from './summary.ts';
import { evaluateTargets } from './evaluate-targets.ts';
import { SCENARIOS } from './scenarios/catalogue.ts';

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function exitWith(...lines: string[]): never {
  progress(lines.join('\n'));
  process.exit(2);
}

function optionsOrUsage(): Options {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return exitWith((error as Error).message, USAGE);
  }
}

/** Measures the maximum rate of the load generator. */
async function calibrate({ workload }: Options): Promise<Sample[]> {
  const outcome = await measure(PREBUILT_FRAMES, {
    scenario: 'calibration',
    parts: [],
    variant: 0,
    workload,
  });
  return Object.entries(outcome).map(([part, measurement]) => ({
    part,
    contender: PREBUILT_FRAMES.name,
    variant: 0,
    round: 0,
    ...measurement,
  }));
}

async function main(): Promise<void> {
  const options = optionsOrUsage();
  const unmet = unmetPreconditions(options);
  if (unmet.length > 0) exitWith(...unmet);
  const initialWarnings = warnings(options);
  initialWarnings.forEach(progress);
  const available = options.contenders.filter((contender) => contender.missing?.() === undefined);
  compile();
  const machine = describeMachine();
  const calibration = await calibrate(options);
  const { samples, failures } = await runRounds({ ...options, contenders: available }, progress);
  const rows = summarise([...calibration, ...samples]);
  const targetResults = evaluateTargets(samples);
  const allWarnings = [...initialWarnings, ...doubtsAbout(rows)];
  print(tablesOf(rows), '', '### Targets', '', targetsTable(targetResults), '', ...allWarnings);
  for (const { title, reason } of failures) print(`FAILED ${title}: ${reason}`);
  if (options.jsonFile !== undefined) {
    const all = { at: new Date().toISOString(), machine, options, samples, rows, targetResults, failures };
    writeFileSync(options.jsonFile, `${JSON.stringify(all, null, 2)}\n`);
  }
  const isComplete = options.scenarios.length === SCENARIOS.length;
  const { pace } = options;
  if (pace === 'full' && failures.length === 0 && options.contenders.length === CONTENDERS.length)
    await writeResults({ machine, workload: options.workload, rows, targetResults, isComplete });
  process.exitCode =
    failures.length > 0 || (pace !== 'smoke' && targetResults.some(({ status }) => status === 'missed'))
      ? 1
      : 0;
}

// Exit on a signal, so that the `exit` handlers stop the servers and remove the temporary folders.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

await main();
