import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { TABLES } from './columns.ts';
import { type Effort } from './effort.ts';
import { machineLine, type Machine } from './machine.ts';
import { pictureOf } from './picture.ts';
import { marksTable, tablesOf } from './report.ts';
import { type Row } from './summary.ts';
import { type Verdict } from './verdict.ts';

const FOLDER = join(process.cwd(), 'bench/results');
const README = join(process.cwd(), 'bench/README.md');
/** Between these the README shows the marks. */
const BEGIN = '<!-- marks: made by `npm run bench` -->';
const END = '<!-- end of marks -->';

export interface Kept {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  /** Whether all scenarios were played: otherwise the tables stay as they are. */
  readonly isWhole: boolean;
}

/** Writes what the README shows: a picture and a JSON file per part; of a whole run its tables, and the marks into the README. */
export async function keepResults({ machine, effort, rows, verdicts, isWhole }: Kept): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const [part, table] of Object.entries(TABLES)) {
    const ofPart = rows.filter((row) => row.part === part);
    const [first] = ofPart;
    if (!first) continue;
    const rounds = first.rounds === 1 ? 'One round' : `Median of ${first.rounds} interleaved rounds`;
    writeFileSync(
      join(FOLDER, `${part}.svg`),
      pictureOf(table, ofPart, `${rounds}; ${machineLine(machine)}`),
    );
    const content = { part, at: new Date().toISOString(), machine, effort, rows: ofPart };
    await write(join(FOLDER, `${part}.json`), JSON.stringify(content));
  }
  if (!isWhole) return;
  await write(join(FOLDER, 'README.md'), readme(machine, rows, verdicts));
  const [before, after] = cut(readFileSync(README, 'utf8'));
  const made = `On ${machineLine(machine)}:`;
  const marks = await styled(README, marksTable(verdicts));
  writeFileSync(README, [before, BEGIN, made, marks.trimEnd(), END, after].join('\n\n'));
}

/** What is before the marks and what is after them. */
function cut(text: string): [string, string] {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`bench/README.md has no place for the marks: ${BEGIN} … ${END}`);
  return [text.slice(0, begin).trimEnd(), text.slice(end + END.length).trimStart()];
}

function readme(machine: Machine, rows: readonly Row[], verdicts: readonly Verdict[]): string {
  return [
    '# Results',
    'Made by `npm run bench`; what is measured and how: [NOTES.md](../NOTES.md). ± is half of what rounds lie apart.',
    '## Marks',
    marksTable(verdicts),
    '## What was measured',
    tablesOf(rows),
    '## Machine',
    `\`\`\`json\n${JSON.stringify(machine, null, 2)}\n\`\`\``,
  ].join('\n\n');
}

/** As `npm run check` wants to find it. */
async function write(file: string, text: string): Promise<void> {
  writeFileSync(file, await styled(file, text));
}

async function styled(file: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}
