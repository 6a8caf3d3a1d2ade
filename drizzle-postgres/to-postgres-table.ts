import { is } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  index,
  json,
  pgTable,
  primaryKey,
  uniqueIndex,
  type PgColumnBuilderBase,
} from 'drizzle-orm/pg-core';
import {
  getTableConfig,
  SQLiteBoolean,
  SQLiteColumn,
  SQLiteCustomColumn,
  SQLiteInteger,
  SQLiteText,
  SQLiteTextJson,
  type SQLiteTable,
} from 'drizzle-orm/sqlite-core';

/** Text that sorts by code points, as in SQLite, whatever the collation of the database: pages of ids depend on it. */
const text = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });

/**
 * The table of PostgreSQL that corresponds to a table of SQLite, for drizzle-kit: the tables are defined once, in SQLite's
 * terms. Queries are built with the table of SQLite in both dialects.
 * @throws TypeError when a column has a type that this function does not know
 */
export function toPostgresTable(table: SQLiteTable) {
  const { name, columns, primaryKeys, indexes } = getTableConfig(table);
  return pgTable(
    name,
    Object.fromEntries(columns.map((column: SQLiteColumn) => [column.name, toColumn(column)])),
    (made) => {
      const named = (list: readonly unknown[]) => {
        const [first, ...others] = list.map((column) => {
          if (!is(column, SQLiteColumn)) throw new TypeError(`An index of ${name} is not one of columns.`);
          return made[column.name] as NonNullable<(typeof made)[string]>;
        });
        if (!first) throw new TypeError(`An index of ${name} has no columns.`);
        return [first, ...others] as [typeof first, ...(typeof first)[]];
      };
      return [
        ...primaryKeys.map((key) => primaryKey({ columns: named(key.columns) })),
        ...indexes.map(({ config }) => {
          const on = (config.unique ? uniqueIndex(config.name) : index(config.name)).on(
            ...named(config.columns),
          );
          return config.where ? on.where(config.where) : on;
        }),
      ];
    },
  );
}

function toColumn(column: SQLiteColumn): PgColumnBuilderBase {
  const builder = builderOf(column);
  if (column.notNull) builder.notNull();
  if (column.primary) builder.primaryKey();
  if (column.hasDefault) builder.default(column.default as never);
  return builder;
}

/**
 * JSON is `json`, not `jsonb`: it keeps the text, with the order of the keys and the digits of numbers, and it accepts \u0000.
 */
function builderOf(column: SQLiteColumn) {
  const { name } = column;
  if (is(column, SQLiteBoolean)) return boolean(name);
  if (is(column, SQLiteInteger)) return bigint(name, { mode: 'number' });
  if (is(column, SQLiteTextJson) || is(column, SQLiteCustomColumn)) return json(name);
  if (is(column, SQLiteText)) return text(name);
  throw new TypeError(`Column ${name} has a type without a counterpart in PostgreSQL.`);
}
