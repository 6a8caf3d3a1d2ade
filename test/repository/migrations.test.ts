import { readFileSync } from 'node:fs';
import { getTableName } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/sqlite-core';
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
  tables: Record<
    string,
    {
      name: string;
      columns: Record<string, { name: string; notNull: boolean }>;
      indexes: Record<string, object>;
    }
  >;
}

interface Journal {
  entries: { idx: number; when: number; tag: string }[];
}

const read = (folder: string, file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${folder}/meta/${file}`, import.meta.url), 'utf8'));

const parts = (columns: readonly { name: string; notNull: boolean }[], indexes: readonly string[]) => [
  ...columns.map(({ name, notNull }) => `${name}${notNull ? '' : '?'}`).sort(),
  ...indexes.toSorted(),
];

/** The tables after the last migration of a folder: the columns, those that may be null with a question mark, and the indexes. */
function migrated(folder: string): Record<string, string[]> {
  const { entries } = read(folder, '_journal.json') as Journal;
  const last = String(entries.at(-1)?.idx).padStart(4, '0');
  const { tables } = read(folder, `${last}_snapshot.json`) as Snapshot;
  return Object.fromEntries(
    Object.values(tables).map(({ name, columns, indexes }) => [
      name,
      parts(Object.values(columns), Object.keys(indexes)),
    ]),
  );
}

test.each(['drizzle', 'drizzle-postgres'])(
  'the migrations in %s make the tables that tables.ts define (otherwise: npm run migrations)',
  (folder) => {
    const defined = Object.fromEntries(
      DEFINED.map((table) => [
        getTableName(table),
        parts(
          getTableConfig(table).columns,
          getTableConfig(table).indexes.map(({ config }) => config.name),
        ),
      ]),
    );
    expect(migrated(folder)).toEqual(defined);
  },
);

test.each(['drizzle', 'drizzle-postgres'])(
  'each migration in %s is newer than the one before it: a database that has the newer one would never get the older one',
  (folder) => {
    const { entries } = read(folder, '_journal.json') as Journal;
    const late = entries.filter(({ when }, index) => when <= (entries[index - 1]?.when ?? 0));
    expect(late.map(({ tag }) => tag)).toEqual([]);
    expect(entries.map(({ idx }) => idx)).toEqual(entries.map((_, index) => index));
  },
);
