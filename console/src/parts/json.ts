/** A JSON text that was read, or the sentence that says why it cannot be. */
export type ParsedJson =
  | { readonly value: unknown; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string };

/** Parses the text of a form field. An empty text is undefined, so that the argument is absent. */
export function parseJson(text: string, name: string): ParsedJson {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: `${name} is not valid JSON. Strings and names need double quotes.` };
  }
}

/** A JSON value on one line, cut to a length that a row of a table can show. */
export function shortJson(value: unknown, length = 160): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return '';
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** What the lines of two texts have in common: `same`, `removed` and `added` lines in order. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Beyond this many lines the longest common subsequence would take too long, and would be too long to read. */
const MAX_LINES = 500;

/** Compares two JSON values line by line. */
export function diffJson(before: unknown, after: unknown): DiffLine[] {
  const [old, next] = [before, after].map(
    (value) => (JSON.stringify(value, null, 2) as string | undefined)?.split('\n') ?? [],
  );
  if (!old || !next) return [];
  if (old.length > MAX_LINES || next.length > MAX_LINES) return [...old.map(removed), ...next.map(added)];
  const common = lengthsOfCommonLines(old, next);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < next.length) {
    const [left = '', right = ''] = [old[i], next[j]];
    if (left === right) {
      lines.push({ kind: 'same', text: left });
      i++;
      j++;
    } else if ((common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) lines.push(removed(old[i++] ?? ''));
    else lines.push(added(next[j++] ?? ''));
  }
  return [...lines, ...old.slice(i).map(removed), ...next.slice(j).map(added)];
}

const removed = (text: string): DiffLine => ({ kind: 'removed', text });
const added = (text: string): DiffLine => ({ kind: 'added', text });

/** The longest common subsequence of the lines from `i` and from `j` on. */
function lengthsOfCommonLines(old: readonly string[], next: readonly string[]): number[][] {
  const lengths = Array.from({ length: old.length + 1 }, () => new Array<number>(next.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = next.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (!row) continue;
      row[j] =
        old[i] === next[j]
          ? (lengths[i + 1]?.[j + 1] ?? 0) + 1
          : Math.max(lengths[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  return lengths;
}
