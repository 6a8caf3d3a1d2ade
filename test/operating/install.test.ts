import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LOCK_FILE } from '../../src/store/data-folder.ts';
import { findLockHolder } from '../../src/store/lock-holder.ts';
import { createFolder } from '../support/folder.ts';

const PREPARE = fileURLToPath(new URL('../../prepare.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url));

test.each([
  [
    ['dist/main.js', 'packages/client/dist/index.js', 'packages/server/dist/index.js'],
    'dist/ is used as it is',
  ],
  [['dist/main.js'], 'dist/ is used as it is'],
  [
    ['packages/client/package.json', 'packages/server/package.json'],
    'copy dist/, packages/client/dist/, packages/server/dist/ here',
  ],
  [
    ['dist/main.js', 'packages/client/dist/index.js', 'packages/server/package.json'],
    'copy packages/server/dist/ here',
  ],
  [[], 'copy dist/ here'],
])('an installation without a compiler that has %j succeeds', (files, expected) => {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['prepare']).toBe('node prepare.mjs');
  using folder = createFolder();
  copyFileSync(PREPARE, join(folder.path, 'prepare.mjs'));
  copyFileSync(PACKAGE, join(folder.path, 'package.json'));
  for (const file of files) {
    mkdirSync(join(folder.path, dirname(file)), { recursive: true });
    writeFileSync(join(folder.path, file), '');
  }
  const output = execFileSync(process.execPath, ['prepare.mjs'], { cwd: folder.path, encoding: 'utf8' });
  expect(output).toContain(expected);
});

test.each([
  ['>=99.0', 1, /needs Node 99\.0 or newer; this is Node .* run “npm ci” again/],
  [`>=${process.versions.node}`, 0, /^$/],
])('an installation on a Node that has to be %s exits with %i', (node, status, sentence) => {
  using folder = createFolder();
  copyFileSync(PREPARE, join(folder.path, 'prepare.mjs'));
  writeFileSync(join(folder.path, 'package.json'), JSON.stringify({ engines: { node } }));
  const { status: found, stderr } = spawnSync(process.execPath, ['prepare.mjs'], {
    cwd: folder.path,
    encoding: 'utf8',
  });
  expect(found).toBe(status);
  expect(stderr).toMatch(sentence);
});

test('npm start names the remedy when dist/ is missing', () => {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['prestart']).toBe('node prepare.mjs --check');
  using folder = createFolder();
  copyFileSync(PREPARE, join(folder.path, 'prepare.mjs'));
  const { status, stderr } = spawnSync(process.execPath, ['prepare.mjs', '--check'], {
    cwd: folder.path,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'dist/ is missing: run “npm ci”, which builds it, or “npm run build”.\n',
  });
});

test('the service ends when npm start is ended', async () => {
  using folder = createFolder();
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { ...process.env, PORT: '0', SIGNALBOX_DATA: folder.path, SIGNALBOX_LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const text of npm.stderr.setEncoding('utf8')) if (/listens on/.test(String(text))) break;
  const lock = join(folder.path, LOCK_FILE);
  const service = findLockHolder(lock);
  expect(service).toBeGreaterThan(0);
  npm.kill('SIGTERM');
  await once(npm, 'exit');
  const left = findLockHolder(lock);
  if (left !== undefined) process.kill(left);
  expect(left).toBeUndefined();
});

test('the service ends when the shell between npx and it is ended', async () => {
  using folder = createFolder();
  // As npx does: the shell waits for the service, and a SIGTERM ends the shell alone.
  const shell = spawn('sh', ['-c', '"$0" dist/main.js; exit', process.execPath], {
    cwd: ROOT,
    env: {
      ...process.env,
      ...{
        PORT: '0',
        SIGNALBOX_DATA: folder.path,
        SIGNALBOX_LOG_LEVEL: 'silent',
        SIGNALBOX_DRAIN_DELAY_MS: '0',
      },
      npm_lifecycle_event: 'npx',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const output = text(shell.stderr);
  const lock = join(folder.path, LOCK_FILE);
  await expect.poll(() => findLockHolder(lock)).toBeGreaterThan(0);
  const service = findLockHolder(lock)!;
  shell.kill('SIGTERM');
  await once(shell, 'exit');
  // The end of the output is the end of the service, which inherited it.
  const ended = output.then(() => true);
  const timer = sleep(10_000, false, { ref: false });
  if (!(await Promise.race([ended, timer]))) process.kill(service);
  expect(await output).toContain('The process that started the service has ended');
  expect(findLockHolder(lock)).toBeUndefined();
});

test('npx uses what is built', () => {
  using folder = createFolder();
  copyFileSync(PREPARE, join(folder.path, 'prepare.mjs'));
  copyFileSync(PACKAGE, join(folder.path, 'package.json'));
  for (const file of ['dist/main.js', 'node_modules/typescript/bin/tsc', 'tsconfig.build.json']) {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true });
    writeFileSync(join(folder.path, file), 'process.exit(7)');
  }
  const prepare = (npmCommand: string) =>
    spawnSync(process.execPath, ['prepare.mjs'], {
      cwd: folder.path,
      env: { ...process.env, npm_command: npmCommand },
    }).status;
  expect(prepare('ci')).toBe(7);
  expect(prepare('exec')).toBe(0);
});

/** A copy of the built service whose modules are links to the installed ones, so that a test can damage one of them. */
function createInstallation() {
  const folder = createFolder();
  cpSync(join(ROOT, 'dist'), join(folder.path, 'dist'), { recursive: true });
  for (const name of ['package.json', 'drizzle']) symlinkSync(join(ROOT, name), join(folder.path, name));
  const modules = join(folder.path, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  return {
    modules,
    run: (...args: string[]) => {
      const { status, stderr } = spawnSync(
        process.execPath,
        ['--preserve-symlinks', '--preserve-symlinks-main', 'dist/main.js', ...args],
        {
          cwd: folder.path,
          encoding: 'utf8',
          env: { ...process.env, PORT: '0', SIGNALBOX_DATA: folder.path },
        },
      );
      return { status, stderr };
    },
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

test.each([
  ['is missing', undefined],
  ['is not for this system', 'not a shared library'],
])('names “npm rebuild” when the native module of SQLite %s', (_, content) => {
  using installation = createInstallation();
  const sqlite = join(installation.modules, 'better-sqlite3');
  rmSync(sqlite);
  for (const part of ['package.json', 'lib'])
    cpSync(join(ROOT, 'node_modules/better-sqlite3', part), join(sqlite, part), { recursive: true });
  mkdirSync(join(sqlite, 'build/Release'), { recursive: true });
  if (content !== undefined) writeFileSync(join(sqlite, 'build/Release/better_sqlite3.node'), content);
  const expected = {
    status: 1,
    stderr: expect.stringMatching(
      /^The SQLite module cannot be loaded by Node .* Run “npm rebuild better-sqlite3” .*\n$/,
    ),
  };
  expect(installation.run()).toEqual(expected);
});

test.each(['graphql', 'commander'])('names “npm ci” when the module %s is missing', (name) => {
  using installation = createInstallation();
  rmSync(join(installation.modules, name));
  expect(installation.run()).toEqual({
    status: 1,
    stderr: expect.stringMatching(
      /^The installation is incomplete: Cannot find package .* Run “npm ci” .*\n$/,
    ),
  });
});
