import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { read } from '../support/repository-files.ts';

const ROOT = fileURLToPath(new URL('../../console', import.meta.url));
const SRC = join(ROOT, 'src');

/** From the page inwards: a folder may import the folders after it, never those before it. */
const FOLDERS = [
  'main',
  'App',
  'shell',
  'pages',
  'test-client',
  'sign-in',
  'fields',
  'parts',
  'api',
  'client',
  'routing',
  'generated',
  'operation',
  'theme',
];

/** The mutations that the console does not send, with the reason. */
const OMITTED: Record<string, string> = {
  createDevelopmentToken: 'for clients without a backend, in development',
  createGuest: 'for clients without a backend',
  createStreamTicket: 'for tokens',
  patchChannelState: 'the page of a channel replaces the state, against the version that was read',
  publishMessages: 'for imports: the command line and the SDK read files',
  reauthenticate: 'for tokens, on their own connection',
  setPresence: 'for tokens, on their own connection',
  subscribeTokens: 'for many at once: the SDK',
  unsubscribeTokens: 'for many at once: the SDK',
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const textOf = (file: string) => readFileSync(join(SRC, file), 'utf8');
const folderOf = (file: string) => file.split('/')[0]!.replace(/\.tsx?$/, '');
const imports = files.flatMap((file) =>
  [...textOf(file).matchAll(/(?:from|import) '([^']+)'/g)].map(([, target = '']) => ({ file, target })),
);

test('the folders of the console import inwards only, and nothing outside the console', () => {
  const internal = imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ file, target }) => ({ file, target: relative(SRC, resolve(SRC, file, '..', target)) }));
  expect(internal.length).toBeGreaterThan(200);
  const outward = internal.filter(({ file, target }) => {
    const [from, to] = [FOLDERS.indexOf(folderOf(file)), FOLDERS.indexOf(folderOf(target))];
    return target !== 'console.css' && (from === -1 || to < from);
  });
  expect(outward).toEqual([]);
});

test('the console imports only what its package.json declares', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const external = imports
    .filter(({ target }) => !target.startsWith('.'))
    .map(({ target }) => /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target);
  expect(external.filter((name) => !(name in devDependencies))).toEqual([]);
});

test('no file of the console renders HTML or uses the storage of the browser', () => {
  const forbidden =
    /dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|localStorage|sessionStorage|document\.cookie/;
  expect(files.filter((file) => forbidden.test(textOf(file)))).toEqual([]);
});

test('no file of the console that people write has more than 200 lines', () => {
  const long = files.filter(
    (file) => folderOf(file) !== 'generated' && textOf(file).split('\n').length > 200,
  );
  expect(long).toEqual([]);
});

test('the console sends every mutation of the schema, except those that are omitted with a reason', () => {
  const fieldsOf = (text: string) => [...text.matchAll(/^ {2}(\w+)(?=[(:\n])/gm)].map(([, name]) => name);
  const [, schema = ''] = /^type Mutation \{(.*?)^\}/ms.exec(read('schema.graphql')) ?? [];
  const folder = join(ROOT, 'operations');
  const operations = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const sent = operations
    .flatMap((text) => text.match(/^mutation .*?^\}/gms) ?? [])
    .flatMap((text) => fieldsOf(text.slice(text.indexOf('{'))));
  expect([...new Set([...sent, ...Object.keys(OMITTED)])].sort()).toEqual(fieldsOf(schema).sort());
});
