import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { runCommand } from '../support/command-line.ts';
import { createFolder } from '../support/folder.ts';
import { mint } from '../support/backend.ts';
import { launchProcess, startProcess, type RunningProcess } from '../support/process.ts';
import { openSocket } from '../support/socket.ts';
import { machineProblem } from '../../src/machine.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Runs a start that is expected to fail; it must end with one sentence and without a stack trace. */
async function failingStart(data: string, env: Record<string, string> = {}): Promise<string> {
  const { code, output } = await runCommand([], {
    SIGNALBOX_DATA: data,
    PORT: '0',
    SIGNALBOX_LOG_LEVEL: 'silent',
    ...env,
  });
  expect(code).toBe(1);
  expect(output).not.toMatch(/^\s+at /m);
  return output;
}

/** A folder whose service ran once and was stopped. */
async function usedFolder() {
  const folder = createFolder();
  await using service = await startProcess({ folder: folder.path });
  service.kill('SIGTERM');
  await service.exited;
  return folder;
}

test('only the owner can read the data folder and its files', async () => {
  using parent = createFolder();
  const data = join(parent.path, 'data');
  await using service = await startProcess({ folder: data });
  await service.request('mutation { createChannel(input: { id: "room" }) { id } }');
  expect(modeOf(data)).toBe('700');
  for (const name of readdirSync(data)) expect([name, modeOf(join(data, name))]).toEqual([name, '600']);
});

test('files that others could read are restricted at the next start', async () => {
  using folder = await usedFolder();
  chmodSync(join(folder.path, 'signalbox.sqlite'), 0o644);
  await using _service = await startProcess({ folder: folder.path });
  expect(modeOf(join(folder.path, 'signalbox.sqlite'))).toBe('600');
});

test('refuses to start when the data folder has a master key but no store', async () => {
  using folder = await usedFolder();
  for (const name of readdirSync(folder.path))
    if (name.startsWith('signalbox.sqlite')) rmSync(join(folder.path, name));
  const output = await failingStart(folder.path);
  expect(output).toContain('holds master.key but no signalbox.sqlite');
  expect(readdirSync(folder.path)).not.toContain('signalbox.sqlite');
});

test('exits with an error message when the master key cannot be read', async () => {
  using folder = createFolder();
  // A folder, because the permissions of a file do not stop root.
  mkdirSync(join(folder.path, 'master.key'), { mode: 0o700 });
  writeFileSync(join(folder.path, 'signalbox.sqlite'), '');
  expect(await failingStart(folder.path)).toContain('The master key cannot be read');
});

test('refuses a store that a newer version wrote', async () => {
  using folder = await usedFolder();
  const sqlite = new Database(join(folder.path, 'signalbox.sqlite'));
  sqlite.exec(`insert into __drizzle_migrations (hash, created_at) values ('newer', 9999999999999)`);
  sqlite.close();
  expect(await failingStart(folder.path)).toContain('newer version');
});

/** A data folder in which a name is a pipe that nothing writes to; `beside`: an empty file. */
function pipeIn(path: string, name: string, beside?: string): void {
  mkdirSync(path);
  execFileSync('mkfifo', ['--mode=600', join(path, name)]);
  if (beside !== undefined) writeFileSync(join(path, beside), '');
}

test.each([
  ['is a file', (path: string) => writeFileSync(path, ''), 'is not a folder'],
  ['is a link to nothing', (path: string) => symlinkSync('nothing', path), 'does not exist and cannot be'],
  ['is a link to itself', (path: string) => symlinkSync('data', path), 'does not exist and cannot be'],
  ['is in a file', (path: string) => (writeFileSync(path, ''), join(path, 'data')), 'is not a folder'],
  // Node's own mkdir never returns there.
  ['is in /proc', () => '/proc/signalbox/data', 'does not exist and cannot be created'],
  ['has a long name', () => `/tmp/${'x'.repeat(300)}`, 'does not exist and cannot be created'],
  [
    'holds a pipe as its store',
    (path: string) => pipeIn(path, 'signalbox.sqlite'),
    'signalbox.sqlite is not a file',
  ],
  ['holds a pipe as its lock', (path: string) => pipeIn(path, 'lock.sqlite'), 'lock.sqlite is not a file'],
  [
    'holds a pipe as its master key',
    (path: string) => pipeIn(path, 'master.key', 'signalbox.sqlite'),
    'The master key cannot be read: it is not a regular file',
  ],
  [
    'holds something else as its store',
    (path: string) => {
      mkdirSync(path);
      writeFileSync(join(path, 'signalbox.sqlite'), 'x'.repeat(10_000));
    },
    'damaged store',
  ],
])('exits with an error message when the data folder %s', async (_, make, expected) => {
  using parent = createFolder();
  const data = join(parent.path, 'data');
  const other = make(data);
  expect(await failingStart(typeof other === 'string' ? other : data)).toContain(expected);
});

test('exits with an error message when the pages of the store are damaged', async () => {
  using folder = await usedFolder();
  const file = join(folder.path, 'signalbox.sqlite');
  copyFileSync(file, `${file}.copy`);
  const sqlite = new Database(file);
  sqlite.pragma('wal_checkpoint(TRUNCATE)');
  sqlite.pragma('journal_mode = DELETE');
  sqlite.close();
  const bytes = Buffer.alloc(statSync(file).size - 4096, 0x5a);
  writeFileSync(file, bytes, { flag: 'r+' });
  expect(await failingStart(folder.path)).toMatch(/damaged store/);
});

test('the API key of a first start that fails is not lost: the next start creates another one', async () => {
  using folder = createFolder();
  const data = join(folder.path, 'data');
  const occupied = createServer().listen(0, '127.0.0.1');
  await once(occupied, 'listening');
  const { port } = occupied.address() as { port: number };
  const output = await failingStart(data, { PORT: String(port) });
  expect(output).toContain('port is in use');
  occupied.close();
  await using service = await startProcess({ folder: data, env: { SIGNALBOX_API_KEY: '' } });
  expect(service.stderr).toMatch(/API key \(shown this once\): key_/);
});

test('a client may come back after the service was started on an empty folder by mistake', async () => {
  using folder = createFolder();
  const stop = async (service: RunningProcess) => {
    service.kill('SIGTERM');
    await service.exited;
  };
  const connect = async (service: RunningProcess, token: string) => {
    using socket = await openSocket(service);
    socket.send({ type: 'connection_init', payload: { token } });
    const closed = socket.closed.then(({ code }) => code);
    return await Promise.race([socket.next().then(({ type }) => type), closed]).catch(() => closed);
  };
  await using right = await startProcess({ folder: folder.path });
  const { credential } = await mint(right);
  expect(await connect(right, credential)).toBe('connection_ack');
  await stop(right);
  await using wrong = await startProcess();
  expect(await connect(wrong, credential)).toBe(1013);
  expect(await connect(wrong, (await mint(wrong)).credential)).toBe('connection_ack');
  expect(await connect(wrong, credential.replace('eyJ', 'eyK'))).toBe(4401);
  await stop(wrong);
  await using mounted = await startProcess({ folder: folder.path });
  expect(await connect(mounted, credential)).toBe('connection_ack');
});

test.each([
  ['18.20.4', ''],
  ['20.18.1', ''],
  ['12.22.0', ''],
])('names the version of Node that it needs when it runs on %s', (version, limits) => {
  expect(machineProblem(version, limits)).toMatch(/needs Node 20\.19 or newer; this is Node \d+/);
});

test.each(['20.19.0', '20.20.2', '22.0.0', '100.1.0'])('runs on Node %s', (version) => {
  expect(
    machineProblem(version, 'Max open files            1024                 1048576              files'),
  ).toBe(undefined);
});

test('the entry has no syntax that an old version of Node cannot parse', () => {
  for (const file of ['main.js', 'machine.js']) {
    const text = readFileSync(new URL(`../../dist/${file}`, import.meta.url), 'utf8');
    expect(text).not.toMatch(/\?\?|\?\.|^await |from 'node:|\bstatic \{|#[a-z]/m);
  }
});

test('a start with too few file descriptors to load exits with an error message', async () => {
  await using launched = launchProcess({ descriptors: 100 });
  expect(await launched.exited).toBe(1);
  expect(launched.stderr).toBe(
    'Signalbox needs at least 256 file descriptors to start, and one more for each connection; the limit is 100. Raise it: ulimit -n, or LimitNOFILE in systemd.\n',
  );
});

test('warns of an unknown SIGNALBOX_ variable and names the nearest setting', async () => {
  await using service = await startProcess({ env: { SIGNALBOX_MAX_CONECTIONS: '5' } });
  expect(service.stderr).toContain(
    'SIGNALBOX_MAX_CONECTIONS is not a setting and is ignored. Did you mean SIGNALBOX_MAX_CONNECTIONS?',
  );
});

test.each([
  ['an address of another machine', '203.0.113.1'],
  ['a URL', 'http://127.0.0.1'],
])('exits with an error message about HOST when it is %s', async (_, host) => {
  using folder = createFolder();
  expect(await failingStart(folder.path, { HOST: host })).toContain('Set HOST to an IP address');
});
