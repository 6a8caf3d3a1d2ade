import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { openSqlite } from '../../src/store/sqlite.ts';
import { type SqliteStore } from '../../src/store/store.ts';
import * as channelTables from '../../src/channels/tables.ts';
import * as logTables from '../../src/messages/log/tables.ts';
import * as projectTables from '../../src/projects/tables.ts';
import { projects } from '../../src/projects/tables.ts';
import * as secretTables from '../../src/secrets/tables.ts';
import * as issuerTables from '../../src/tokens/issuers/tables.ts';
import * as tokenTables from '../../src/tokens/tables.ts';
import { storeContract } from '../contracts/store-contract.ts';
import { createFolder } from '../support/folder.ts';

const TABLES = [channelTables, logTables, projectTables, secretTables, issuerTables, tokenTables].flatMap(
  (tables) => Object.values(tables),
);
const open = (data: string, synchronous: 'normal' | 'full' = 'normal') => openSqlite({ data, synchronous });
const insert = ({ sync: db }: SqliteStore, id: string) =>
  db.insert(projects).values({ id, name: id, createdAt: 1 });
const idsOf = ({ sync: db }: SqliteStore) =>
  db
    .select()
    .from(projects)
    .all()
    .map(({ id }) => id);

storeContract('SQLite in memory', () => open(':memory:'));

test('creates a missing data folder and every table in it', async () => {
  using folder = createFolder();
  const data = join(folder.path, 'not', 'there', 'yet');
  await using store = open(data);
  for (const table of TABLES) expect(store.sync.select().from(table).all()).toEqual([]);
  expect(existsSync(join(data, 'signalbox.sqlite'))).toBe(true);
});

test('returns written rows after the folder is opened again', async () => {
  using folder = createFolder();
  {
    await using store = open(folder.path);
    await insert(store, 'one');
  }
  await using store = open(folder.path);
  expect(idsOf(store)).toEqual(['one']);
});

test('refuses to open a folder with UNAVAILABLE until the store that has it open is closed', async () => {
  using folder = createFolder();
  {
    await using first = open(folder.path);
    expect(() => open(folder.path)).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringContaining(folder.path) }),
    );
    await insert(first, 'one');
  }
  await using second = open(folder.path);
  expect(idsOf(second)).toEqual(['one']);
});

test('keeps the rows of two in-memory stores apart', async () => {
  await using one = open(':memory:');
  await using other = open(':memory:');
  await insert(one, 'one');
  expect(idsOf(other)).toEqual([]);
});

test.each([
  ['normal', 1],
  ['full', 2],
] as const)('sets synchronous to %s and uses a write-ahead log', async (synchronous, level) => {
  using folder = createFolder();
  await using store = open(folder.path, synchronous);
  expect(store.sync.get(sql`pragma synchronous`)).toEqual({ synchronous: level });
  expect(store.sync.get(sql`pragma journal_mode`)).toEqual({ journal_mode: 'wal' });
});

test('returns the result of a transaction, and rolls back when its work throws', async () => {
  await using store = open(':memory:');
  expect(store.transaction(() => insert(store, 'kept').run().changes)).toBe(1);
  expect(() =>
    store.transaction(() => {
      insert(store, 'lost').run();
      throw new RangeError('on purpose');
    }),
  ).toThrow(RangeError);
  expect(idsOf(store)).toEqual(['kept']);
});

test('refuses a transaction whose work returns a promise, and rolls it back', async () => {
  await using store = open(':memory:');
  const work = async () => {
    insert(store, 'lost').run();
    await Promise.resolve();
  };
  expect(() => store.transaction(work)).toThrow(
    expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('must be synchronous') }),
  );
  expect(idsOf(store)).toEqual([]);
  await insert(store, 'later');
  expect(idsOf(store)).toEqual(['later']);
});
