import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { runCommand } from '../support/command-line.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';

const PUBLISH =
  'mutation ($data: JSON) { publishMessage(channel: "room", event: "e", data: $data) { connections } }';

/** Publishes one message after the other until `isOver` holds. Resolves to the number of acknowledged messages. */
async function publishUntil(service: RunningProcess, isOver: () => boolean): Promise<number> {
  let acknowledged = 0;
  while (!isOver()) {
    await service.request(PUBLISH, { data: acknowledged });
    acknowledged++;
  }
  return acknowledged;
}

const messagesIn = (file: string) => {
  const sqlite = new Database(file, { readonly: true });
  try {
    return sqlite.prepare('select data from messages order by sequence').pluck().all().map(Number);
  } finally {
    sqlite.close();
  }
};

test('backup copies a store under load: a prefix of the log without a hole, and the service continues', async () => {
  using folder = createFolder();
  await using service = await startProcess({ folder: folder.path });
  await createChannel(service, 'room');
  for (let number = 0; number < 200; number++) await service.request(PUBLISH, { data: number });
  let isBackedUp = false;
  const publishing = publishUntil(service, () => isBackedUp);
  const file = join(folder.path, 'copy.sqlite');
  const { code, output } = await runCommand(['backup', file], { SIGNALBOX_DATA: folder.path });
  isBackedUp = true;
  const acknowledged = await publishing;
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('verified') });
  const copied = messagesIn(file);
  expect(copied.length).toBeGreaterThanOrEqual(200);
  expect(copied.length).toBeLessThanOrEqual(200 + acknowledged);
  expect(copied).toEqual([...Array(200).keys(), ...Array(copied.length - 200).keys()]);
  await service.request(PUBLISH, { data: 'after' });
});

test('only its owner can read the backup', async () => {
  using folder = createFolder();
  await using _service = await startProcess({ folder: folder.path });
  const file = join(folder.path, 'copy.sqlite');
  const { output } = await runCommand(['backup', file], { SIGNALBOX_DATA: folder.path });
  expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
  expect(output.split('\n').map((line) => line.split(':')[0])).toEqual([
    `Wrote ${file}`,
    'The master key is not in the backup. Without it, API keys that sign, issuers and signing keys cannot be read.',
    '',
  ]);
});

test('backup never replaces a file of the data folder, however its path is spelled', async () => {
  using folder = createFolder();
  using links = createFolder();
  const link = join(links.path, 'data');
  symlinkSync(folder.path, link);
  await using service = await startProcess({ folder: folder.path });
  await createChannel(service, 'room');
  const contents = () => [
    statSync(join(folder.path, 'signalbox.sqlite')).ino,
    readFileSync(join(folder.path, 'master.key'), 'utf8'),
  ];
  const before = contents();
  for (const file of [join(link, 'signalbox.sqlite'), join(folder.path, 'master.key')]) {
    const { code, output } = await runCommand(['backup', '--force', file], { SIGNALBOX_DATA: folder.path });
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('Name another file') });
  }
  expect(contents()).toEqual(before);
});

test('backup refuses to replace a file without --force', async () => {
  using folder = createFolder();
  await using _service = await startProcess({ folder: folder.path });
  const file = join(folder.path, 'copy.sqlite');
  writeFileSync(file, 'something else');
  const refused = await runCommand(['backup', file], { SIGNALBOX_DATA: folder.path });
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('--force') });
  expect(await runCommand(['backup', '--force', file], { SIGNALBOX_DATA: folder.path })).toMatchObject({
    code: 0,
  });
  expect(messagesIn(file)).toEqual([]);
});

test.each([
  [
    'the data folder is missing',
    (folder: string) => ({ data: join(folder, 'none'), file: join(folder, 'f') }),
  ],
  [
    'the target folder is missing',
    (folder: string) => ({ data: folder, file: join(folder, 'no', 'such', 'f') }),
  ],
])('backup ends with an error message and leaves nothing behind when %s', async (_, make) => {
  using folder = createFolder();
  {
    await using _service = await startProcess({ folder: folder.path });
  }
  const { data, file } = make(folder.path);
  const { code, output } = await runCommand(['backup', file], { SIGNALBOX_DATA: data });
  expect(code).toBe(1);
  expect(output).not.toMatch(/^\s+at /m);
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(existsSync(file)).toBe(false);
});
