import { copyFileSync, openSync, writeSync, closeSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { runCommand } from '../support/command-line.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';

const original = createFolder();

beforeAll(async () => {
  await using service = await startProcess({ folder: original.path });
  for (const id of ['lobby', 'room']) await createChannel(service, id);
  await mint(service, { channels: ['lobby'] });
  for (let number = 0; number < 300; number++) {
    await service.request(
      'mutation ($data: JSON) { publishMessage(channel: "lobby", event: "e", data: $data) { connections } }',
      { data: { number, text: 'x'.repeat(200) } },
    );
  }
  service.kill('SIGTERM');
  await service.exited;
  return () => original[Symbol.dispose]();
});

/** A data folder with a copy of the store, changed by `change`. */
function folderWith(change: (sqlite: Database.Database) => void) {
  const folder = createFolder();
  for (const name of ['signalbox.sqlite', 'master.key'])
    copyFileSync(join(original.path, name), join(folder.path, name));
  const sqlite = new Database(join(folder.path, 'signalbox.sqlite'));
  change(sqlite);
  sqlite.close();
  return folder;
}

const check = (data: string) => runCommand(['check'], { SIGNALBOX_DATA: data });

test('check reports no damage for an intact store, also while a service uses it', async () => {
  using folder = folderWith(() => undefined);
  expect(await check(folder.path)).toMatchObject({
    code: 0,
    output: expect.stringContaining('300 messages'),
  });
  await using _service = await startProcess({ folder: folder.path });
  expect(await check(folder.path)).toMatchObject({
    code: 0,
    output: expect.stringContaining('No damage was found.'),
  });
});

test('backup, check and restore print their reports as JSON for scripts', async () => {
  using folder = folderWith(() => undefined);
  const json = async (...args: string[]) => {
    const { code, stdout, output } = await runCommand([...args, '--json'], { SIGNALBOX_DATA: folder.path });
    expect({ code, output }).toEqual({ code: 0, output: stdout });
    return JSON.parse(stdout);
  };
  const file = join(folder.path, 'copy.sqlite');
  const projects = [{ projectId: 'default', messages: 300 }];
  expect(await json('backup', file)).toMatchObject({ file, projects });
  expect(await json('check')).toMatchObject({ damage: [], projects });
  expect(await json('restore', file)).toMatchObject({
    projects,
    undone: [{ projectId: 'default', messages: 0 }],
  });
});

test.each([
  [
    'a state that is not JSON',
    `update channels set state = '{"a":' where id = 'room'`,
    /channels \(channel:room\)/,
  ],
  [
    'data that is not JSON',
    `update messages set data = 'nul' where sequence = 7`,
    /messages \(channel:lobby\)/,
  ],
  ['a head behind the log', 'update logs set head = 10', /logs \(default\)/],
  ['a missing message', 'delete from messages where sequence = 100', /messages \(channel:lobby\).*previous/],
  ['an address behind its messages', 'update addresses set last = 3', /addresses \(channel:lobby\)/],
  [
    'a membership without its channel',
    `delete from channels where id = 'lobby'`,
    /memberships \(channel:lobby\)/,
  ],
])('check reports %s by table and channel', async (_, sql, expected) => {
  using folder = folderWith((sqlite) => sqlite.exec(sql));
  const { code, output } = await check(folder.path);
  expect(code).toBe(1);
  expect(output).toMatch(expected);
});

test('check reports overwritten pages without a stack trace', async () => {
  using folder = folderWith(() => undefined);
  const file = join(folder.path, 'signalbox.sqlite');
  const descriptor = openSync(file, 'r+');
  for (let offset = 4096 * 20; offset < statSync(file).size; offset += 4096 * 3)
    writeSync(descriptor, Buffer.alloc(2048, 0x5a), 0, 2048, offset);
  closeSync(descriptor);
  const { code, output } = await check(folder.path);
  expect(code).toBe(1);
  expect(output).toContain('damaged');
  expect(output).not.toMatch(/^\s+at /m);
});

test.each([
  ['--help', /backup[\s\S]*restore[\s\S]*check/],
  ['--version', /^\d+\.\d+\.\d+\n$/],
])('%s prints and starts nothing', async (option, expected) => {
  using folder = createFolder();
  const { code, output } = await runCommand([option], { SIGNALBOX_DATA: join(folder.path, 'new') });
  expect(code).toBe(0);
  expect(output).toMatch(expected);
});

test('an unknown command exits with an error message', async () => {
  const { code, output } = await runCommand(['bakup']);
  expect(code).toBe(2);
  expect(output).toMatch(/unknown command 'bakup'[^]*--help/);
});
