import { TABLES, type Table } from './result-tables.ts';
import { type Row } from './summary.ts';
import { type TargetResult } from './evaluate-targets.ts';

/** Formats a number with three significant digits, and with commas between thousands. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000)
    return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 0 });
  return String(Number(value.toPrecision(3)));
}

/** One Markdown table per part; each value with half of its noise. */
export function tablesOf(rows: readonly Row[]): string {
  return Object.entries(TABLES)
    .map(([part, table]) => ({ table, rows: rows.filter((row) => row.part === part) }))
    .filter((section) => section.rows.length > 0)
    .map(({ table, rows: ofPart }) => `### ${table.title}\n\n${markdown(linesOf(table, ofPart))}`)
    .join('\n\n');
}

function linesOf({ columns, variantUnit }: Table, rows: readonly Row[]): string[][] {
  const head = ['', ...columns.map(({ label }) => label)];
  const body = rows.map((row) => [
    labelOf(row, variantUnit),
    ...columns.map(({ key }) => {
      const value = row.values[key] ?? NaN;
      if (key === 'generatorShare') return number(value * 100);
      const noise = row.noise[key] ?? 0;
      return `${number(value)}${row.rounds > 1 && noise > 0 ? ` ±${Math.round(noise * 50)} %` : ''}`;
    }),
  ]);
  return [head, ...body];
}

/** The label of a row, or of a bar. */
export function labelOf({ label, variant }: Row, variantUnit: string | undefined): string {
  if (variantUnit === undefined) return label;
  return `${number(variant)} ${variant === 1 ? variantUnit.replace(/s$/, '') : variantUnit}`;
}

export function targetsTable(targetResults: readonly TargetResult[]): string {
  const head = ['target', 'goal', 'measured', 'noise', 'rounds', 'result'];
  const body = targetResults.map(({ target, measured, noise, rounds, status }) => {
    const sense = target.sense === 'at most' ? '≤' : '≥';
    return [
      target.name,
      `${sense} ${number(target.limit)} ${target.unit}`,
      measured === undefined ? '' : `${number(measured)} ${target.unit}`,
      measured === undefined ? '' : `${Math.round(noise * 100)} %`,
      String(rounds),
      target.isStretchGoal ? `${status} (stretch goal)` : status,
    ];
  });
  return markdown([head, ...body]);
}

/** Above this share of active time, the load generator may limit the result. */
const MAX_GENERATOR_SHARE = 0.9;
/** CPU time of other processes, as a share of one core. */
const MAX_OTHERS_SHARE = 0.2;

/** Reasons to doubt some of the results, one sentence each. */
export function doubtsAbout(rows: readonly Row[]): string[] {
  const measured = rows.filter(({ part }) => !part.startsWith('calibration'));
  const share = ({ values }: Row, key: string) => values[key] ?? 0;
  const busy = measured.filter((row) => share(row, 'generatorShare') > MAX_GENERATOR_SHARE);
  const shared = measured.filter((row) => share(row, 'othersShare') > MAX_OTHERS_SHARE);
  const [worst] = shared.toSorted((a, b) => share(b, 'othersShare') - share(a, 'othersShare'));
  return [
    ...busy.map(
      (row) =>
        `The load generator was active for ${number(share(row, 'generatorShare') * 100)} % of the time: ${nameOf(row)}.`,
    ),
    ...(worst
      ? [
          `Other processes used this machine in ${shared.length} of ${measured.length} rows, at most ${number(share(worst, 'othersShare') * 100)} % of a core in ${nameOf(worst)}.`,
        ]
      : []),
  ];
}

function nameOf({ part, variant, label }: Row): string {
  return [part, ...(variant === 0 ? [] : [number(variant)]), label].join(', ');
}

function markdown(lines: readonly (readonly string[])[]): string {
  const [head, ...body] = lines;
  const width = (column: number) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0));
  const widths = head!.map((_, column) => width(column));
  const print = (line: readonly string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [print(head!), print(widths.map((count) => '-'.repeat(count))), ...body.map(print)].join('\n');
}
