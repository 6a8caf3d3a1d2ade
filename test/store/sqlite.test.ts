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
const insert = ({ db }: SqliteStore, id: string) =>
  db.insert(projects).values({ id, name: id, createdAt: 1 });
const idsOf = ({ db }: SqliteStore) =>
  db
    .select()
    .from(projects)
    .all()
    .map(({ id }) => id);

storeContract('SQLite in memory', () => open(':memory:'));

test('a folder that is not there yet is made, with every table in it', async () => {
  using folder = createFolder();
  const data = join(folder.path, 'not', 'there', 'yet');
  await using store = open(data);
  for (const table of TABLES) expect(store.db.select().from(table).all()).toEqual([]);
  expect(existsSync(join(data, 'signalbox.sqlite'))).toBe(true);
});

test('what was written is there after reopening', async () => {
  using folder = createFolder();
  {
    await using store = open(folder.path);
    await insert(store, 'one');
  }
  await using store = open(folder.path);
  expect(idsOf(store)).toEqual(['one']);
});

test('a second opener of a folder is refused until the first one closes', async () => {
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

test('stores in memory share nothing', async () => {
  await using one = open(':memory:');
  await using other = open(':memory:');
  await insert(one, 'one');
  expect(idsOf(other)).toEqual([]);
});

test.each([
  ['normal', 1],
  ['full', 2],
] as const)('synchronous %s is what SQLite is told, with a write-ahead log', async (synchronous, level) => {
  using folder = createFolder();
  await using store = open(folder.path, synchronous);
  expect(store.db.get(sql`pragma synchronous`)).toEqual({ synchronous: level });
  expect(store.db.get(sql`pragma journal_mode`)).toEqual({ journal_mode: 'wal' });
});

test('a transaction returns what its work does, and one that fails leaves nothing', async () => {
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

test('a transaction whose work waits is refused, and what it did before waiting is undone', async () => {
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
