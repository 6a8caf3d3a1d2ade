import { readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, test } from 'vitest';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';

/** Before the first one that is listed here, no version ran beside another one. */
const LAST_WITHOUT_RULE = '0004_drop_trimmed_events';

/** What the version before a migration does not use any more, and the migration may drop: by its tag, names as in `Schema`. */
const UNUSED: Record<string, readonly string[]> = {};

const FOLDER = new URL('../../drizzle-postgres/', import.meta.url);
const { entries } = JSON.parse(readFileSync(new URL('meta/_journal.json', FOLDER), 'utf8')) as {
  entries: { tag: string }[];
};

/** What the statements of a version rely on: tables, columns and functions by name, each with what must stay as it is. */
type Schema = Record<'tables' | 'columns' | 'functions' | 'rules', Map<string, string>>;

async function readSchema(client: pg.Client): Promise<Schema> {
  const read = async (query: string) => {
    const { rows } = await client.query<[string, string]>({ text: query, rowMode: 'array' });
    return new Map(rows);
  };
  return {
    tables: await read(
      `select relname, relpersistence::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    ),
    columns: await read(
      `select relname || '.' || attname, format_type(atttypid, atttypmod) || ' ' || attcollation::regcollation ||
         case when attnotnull and not atthasdef then ' required' when atthasdef then ' default' else '' end
       from pg_attribute join pg_class on pg_class.oid = attrelid
       where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped`,
    ),
    functions: await read(
      `select oid::regprocedure::text, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace`,
    ),
    // Unique indexes, checks and foreign keys can refuse what an older version writes. Triggers may be what lets it write the new way.
    rules: await read(
      `select indrelid::regclass || ' ' || pg_get_indexdef(indexrelid), indrelid::regclass::text from pg_index
         join pg_class on pg_class.oid = indrelid where indisunique and relnamespace = 'public'::regnamespace
       union all select conrelid::regclass || ' ' || pg_get_constraintdef(pg_constraint.oid), conrelid::regclass::text
         from pg_constraint where connamespace = 'public'::regnamespace and conrelid <> 0`,
    ),
  };
}

/** Why the version that knows `before` could not work with `after`. */
function breakages(before: Schema, after: Schema): string[] {
  const changed = (['tables', 'columns', 'functions'] as const).flatMap((kind) =>
    [...before[kind]]
      .filter(([name, definition]) => after[kind].get(name) !== definition)
      .map(([name]) => `${name} is gone or changed`),
  );
  const isOld = (column: string) => before.tables.has(column.split('.')[0] ?? '');
  const required = [...after.columns]
    .filter(([name, type]) => !before.columns.has(name) && isOld(name) && type.endsWith('required'))
    .map(([name]) => `${name} is new and required`);
  const rules = [...after.rules]
    .filter(([rule, table]) => !before.rules.has(rule) && before.tables.has(table))
    .map(([rule]) => `a new rule: ${rule}`);
  return [...changed, ...required, ...rules];
}

async function connectToEmpty(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: await (await sharedPostgres()).createDatabase() });
  await client.connect();
  return client;
}

test('each migration leaves what the version before it relies on, so that two versions can run side by side', async (context) => {
  requirePostgres(context);
  const client = await connectToEmpty();
  const first = entries.findIndex(({ tag }) => tag === LAST_WITHOUT_RULE);
  expect(first).toBeGreaterThan(0);
  let before: Schema | undefined;
  for (const [index, { tag }] of entries.entries()) {
    await client.query(readFileSync(new URL(`${tag}.sql`, FOLDER), 'utf8'));
    if (index < first) continue;
    const after = await readSchema(client);
    const isUsed = (breakage: string) => !UNUSED[tag]?.some((name) => breakage.startsWith(`${name} `));
    expect(before ? breakages(before, after).filter(isUsed) : [], tag).toEqual([]);
    before = after;
  }

  // The comparison notices each kind of change.
  for (const [statement, breakage] of BREAKING) {
    await client.query('begin');
    await client.query(statement);
    expect(breakages(before!, await readSchema(client)), statement).toContainEqual(
      expect.stringContaining(breakage),
    );
    await client.query('rollback');
  }
  for (const statement of EXPANDING) {
    await client.query('begin');
    await client.query(statement);
    expect(breakages(before!, await readSchema(client)), statement).toEqual([]);
    await client.query('rollback');
  }
  await client.end();
});

const BREAKING: readonly [statement: string, breakage: string][] = [
  ['alter table lanes drop column answer', 'lanes.answer is gone or changed'],
  ['alter table lanes rename column answer to reply', 'lanes.answer is gone or changed'],
  ['alter table messages alter column published_at type numeric', 'messages.published_at is gone'],
  ['alter table tokens alter column origin drop default', 'tokens.origin is gone or changed'],
  ['alter table tokens alter column identity set not null', 'tokens.identity is gone or changed'],
  ['alter table tokens add column device text not null', 'tokens.device is new and required'],
  ['create unique index on tokens (project_id, identity)', 'a new rule: tokens'],
  ['alter table tokens add check (role <> custom_role)', 'a new rule: tokens'],
  ['drop function begin_epoch_v1', 'begin_epoch_v1(text,bigint,bigint) is gone or changed'],
  [
    `create or replace function server_v1() returns text language sql as $$ select '' $$`,
    'server_v1() is gone or changed',
  ],
  ['alter table present set logged', 'present is gone or changed'],
];

const EXPANDING = [
  'alter table tokens add column device text',
  `alter table tokens add column device text not null default ''`,
  'create table devices (id text primary key, token_id text not null unique)',
  'create index on tokens (project_id, created_at)',
  `create function server_v2() returns text language sql as $$ select '' $$`,
];
