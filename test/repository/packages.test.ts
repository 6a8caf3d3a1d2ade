import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGES = readdirSync(join(ROOT, 'packages')).filter((name) =>
  existsSync(join(ROOT, 'packages', name, 'package.json')),
);

interface Manifest {
  name: string;
  type: string;
  license: string;
  sideEffects: boolean;
  exports: Record<string, unknown>;
  scripts: Record<string, string>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const manifestOf = (name: string) =>
  JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')) as Manifest;

/** The imports of a package’s source, with the file that has them. */
function importsOf(name: string): { file: string; target: string }[] {
  const src = join(ROOT, 'packages', name, 'src');
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .flatMap((file) =>
      [...readFileSync(join(src, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
        ([, target = '']) => ({ file: join(src, file), target }),
      ),
    );
}

test('there are packages', () => {
  expect(PACKAGES).toContain('server');
});

describe.each(PACKAGES)('packages/%s', (name) => {
  const manifest = manifestOf(name);
  const inside = join(ROOT, 'packages', name, 'src');

  test('imports nothing of the service and nothing of another package by path', () => {
    const outside = importsOf(name).filter(
      ({ file, target }) =>
        target.startsWith('.') && relative(inside, resolve(file, '..', target)).startsWith('..'),
    );
    expect(outside).toEqual([]);
  });

  test('imports only what its package.json declares, and no built-in module of Node', () => {
    const external = importsOf(name)
      .map(({ target }) => target)
      .filter((target) => !target.startsWith('.'))
      .map((target) => /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target);
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect(external.filter((target) => !declared.includes(target))).toEqual([]);
    expect(
      external.filter((target) => target.startsWith('node:') || builtinModules.includes(target)),
    ).toEqual([]);
  });

  test('is an ES module with types, without side effects, with a licence and a README', () => {
    expect(manifest).toMatchObject({
      name: `@signalbox/${name}`,
      type: 'module',
      license: 'MIT',
      sideEffects: false,
      scripts: { build: expect.any(String) },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    });
    for (const file of ['README.md', 'LICENSE'])
      expect(existsSync(join(ROOT, 'packages', name, file)), file).toBe(true);
  });
});
