import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from '../support/folder.ts';
import { read, write } from '../support/documents.ts';
import { measure, OTHER_PAGES, OWN_PAGES, rowOf } from './sizes.ts';

/** `npm run sizes`: installs the other libraries into a temporary folder, measures, and prints the table of the README. */
const README = 'packages/client/README.md';
using folder = createFolder();
writeFileSync(join(folder.path, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
const names = OTHER_PAGES.map(({ name }) => name);
execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...names], {
  cwd: folder.path,
  stdio: 'inherit',
});

const rows: string[] = [];
for (const page of Object.values(OWN_PAGES)) rows.push(rowOf(page.name, await measure(page)));
for (const page of OTHER_PAGES) rows.push(rowOf(page.name, await measure(page, folder.path)));
const table = ['| page with | minified and gzipped |', '| --- | ---: |', ...rows].join('\n');
const [before, rest] = read(README).split('<!-- sizes -->\n');
const [, after] = rest?.split('<!-- /sizes -->') ?? [];
if (after === undefined) throw new Error(`${README} has no place for the table.`);
write(README, `${before ?? ''}<!-- sizes -->\n\n${table}\n\n<!-- /sizes -->${after}`);
process.stdout.write(`${table}\n`);
