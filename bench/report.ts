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
  return variantUnit === undefined ? label : `${number(variant)} ${variantUnit}`;
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

/** Where the load generator had hardly anything left, it may be what was measured. */
export function generatorWarnings(rows: readonly Row[]): string[] {
  return rows
    .filter(({ part, values }) => !part.startsWith('calibration') && (values['generatorShare'] ?? 0) > 0.9)
    .map(
      ({ part, label, values }) =>
        `The load generator took ${number((values['generatorShare'] ?? 0) * 100)} % of a core: ${part}, ${label}.`,
    );
}

function markdown(lines: readonly (readonly string[])[]): string {
  const [head, ...body] = lines;
  const width = (column: number) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0));
  const widths = head!.map((_, column) => width(column));
  const print = (line: readonly string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [print(head!), print(widths.map((count) => '-'.repeat(count))), ...body.map(print)].join('\n');
}
