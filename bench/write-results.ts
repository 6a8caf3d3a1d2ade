import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { TABLES } from './result-tables.ts';
import { type Workload } from './workload.ts';
import { machineLine, type Machine } from './machine.ts';
import { barChartOf } from './bar-chart.ts';
import { targetsTable, tablesOf } from './report.ts';
import { type Row } from './summary.ts';
import { type TargetResult } from './evaluate-targets.ts';

const FOLDER = join(process.cwd(), 'bench/results');
const README = join(process.cwd(), 'bench/README.md');
/** bench/README.md shows the targets between these markers. */
const BEGIN = '<!-- targets: written by `npm run bench` -->';
const END = '<!-- end of targets -->';

export interface ResultsToWrite {
  readonly machine: Machine;
  readonly workload: Workload;
  readonly rows: readonly Row[];
  readonly targetResults: readonly TargetResult[];
  /** Whether all scenarios were run. Otherwise the tables and targets are not written. */
  readonly isComplete: boolean;
}

/** Writes a chart and a JSON file per part; after a complete run also the tables, and the targets into bench/README.md. */
export async function writeResults({
  machine,
  workload,
  rows,
  targetResults,
  isComplete,
}: ResultsToWrite): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const [part, table] of Object.entries(TABLES)) {
    const ofPart = rows.filter((row) => row.part === part);
    const [first] = ofPart;
    if (!first) continue;
    const rounds = first.rounds === 1 ? 'One round' : `Median of ${first.rounds} interleaved rounds`;
    writeFileSync(
      join(FOLDER, `${part}.svg`),
      barChartOf(table, ofPart, `${rounds}; ${machineLine(machine)}`),
    );
    const content = { part, at: new Date().toISOString(), machine, workload, rows: ofPart };
    await write(join(FOLDER, `${part}.json`), JSON.stringify(content));
  }
  if (!isComplete) return;
  await write(join(FOLDER, 'README.md'), readme(machine, rows, targetResults));
  const [before, after] = splitAtTargets(readFileSync(README, 'utf8'));
  const heading = `On ${machineLine(machine)}:`;
  const targets = await formatted(README, targetsTable(targetResults));
  writeFileSync(README, [before, BEGIN, heading, targets.trimEnd(), END, after].join('\n\n'));
}

/** The text before and after the targets. */
function splitAtTargets(text: string): [string, string] {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`bench/README.md lacks the markers of the targets: ${BEGIN} … ${END}`);
  return [text.slice(0, begin).trimEnd(), text.slice(end + END.length).trimStart()];
}

function readme(machine: Machine, rows: readonly Row[], targetResults: readonly TargetResult[]): string {
  return [
    '# Results',
    'Written by `npm run bench`. Method and scenarios: [NOTES.md](../NOTES.md). ± is half of the range of the rounds.',
    '## Targets',
    targetsTable(targetResults),
    '## Measurements',
    tablesOf(rows),
    '## Machine',
    `\`\`\`json\n${JSON.stringify(machine, null, 2)}\n\`\`\``,
  ].join('\n\n');
}

/** Writes a file that is formatted by Prettier. */
async function write(file: string, text: string): Promise<void> {
  writeFileSync(file, await formatted(file, text));
}

async function formatted(file: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}
