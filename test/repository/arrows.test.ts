import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** From the door inwards: a room may use those that come after it, never those before. */
const ROOMS = [
  'main',
  'cli',
  'maintenance',
  'service',
  'transport',
  'schema',
  'subscriptions',
  'moderation',
  'messages',
  'presence',
  'connections',
  'broker',
  'channels',
  'tokens',
  'projects',
  'secrets',
  'store',
];

/** Leaves: everyone may use them; they use leaves only. */
const LEAVES = [
  'audit',
  'batch',
  'clock',
  'config',
  'errors',
  'ids',
  'keyed-mutex',
  'multimap',
  'names',
  'paging',
  'rate-limit',
  'settings',
];

interface Import {
  file: string;
  target: string;
}

const roomOf = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '');

const imports: Import[] = listFiles().flatMap((file) =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from|import) '([^']+)'/g)].map(
    ([, target = '']) => ({
      file,
      target: target.startsWith('.') ? relative(SRC, resolve(SRC, dirname(file), target)) : target,
    }),
  ),
);
const inside = imports.filter(({ target }) => target.endsWith('.ts'));
const outside = imports.filter(({ target }) => !target.endsWith('.ts'));

function listFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

test('every file is in a room or is a leaf', () => {
  const homeless = listFiles().filter((file) => ![...ROOMS, ...LEAVES].includes(roomOf(file)));
  expect(homeless).toEqual([]);
  expect(imports.length).toBeGreaterThan(200);
});

test('arrows go inwards', () => {
  const against = inside.filter(({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)];
    if (from === to || LEAVES.includes(to)) return false;
    return LEAVES.includes(from) || ROOMS.indexOf(to) < ROOMS.indexOf(from);
  });
  expect(against).toEqual([]);
});

test('rows are private to their room', () => {
  const strangers = inside.filter(
    ({ file, target }) =>
      target.endsWith('-store.ts') && roomOf(file) !== roomOf(target) && roomOf(file) !== 'service',
  );
  expect(strangers).toEqual([]);
});

test('tables are read and written by stores only', () => {
  const users = inside.filter(
    ({ file, target }) => target.endsWith('/tables.ts') && !/(-store|\/tables)\.ts$/.test(file),
  );
  expect(users).toEqual([]);
});

test.each([
  ['graphql', /^(schema|transport)\//],
  ['graphql-ws', /^transport\//],
  ['graphql-yoga', /^transport\//],
  ['ws', /^transport\//],
  ['@pothos/core', /^schema\//],
  ['jose', /^(tokens|secrets)\//],
  ['better-sqlite3', /^(store|maintenance)\//],
  ['commander', /^cli\//],
  ['drizzle-orm', /^store\/|-store\.ts$|\/tables\.ts$/],
  ['pino', /^service\.ts$/],
  ['prom-client', /^transport\/metrics\.ts$/],
])('%s has one home', (name, home) => {
  const users = outside.filter(({ target }) => target === name || target.startsWith(`${name}/`));
  expect(users.length).toBeGreaterThan(0);
  expect(users.filter(({ file }) => !home.test(file))).toEqual([]);
});

test('only main.ts says process, and no rule asks the system for the time', () => {
  const text = (file: string) =>
    readFileSync(join(SRC, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const files = listFiles();
  expect(files.filter((file) => /(?<![-\w])process\.[a-z]/.test(text(file)))).toEqual(['main.ts']);
  expect(files.filter((file) => /\bDate\.now\(\)|new Date\(\)/.test(text(file)))).toEqual(['clock.ts']);
  expect(files.filter((file) => /\bMath\.random\(/.test(text(file)))).toEqual([]);
});
