import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Statement, type Store } from '../../src/store/store.ts';
import { channels } from '../../src/channels/tables.ts';
import { projects } from '../../src/projects/tables.ts';
import { secrets } from '../../src/secrets/tables.ts';

/** The contract suite of the Store port. `open` opens an empty store. */
export function storeContract(name: string, open: () => Store | Promise<Store>): void {
  describe(`Store contract: ${name}`, () => {
    test('reads back any text without a NUL character and any JSON unchanged', async () => {
      await using store = await open();
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.jsonValue(), async (text, json) => {
          const value = text.replaceAll('\0', '');
          const state = JSON.parse(JSON.stringify(json));
          await store.batch([
            store.db.delete(secrets),
            store.db.delete(channels),
            store.db.insert(secrets).values({ name: 'text', value }),
            store.db.insert(channels).values({ ...channel('c'), state }),
          ]);
          expect(await store.db.select().from(secrets)).toEqual([{ name: 'text', value }]);
          const [row] = await store.db.select({ state: channels.state }).from(channels);
          expect(row?.state ?? null).toEqual(state);
        }),
      );
    });

    test('sorts ids by character code, and pages after any id', async () => {
      await using store = await open();
      const ids = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_.:@-]{1,6}$/), { minLength: 1 });
      await fc.assert(
        fc.asyncProperty(ids, fc.nat(), async (unsorted, at) => {
          await store.batch([
            store.db.delete(projects),
            store.db.insert(projects).values(unsorted.map((id) => project(id))),
          ]);
          const sorted = [...unsorted].sort();
          const after = sorted[at % sorted.length]!;
          const page = await store.db
            .select({ id: projects.id })
            .from(projects)
            .where(gt(projects.id, after))
            .orderBy(asc(projects.id));
          expect(page.map(({ id }) => id)).toEqual(sorted.filter((id) => id > after));
        }),
        { numRuns: 50 },
      );
    });

    test('a prepared select reads the rows that a query of `db` reads', async () => {
      await using store = await open();
      const select = store.select(
        channels,
        and(eq(channels.projectId, sql.placeholder('project')), eq(channels.id, sql.placeholder('id'))),
      );
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), fc.option(fc.nat()), async (state, historySeconds) => {
          const row = { ...channel('c'), state: JSON.parse(JSON.stringify(state)), historySeconds };
          await store.batch([store.db.delete(channels), store.db.insert(channels).values(row)]);
          const rows = await store.db.select().from(channels);
          expect(rows).toMatchObject([{ id: 'c', historySeconds }]);
          expect(await select({ project: row.projectId, id: 'c' })).toEqual(rows);
        }),
        { numRuns: 50 },
      );
      expect(await select({ project: channel('c').projectId, id: 'another' })).toEqual([]);
      await expect(select({ project: channel('c').projectId })).rejects.toThrow(
        'No value for placeholder "id"',
      );
    });

    test('leaves an existing row unchanged and returns nothing when an insert conflicts', async () => {
      await using store = await open();
      const insert = (label: string) =>
        store.db.insert(projects).values(project('one', label)).onConflictDoNothing().returning();
      expect(await insert('first')).toHaveLength(1);
      expect(await insert('second')).toEqual([]);
      expect(await names(store)).toEqual(['first']);
    });

    test('returns the updated row, and applies every one of twenty concurrent updates', async () => {
      await using store = await open();
      await store.db.insert(channels).values(channel('c'));
      const versions = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const [row] = await store.db
            .update(channels)
            .set({ version: sql`${channels.version} + 1` })
            .where(eq(channels.id, 'c'))
            .returning();
          return row?.version ?? 0;
        }),
      );
      expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
    });

    test('runs the statements of a batch in order, each with the effects of the previous ones', async () => {
      await using store = await open();
      await store.batch([
        store.db.insert(projects).values(project('one', 'a')),
        store.db.update(projects).set({ name: 'b' }).where(eq(projects.name, 'a')),
        store.db.delete(projects).where(eq(projects.name, 'a')),
      ]);
      expect(await names(store)).toEqual(['b']);
      await store.batch([]);
      expect(await names(store)).toEqual(['b']);
    });

    test('rolls back a batch whichever of its statements fails', async () => {
      await using store = await open();
      await store.db.insert(projects).values(project('taken', 'kept'));
      for (const at of [0, 1, 2]) {
        const statements: Statement[] = ['x', 'y'].map((id) => store.db.insert(projects).values(project(id)));
        statements.splice(at, 0, store.db.insert(projects).values(project('taken')));
        await expect(store.batch(statements)).rejects.toThrow();
        expect(await names(store)).toEqual(['kept']);
      }
    });

    test('keeps concurrent batches atomic: each writes all of its rows or none', async () => {
      await using store = await open();
      await fc.assert(
        fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 20, size: 'max' }), async (willSucceed) => {
          await store.batch([
            store.db.delete(projects),
            store.db.insert(projects).values(project('taken', 'taken')),
          ]);
          const outcomes = await Promise.allSettled(
            willSucceed.map((succeeds, index) =>
              store.batch([
                store.db.insert(projects).values(project(`${index}a`, String(index))),
                store.db.insert(projects).values(project(`${index}b`, String(index))),
                store.db.insert(projects).values(project(succeeds ? `${index}c` : 'taken', String(index))),
              ]),
            ),
          );
          expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(willSucceed);
          const expected = willSucceed.flatMap((succeeds, index) =>
            succeeds ? Array(3).fill(`${index}`) : [],
          );
          expect((await names(store)).sort()).toEqual([...expected, 'taken'].sort());
        }),
        { numRuns: 20 },
      );
    });

    test('writes nothing for a statement that was built but not executed', async () => {
      await using store = await open();
      const statement = store.db.insert(projects).values(project('one', 'built'));
      expect(await names(store)).toEqual([]);
      await store.batch([statement]);
      expect(await names(store)).toEqual(['built']);
    });

    test('rejects a statement with the error of the database, which does not hold the parameters', async () => {
      await using store = await open();
      await store.db.insert(secrets).values({ name: 'taken', value: 'first' });
      const error: unknown = await store.db
        .insert(secrets)
        .values({ name: 'taken', value: 'do-not-log' })
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error)).not.toContain('do-not-log');
    });

    test('rejects reads and batches after it was closed', async () => {
      const store = await open();
      await store[Symbol.asyncDispose]();
      await expect(async () => names(store)).rejects.toThrow();
      await expect(store.batch([store.db.insert(projects).values(project('one'))])).rejects.toThrow();
    });
  });
}

const project = (id: string, name = id) => ({ id, name, createdAt: 1 });

const channel = (id: string) => ({
  projectId: 'p',
  id,
  type: 'PRIVATE' as const,
  state: {},
  version: 1,
  historyMessages: null,
  historySeconds: null,
  createdAfter: 0,
  createdAt: 1,
});

async function names({ db }: Store): Promise<string[]> {
  const rows = await db.select({ name: projects.name }).from(projects).orderBy(asc(projects.id));
  return rows.map(({ name }) => name);
}
