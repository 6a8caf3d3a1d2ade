import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** From the outside inwards: a folder may import the folders after it, never those before it. */
const FOLDERS = [
  'main',
  'start',
  'cli',
  'maintenance',
  'service',
  'compose',
  'transport',
  'schema',
  'observability',
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

/** Every folder may import a leaf. A leaf may import leaves only. */
const LEAVES = [
  'audit',
  'batch',
  'clock',
  'version',
  'clock-history',
  'config',
  'create-folder',
  'disposer',
  'errors',
  'exact-numbers',
  'flat-key',
  'ids',
  'is-object',
  'keyed-mutex',
  'log-destination',
  'logger',
  'machine',
  'multimap',
  'names',
  'origin-list',
  'outcome-error',
  'host-list',
  'paging',
  'rate-limit',
  'redact-secrets',
  'refusal-reason',
  'settings',
  'slices',
  'use-counts',
];

interface Import {
  file: string;
  target: string;
}

const folderOf = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '');

const imports: Import[] = listFiles().flatMap((file) =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from|import) '([^']+)'/g)].map(
    ([, target = '']) => ({
      file,
      target: target.startsWith('.') ? relative(SRC, resolve(SRC, dirname(file), target)) : target,
    }),
  ),
);
const internal = imports.filter(({ target }) => target.endsWith('.ts'));
const external = imports.filter(({ target }) => !target.endsWith('.ts'));

function listFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

test('every source file belongs to a folder of the architecture or is a leaf', () => {
  const unplaced = listFiles().filter((file) => ![...FOLDERS, ...LEAVES].includes(folderOf(file)));
  expect(unplaced).toEqual([]);
  expect(imports.length).toBeGreaterThan(200);
});

test('imports between folders point inwards only', () => {
  const outward = internal.filter(({ file, target }) => {
    const [from, to] = [folderOf(file), folderOf(target)];
    if (from === to || LEAVES.includes(to)) return false;
    return LEAVES.includes(from) || FOLDERS.indexOf(to) < FOLDERS.indexOf(from);
  });
  expect(outward).toEqual([]);
});

test('commands that talk to a service over the network import nothing of the service', () => {
  const remote = internal.filter(({ file }) => file.startsWith('cli/remote/'));
  expect(remote.length).toBeGreaterThan(20);
  expect(remote.filter(({ target }) => !target.startsWith('cli/remote/'))).toEqual([]);
});

test('stores are imported only by their own folder and by the composition root', () => {
  const violations = internal.filter(
    ({ file, target }) =>
      target.endsWith('-store.ts') && folderOf(file) !== folderOf(target) && folderOf(file) !== 'compose',
  );
  expect(violations).toEqual([]);
});

test('tables are imported by stores only', () => {
  const users = internal.filter(
    ({ file, target }) => target.endsWith('/tables.ts') && !/(-store|\/tables)\.ts$/.test(file),
  );
  expect(users).toEqual([]);
});

test.each([
  ['graphql', /^(schema|transport)\//],
  ['graphql-ws', /^transport\//],
  ['graphql-yoga', /^transport\//],
  ['ws', /^(transport|cli\/remote)\//],
  ['@signalbox/client', /^cli\/remote\//],
  ['@signalbox/server', /^cli\/remote\//],
  ['@pothos/core', /^schema\//],
  ['jose', /^(tokens|secrets)\//],
  ['pg', /^store\//],
  ['better-sqlite3', /^(store|maintenance)\//],
  ['commander', /^(cli\/|start\.ts$)/],
  ['drizzle-orm', /^store\/|-store\.ts$|\/tables\.ts$/],
  ['pino', /^logger\.ts$/],
  ['prom-client', /^transport\/metric(s|-factory)\.ts$/],
])('%s is imported only where its adapter lives', (name, home) => {
  const users = external.filter(({ target }) => target === name || target.startsWith(`${name}/`));
  expect(users.length).toBeGreaterThan(0);
  expect(users.filter(({ file }) => !home.test(file))).toEqual([]);
});

test('only main.ts and start.ts read process, only clock.ts reads the time, and no file calls Math.random', () => {
  const text = (file: string) =>
    readFileSync(join(SRC, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const files = listFiles();
  expect(files.filter((file) => /(?<![-\w])process\.[a-z]/.test(text(file)))).toEqual([
    'main.ts',
    'start.ts',
  ]);
  expect(files.filter((file) => /\bDate\.now\(\)|new Date\(\)/.test(text(file)))).toEqual(['clock.ts']);
  expect(files.filter((file) => /\bMath\.random\(/.test(text(file)))).toEqual([]);
});
