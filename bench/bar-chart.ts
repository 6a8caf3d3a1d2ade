import { type Table } from './result-tables.ts';
import { labelOf, number } from './report.ts';
import { type Row } from './summary.ts';

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly isSignalbox: boolean;
}

const WIDTH = 760;
const LEFT = 260;
const RIGHT = 110;
const TOP = 56;
const STEP = 30;
const BAR = 20;

/** An SVG bar chart with one bar per contender, per size, or per column. */
export function barChartOf(table: Table, rows: readonly Row[], subtitle: string): string {
  const [column] = table.columns;
  if (table.drawn) {
    const values = rows[0]?.values ?? {};
    const bars = table.drawn.map(({ key, label }) => ({
      label,
      value: values[key] ?? NaN,
      isSignalbox: true,
    }));
    return draw(bars, table.title, `Less is better. ${subtitle}`);
  }
  const bars = rows.map((row) => ({
    label: labelOf(row, table.variantUnit),
    value: row.values[column!.key] ?? NaN,
    isSignalbox: row.contender.startsWith('signalbox'),
  }));
  const better = column!.isMoreBetter ? 'More' : 'Less';
  return draw(bars, `${table.title}: ${column!.label}`, `${better} is better. ${subtitle}`);
}

function draw(bars: readonly Bar[], title: string, subtitle: string): string {
  const height = TOP + bars.length * STEP + 12;
  const longest = Math.max(...bars.map(({ value }) => value));
  const lines = bars.map(({ label, value, isSignalbox }, index) => {
    const y = TOP + index * STEP;
    const width = Math.max(1, ((WIDTH - LEFT - RIGHT) * value) / longest);
    const middle = y + BAR / 2 + 4;
    return (
      `<text x="${LEFT - 10}" y="${middle}" text-anchor="end"${isSignalbox ? ' font-weight="bold"' : ''}>${escaped(label)}</text>` +
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${isSignalbox ? '#d6453d' : '#8a99a8'}"/>` +
      `<text x="${(LEFT + width + 8).toFixed(1)}" y="${middle}">${number(value)}</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#1f2933" role="img">
<title>${escaped(title)}</title>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="16" y="24" font-size="16" font-weight="bold">${escaped(title)}</text>
<text x="16" y="42" fill="#616e7c" font-size="11">${escaped(subtitle)}</text>
${lines.join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
