import { type RemoteTerminal } from './terminal.ts';

/** The columns of a table: a title, and the text of a row. */
export type Columns<Row> = readonly (readonly [title: string, text: (row: Row) => unknown])[];

/** Rows that are laid out together. Later rows keep the widths, so that a long list is printed while it is read. */
const ROWS_PER_LAYOUT = 100;

// Control and format characters could rewrite what a terminal shows, or the direction of its text.
const UNPRINTABLE = /[\p{Cc}\p{Cf}]/gu;

const escapeUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Replaces the characters that a terminal would obey by escapes, which JSON understands as well. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => character.split('').map(escapeUnit).join(''));

/** A value as one line of JSON. */
export const toJson = (value: unknown): string => printable(JSON.stringify(value ?? null));

/** The text of a value in a table: JSON for objects, a dash for nothing. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  return typeof value === 'string' ? printable(value) : toJson(value);
}

export interface Output {
  /** Prints one object: as JSON, or as lines of names and values. */
  one<Row extends object>(value: Row, columns: Columns<Row>): Promise<void>;
  /** Prints a list: one JSON value per line, or a table. */
  list<Row extends object>(rows: AsyncIterable<Row> | Iterable<Row>, columns: Columns<Row>): Promise<void>;
  /** Prints sentences, each on a line of its own, or with `--json` the value instead. */
  print(sentences: string | readonly string[], value: unknown): Promise<void>;
}

/** Creates the output of a command. */
export function createOutput({ write }: RemoteTerminal, json: boolean): Output {
  return {
    async one(value, columns) {
      if (json) return write(toJson(value));
      const width = Math.max(...columns.map(([title]) => title.length));
      for (const [title, text] of columns) await write(`${title.padEnd(width)}  ${cell(text(value))}`);
    },
    async list<Row extends object>(rows: AsyncIterable<Row> | Iterable<Row>, columns: Columns<Row>) {
      let widths: number[] | undefined;
      let waiting: string[][] = [];
      const print = async () => {
        const lines = widths === undefined ? [columns.map(([title]) => title), ...waiting] : waiting;
        widths ??= columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
        for (const line of lines)
          await write(
            line
              .map((text, index) => text.padEnd(widths?.[index] ?? 0))
              .join('  ')
              .trimEnd(),
          );
        waiting = [];
      };
      for await (const row of rows) {
        if (json) {
          await write(toJson(row));
          continue;
        }
        waiting.push(columns.map(([, text]) => cell(text(row))));
        if (waiting.length === ROWS_PER_LAYOUT) await print();
      }
      if (!json && (waiting.length > 0 || widths === undefined)) await print();
    },
    async print(sentences, value) {
      if (json) return write(toJson(value));
      for (const sentence of [sentences].flat()) await write(printable(sentence));
    },
  };
}
