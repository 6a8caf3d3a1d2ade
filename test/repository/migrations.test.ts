import { readFileSync } from 'node:fs';
import { getTableColumns, getTableName } from 'drizzle-orm';
import { expect, test } from 'vitest';
import * as channelTables from '../../src/channels/tables.ts';
import * as logTables from '../../src/messages/log/tables.ts';
import * as projectTables from '../../src/projects/tables.ts';
import * as secretTables from '../../src/secrets/tables.ts';
import * as issuerTables from '../../src/tokens/issuers/tables.ts';
import * as tokenTables from '../../src/tokens/tables.ts';

const DEFINED = [channelTables, logTables, projectTables, secretTables, issuerTables, tokenTables].flatMap(
  (tables) => Object.values(tables),
);

interface Snapshot {
  tables: Record<string, { name: string; columns: Record<string, { name: string; notNull: boolean }> }>;
}

const read = (folder: string, file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${folder}/meta/${file}`, import.meta.url), 'utf8'));

/** The tables after the last migration of a folder: the columns, those that may be null with a question mark. */
function migrated(folder: string): Record<string, string[]> {
  const { entries } = read(folder, '_journal.json') as { entries: { idx: number }[] };
  const last = String(entries.at(-1)?.idx).padStart(4, '0');
  const { tables } = read(folder, `${last}_snapshot.json`) as Snapshot;
  return Object.fromEntries(
    Object.values(tables).map(({ name, columns }) => [
      name,
      Object.values(columns)
        .map((column) => `${column.name}${column.notNull ? '' : '?'}`)
        .sort(),
    ]),
  );
}

test.each(['drizzle', 'drizzle-postgres'])(
  'the migrations in %s make the tables that tables.ts define (otherwise: npm run migrations)',
  (folder) => {
    const defined = Object.fromEntries(
      DEFINED.map((table) => [
        getTableName(table),
        Object.values<{ name: string; notNull: boolean }>(getTableColumns(table))
          .map((column) => `${column.name}${column.notNull ? '' : '?'}`)
          .sort(),
      ]),
    );
    expect(migrated(folder)).toEqual(defined);
  },
);
