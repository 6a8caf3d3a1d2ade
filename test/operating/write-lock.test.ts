import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { publishTo } from '../support/publish.ts';
import { startProcess } from '../support/process.ts';

/** Takes the write lock of the store, as a shell with BEGIN IMMEDIATE does. */
function lockStore(folder: string) {
  const sqlite = new Database(join(folder, 'signalbox.sqlite'));
  sqlite.exec('BEGIN IMMEDIATE');
  return {
    release: () => sqlite.close(),
    [Symbol.dispose]: () => sqlite.close(),
  };
}

async function startLocked() {
  const folder = createFolder();
  const service = await startProcess({ folder: folder.path });
  await createChannel(service, 'room');
  const lock = lockStore(folder.path);
  return {
    service,
    lock,
    async [Symbol.asyncDispose]() {
      lock.release();
      await service[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

test('requests that write nothing are answered while a publish waits for the lock of another program', async () => {
  await using started = await startLocked();
  const { service, lock } = started;
  const order: string[] = [];
  const published = publishTo(service, { channel: 'room' }, 1).then(() => order.push('published'));
  // The service has received the publish once it reports that it cannot write.
  while ((await fetch(`${service.url}/ready`)).status !== 503);
  for (let request = 0; request < 20; request++) {
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    expect((await service.request('{ channel(id: "room") { id } }')).channel).toEqual({ id: 'room' });
  }
  order.push('answered');
  lock.release();
  await published;
  expect(order).toEqual(['answered', 'published']);
});

test('mutations are UNAVAILABLE while another program keeps the lock, and succeed after it was released', async () => {
  await using started = await startLocked();
  const { service, lock } = started;
  const mutations = [
    'mutation { createChannel(input: { id: "other" }) { id } }',
    'mutation { publishMessage(channel: "room", event: "e") { connections } }',
    'mutation { createToken { credential } }',
  ];
  const refused = await Promise.all(mutations.map((mutation) => service.ask(mutation)));
  for (const { errors } of refused)
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', retryable: true } }]);
  lock.release();
  for (const mutation of mutations) await service.request(mutation);
  expect((await fetch(`${service.url}/ready`)).status).toBe(200);
});
