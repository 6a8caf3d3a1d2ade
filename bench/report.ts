import { TABLES, type Table } from './columns.ts';
import { type Row } from './summary.ts';
import { type Verdict } from './verdict.ts';

/** Three significant digits, thousands parted by commas. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000)
    return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 0 });
  return String(Number(value.toPrecision(3)));
}

/** A Markdown table per part; each value with its noise. */
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

/** What a row is called, and a bar. */
export function labelOf({ label, variant }: Row, variantUnit: string | undefined): string {
  if (variantUnit === undefined) return label;
  return `${number(variant)} ${variant === 1 ? variantUnit.replace(/s$/, '') : variantUnit}`;
}

export function marksTable(verdicts: readonly Verdict[]): string {
  const head = ['mark', 'to reach', 'measured', 'noise', 'rounds', ''];
  const body = verdicts.map(({ mark, measured, noise, rounds, says }) => {
    const sense = mark.sense === 'at most' ? '≤' : '≥';
    return [
      mark.name,
      `${sense} ${number(mark.limit)} ${mark.unit}`,
      measured === undefined ? '' : `${number(measured)} ${mark.unit}`,
      measured === undefined ? '' : `${Math.round(noise * 100)} %`,
      String(rounds),
      mark.isDream ? `${says} (a dream)` : says,
    ];
  });
  return markdown([head, ...body]);
}

/** Above this share of its time, the load generator may be what was measured. */
const BUSY = 0.9;
/** Of a core. */
const MUCH_TO_OTHERS = 0.2;

/** What makes some of it less than certain, in sentences. */
export function doubts(rows: readonly Row[]): string[] {
  const measured = rows.filter(({ part }) => !part.startsWith('calibration'));
  const share = ({ values }: Row, key: string) => values[key] ?? 0;
  const busy = measured.filter((row) => share(row, 'generatorShare') > BUSY);
  const shared = measured.filter((row) => share(row, 'othersShare') > MUCH_TO_OTHERS);
  const [worst] = shared.toSorted((a, b) => share(b, 'othersShare') - share(a, 'othersShare'));
  return [
    ...busy.map(
      (row) =>
        `The load generator was busy for ${number(share(row, 'generatorShare') * 100)} % of the time: ${nameOf(row)}.`,
    ),
    ...(worst
      ? [
          `Others used this machine too, in ${shared.length} of ${measured.length} rows; most of all, ${number(share(worst, 'othersShare') * 100)} % of a core, in ${nameOf(worst)}.`,
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
