import { getTableColumns, is, Param, Placeholder, type SQL } from 'drizzle-orm';
import { QueryBuilder, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import type Database from 'better-sqlite3';
import { type Select } from './store.ts';

/** Runs a statement with the values of its placeholders, by name. */
export type CompiledStatement = (values: Readonly<Record<string, unknown>>) => void;

/**
 * Compiles a drizzle query for rows that are written tens of thousands of times a second. The SQL text and the encoder of
 * each parameter are resolved once. A prepared statement of drizzle resolves the encoders in every run, which takes as
 * long as SQLite's own work.
 */
export function compileStatement(
  sqlite: Database.Database,
  query: { toSQL(): { sql: string; params: unknown[] } },
): CompiledStatement {
  const { sql, params } = query.toSQL();
  const statement = sqlite.prepare(sql);
  const readers = params.map(readerOf);
  return (values) => void statement.run(readers.map((read) => read(values)));
}

/**
 * Compiles a select of all columns of a table, for reads that every connect makes. The SQL text, the encoders and the decoders
 * are resolved once; see `compileStatement`.
 */
export function compileSelect<T extends SQLiteTable>(
  sqlite: Database.Database,
  table: T,
  condition: SQL | undefined,
): Select<T['$inferSelect']> {
  const { sql, params } = new QueryBuilder()
    .select()
    .from(table as SQLiteTable)
    .where(condition)
    .toSQL();
  const statement = sqlite.prepare(sql).raw();
  const readers = params.map(readerOf);
  const columns = Object.entries(getTableColumns(table));
  const toRow = (values: readonly unknown[]) => {
    const row: Record<string, unknown> = {};
    for (const [index, [name, column]] of columns.entries()) {
      const value = values[index];
      row[name] = value === null ? null : column.mapFromDriverValue(value);
    }
    return row as T['$inferSelect'];
  };
  return async (values) => (statement.all(readers.map((read) => read(values))) as unknown[][]).map(toRow);
}

/** Reads one parameter from the values of the placeholders, encoded for the driver. */
type ParamReader = (values: Readonly<Record<string, unknown>>) => unknown;

function readerOf(param: unknown): ParamReader {
  if (is(param, Placeholder)) return (values) => valueOf(param.name, values);
  if (is(param, Param) && is(param.value, Placeholder)) {
    const { name } = param.value;
    const { encoder } = param;
    return (values) => {
      const value = valueOf(name, values);
      return value === null ? null : encoder.mapToDriverValue(value);
    };
  }
  return () => param;
}

/** An absent value would be null to SQLite: a condition on the names of a revocation would match no row, without an error. */
function valueOf(name: string, values: Readonly<Record<string, unknown>>): unknown {
  const value = values[name];
  if (value === undefined) throw new TypeError(`No value for placeholder "${name}" was provided`);
  return value;
}
