import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { DOCUMENTS, read } from '../support/documents.ts';
import { OPERATION_FILES, printOperations } from '../support/package-operations.ts';
import { listPages } from '../support/pages.ts';

const exists = (file: string) => existsSync(new URL(`../../${file}`, import.meta.url));

/** A section of a page, from its heading to the next one of the same level. */
function section(page: string, heading: string): string {
  const text = read(page).split(`\n## ${heading}`)[1]?.split('\n## ')[0];
  if (text === undefined) throw new Error(`${page} has no section “${heading}”.`);
  return text;
}

test.each(Object.entries(DOCUMENTS))('%s matches the source (npm run schema prints it)', (file, print) => {
  expect(read(file)).toBe(print());
});

test.each(Object.entries(OPERATION_FILES))(
  '%s matches its operations and the schema (npm run schema prints it)',
  async (file, operations) => {
    expect(read(file)).toBe(await printOperations(file, operations));
  },
);

test('npm run schema prints the operations without loading a program that imports them', async () => {
  const { metafile } = await build({
    stdin: {
      contents: "import './test/support/package-operations.ts'; import './test/support/reference/schema.ts';",
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    ...{ bundle: true, write: false, metafile: true, platform: 'node', format: 'esm', external: ['*.node'] },
    plugins: [
      {
        name: 'packages',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^[^./]/ }, ({ path }) =>
            path.startsWith('@signalbox/') ? undefined : { path, external: true },
          ),
      },
    ],
  });
  expect(Object.keys(metafile.inputs).filter((file) => file.startsWith('packages/'))).toEqual([]);
});

test('every test that the architecture names exists', () => {
  const laws = section('docs/architecture.md', 'The laws');
  const names = [...laws.matchAll(/`([a-z]+(?:-[a-z]+)*(?:\/[a-z-]+)?)`/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(15);
  const missing = names.filter((name) =>
    [`test/${name}.test.ts`, `test/${name}.ts`].every((file) => !exists(file)),
  );
  expect(missing).toEqual([]);
});

test('every test that the page about faults of other clients names exists', () => {
  const rows = read('docs/guides/client-faults.md')
    .split('\n')
    .filter((line) => /\(https:/.test(line))
    .map((line) => /\| `([\w/.-]+)`: (.+?) +\|$/.exec(line)?.slice(1) ?? [line, line]);
  expect(rows.length).toBeGreaterThanOrEqual(30);
  const missing = rows.filter(
    ([file = '', title = '']) =>
      !exists(`packages/${file}.test.ts`) || !read(`packages/${file}.test.ts`).includes(`'${title}'`),
  );
  expect(missing).toEqual([]);
});

test('every file that a path of the architecture names exists', () => {
  const steps = ['Path of a message', 'Path of a connection'].flatMap((path) =>
    [...section('docs/architecture.md', path).matchAll(/`([\w-]+(?:\/[\w-]+)+\.ts)`/g)].map(
      ([, file = '']) => file,
    ),
  );
  expect(steps.length).toBeGreaterThan(30);
  expect(steps.filter((file) => !exists(`src/${file}`))).toEqual([]);
});

test('the architecture lists the folders in the order that arrows.test.ts enforces', () => {
  const [, line = ''] = /```\n(main → .*)\n```/.exec(read('docs/architecture.md')) ?? [];
  const [, list = ''] = /const FOLDERS = \[([^\]]*)\]/.exec(read('test/repository/arrows.test.ts')) ?? [];
  const enforced = [...list.matchAll(/'([a-z]+)'/g)].map(([, folder]) => folder);
  const documented = line
    .split(' → ')
    .filter((folder) => exists(`src/${folder}`) || exists(`src/${folder}.ts`));
  expect(documented).toEqual(enforced);
});

test('docs/dependencies.md gives a reason for every dependency and every override', () => {
  const text = read('docs/dependencies.md');
  const { dependencies, devDependencies, overrides } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'devDependencies' | 'overrides',
    object
  >;
  const names = [dependencies, devDependencies, overrides].flatMap((all) => Object.keys(all));
  const isDefended = (name: string) =>
    text.includes(`\`${name}\``) || (name.startsWith('@types/') && text.includes('`@types/*`'));
  expect(names.filter((name) => !isDefended(name))).toEqual([]);
});

test('every GraphQL block of the documentation is valid', () => {
  const schema = buildSchema(read('schema.graphql'));
  const blocks = listPages().flatMap((page) =>
    [...read(page).matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, block = '']) => ({ page, block })),
  );
  expect(blocks.length).toBeGreaterThan(3);
  const invalid = blocks.flatMap(({ page, block }) =>
    validate(schema, parse(block)).map(({ message }) => `${page}: ${message}`),
  );
  expect(invalid).toEqual([]);
});
