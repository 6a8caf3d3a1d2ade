/** A Markdown table; a pipe inside a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A document of paragraphs, tables and headings, with a blank line between each two. */
export function documentOf(...blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

/** The first line of every printed document. */
export const PRINTED =
  '<!-- Printed from the source by `npm run schema`. Edit the source, not this file. -->';
