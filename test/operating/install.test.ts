import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createFolder } from '../support/folder.ts';

const PREPARE = fileURLToPath(new URL('../../prepare.mjs', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url));

test.each([
  [true, 'dist/ is used as it is'],
  [false, 'copy dist/ here'],
])('an installation without a compiler succeeds (dist present: %s)', (hasDist, expected) => {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['prepare']).toBe('node prepare.mjs');
  using folder = createFolder();
  copyFileSync(PREPARE, join(folder.path, 'prepare.mjs'));
  if (hasDist) {
    mkdirSync(join(folder.path, 'dist'));
    writeFileSync(join(folder.path, 'dist', 'main.js'), '');
  }
  const output = execFileSync(process.execPath, ['prepare.mjs'], { cwd: folder.path, encoding: 'utf8' });
  expect(output).toContain(expected);
});
