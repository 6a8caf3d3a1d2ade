import { cpSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { namedBlock } from '../support/code-blocks.ts';
import { EVENTS, follow } from '../support/follow.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { type Doors } from '../support/service.ts';

const PAGE = 'docs/operating.md';

/** Runs the SQL of a documented `sqlite3` command on the store of a folder. */
function runDocumented(name: string, folder: string, paths: Record<string, string> = {}): void {
  const [, sql = ''] = /"(.+)"/.exec(namedBlock(PAGE, name)) ?? [];
  const text = Object.entries(paths).reduce((all, [from, to]) => all.replace(from, to), sql);
  const sqlite = new Database(join(folder, 'signalbox.sqlite'));
  sqlite.exec(text);
  sqlite.close();
}

async function historyOf({ request }: Doors): Promise<string[]> {
  const { channel } = await request(`{ channel(id: "room") { messages(last: 100) { nodes { event } } } }`);
  return channel.messages.nodes.map(({ event }: { event: string }) => event);
}

test('a copy of a stopped data folder starts and holds everything', async () => {
  using folder = createFolder();
  using copy = createFolder();
  {
    await using service = await startProcess({ folder: folder.path });
    await createChannel(service, 'room');
    await publish(service, 'room', 'before');
    service.kill('SIGTERM');
    await service.exited;
  }
  cpSync(folder.path, copy.path, { recursive: true });
  await using restored = await startProcess({ folder: copy.path });
  expect(await historyOf(restored)).toEqual(['before']);
  expect(statSync(join(folder.path, 'master.key')).mode & 0o777).toBe(0o600);
});

test('VACUUM INTO copies a running service; the copy starts beside the master key', async () => {
  using folder = createFolder();
  using copy = createFolder();
  await using service = await startProcess({ folder: folder.path });
  await createChannel(service, 'room');
  await publish(service, 'room', 'before');
  runDocumented('backup while running', folder.path, {
    '/var/backups/signalbox.sqlite': join(copy.path, 'signalbox.sqlite'),
  });
  await publish(service, 'room', 'after');
  cpSync(join(folder.path, 'master.key'), join(copy.path, 'master.key'));
  await using restored = await startProcess({ folder: copy.path });
  expect(await historyOf(restored)).toEqual(['before']);
});

test('after a restore, a new epoch answers a cursor from the lost time with POSITION_LOST', async () => {
  using folder = createFolder();
  using copy = createFolder();
  const minted = await (async () => {
    await using service = await startProcess({ folder: folder.path });
    await createChannel(service, 'room');
    const token = await mint(service, { channels: ['room'] });
    service.kill('SIGTERM');
    await service.exited;
    return token;
  })();
  cpSync(folder.path, copy.path, { recursive: true });
  const cursorOfLostTime = await (async () => {
    await using service = await startProcess({ folder: folder.path });
    await publish(service, 'room', 'lost');
    return (await mint(service)).cursor;
  })();

  runDocumented('new epoch', copy.path);
  await using restored = await startProcess({ folder: copy.path });
  for (const event of ['one', 'two']) await publish(restored, 'room', event);
  const client = restored.client({ token: minted.credential });
  const inbox = follow(client, EVENTS, { since: cursorOfLostTime });
  await inbox.until(({ events }) => events.length === 2);
  expect(inbox.events[1]).toMatchObject({ __typename: 'Gap', reason: 'POSITION_LOST' });
  const past = follow(client, EVENTS, { since: minted.cursor });
  await past.until(({ events }) => events.length === 2);
  expect(past.events[1]).toMatchObject({ __typename: 'Gap', reason: 'POSITION_LOST' });
  expect(await historyOf(restored)).toEqual(['one', 'two']);
});
