import { is, Param, Placeholder } from 'drizzle-orm';
import type Database from 'better-sqlite3';

/** Runs a statement with the values of its placeholders, by name. */
export type Compiled = (values: Readonly<Record<string, unknown>>) => void;

/**
 * A statement for rows that are written tens of thousands of times a second. Drizzle writes it; then nothing of it is asked
 * again. What drizzle does for each value of each run of a prepared statement takes as long as SQLite itself.
 */
export function compile(
  sqlite: Database.Database,
  query: { toSQL(): { sql: string; params: unknown[] } },
): Compiled {
  const { sql, params } = query.toSQL();
  const statement = sqlite.prepare(sql);
  const readers = params.map(readerOf);
  return (values) => void statement.run(readers.map((read) => read(values)));
}

type Reader = (values: Readonly<Record<string, unknown>>) => unknown;

function readerOf(param: unknown): Reader {
  if (is(param, Placeholder)) return (values) => values[param.name];
  if (is(param, Param) && is(param.value, Placeholder)) {
    const { name } = param.value;
    const { encoder } = param;
    return (values) => {
      const value = values[name];
      return value === null ? null : encoder.mapToDriverValue(value);
    };
  }
  return () => param;
}
