import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The relative imports of every file of a folder, type imports included, by file. */
function importsOf(folder: string): Map<string, string[]> {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
  return new Map(
    files.map((file) => {
      const matches = readFileSync(join(ROOT, file), 'utf8').matchAll(/\b(?:from|import) '(\.[^']+\.ts)'/g);
      return [file, [...matches].map(([, target]) => relative(ROOT, resolve(ROOT, dirname(file), target!)))];
    }),
  );
}

/** The files in import cycles, and those on a path from one cycle to another. */
function filesInCycles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const remaining = new Map(imports);
  for (;;) {
    const leaves = [...remaining].filter(([, targets]) => !targets.some((target) => remaining.has(target)));
    if (leaves.length === 0) break;
    for (const [file] of leaves) remaining.delete(file);
  }
  // Every remaining file is in a cycle or leads to one; remove those that only lead to one.
  for (;;) {
    const imported = new Set([...remaining.values()].flat());
    const roots = [...remaining.keys()].filter((file) => !imported.has(file));
    if (roots.length === 0) return [...remaining.keys()].sort();
    for (const file of roots) remaining.delete(file);
  }
}

test.each(['bench', 'test'])('%s has no import cycle', (folder) => {
  const imports = importsOf(folder);
  expect([...imports.values()].flat().length).toBeGreaterThan(50);
  expect(filesInCycles(imports)).toEqual([]);
});

test('a cycle is reported without the files that import it or are imported by it', () => {
  const imports = new Map([
    ['main', ['a']],
    ['a', ['b']],
    ['b', ['a', 'leaf']],
    ['leaf', []],
  ]);
  expect(filesInCycles(imports)).toEqual(['a', 'b']);
});
