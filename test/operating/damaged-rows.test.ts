import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { numbers, publishNumbers } from '../support/publish.ts';
import { EVENTS, MESSAGES, subscribeResuming } from '../support/resuming-subscription.ts';

/** Stops a service, damages rows with `sql`, and starts it again with a log file. */
async function startDamaged(sql: string) {
  const folder = createFolder();
  let token: { credential: string; cursor: string };
  {
    await using service = await startProcess({ folder: folder.path });
    for (const id of ['hall', 'room', 'yard']) await createChannel(service, id);
    token = await mint(service, { channels: ['room', 'yard'] });
    await publishNumbers(service, 'room', 10);
    await publishNumbers(service, 'yard', 2);
    service.kill('SIGTERM');
    await service.exited;
  }
  const sqlite = new Database(join(folder.path, 'signalbox.sqlite'));
  sqlite.exec(sql);
  sqlite.close();
  const logFile = join(folder.path, 'log');
  const stdout = openSync(logFile, 'a');
  const service = await startProcess({
    folder: folder.path,
    stdout,
    env: { SIGNALBOX_LOG_LEVEL: 'error' },
  });
  closeSync(stdout);
  return {
    service,
    token,
    readLog: () => readFileSync(logFile, 'utf8'),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

test('a damaged state fails its own field only, and a new state mends the channel', async () => {
  await using started = await startDamaged(`update channels set state = '{"broken' where id = 'room'`);
  const { service, token } = started;
  const list = '{ channels(first: 10) { nodes { id state } } }';
  const { data, errors } = await service.ask(list);
  expect(data.channels.nodes).toEqual([
    { id: 'hall', state: {} },
    { id: 'room', state: null },
    { id: 'yard', state: {} },
  ]);
  expect(errors).toMatchObject([
    { path: ['channels', 'nodes', 1, 'state'], extensions: { code: 'UNAVAILABLE' } },
  ]);
  const patched = await service.ask('mutation { patchChannelState(channel: "room", patch: {}) { id } }');
  expect(patched.errors?.[0]?.extensions['code']).toBe('UNAVAILABLE');
  const resumed = subscribeResuming(service.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await resumed.until(({ messages }) => messages.length === 12);
  await service.request('mutation { setChannelState(channel: "room", state: { mended: true }) { id } }');
  expect((await service.request(list)).channels.nodes[1]).toEqual({ id: 'room', state: { mended: true } });
});

test.each([
  ['data', `data = '{"broken'`],
  ['sender', `sender = 'broken'`],
])('a message with damaged %s is a Gap for a resuming inbox, and the log names it', async (_, assignment) => {
  await using started = await startDamaged(
    `update messages set ${assignment} where address = 'channel:room' and sequence = 4`,
  );
  const { service, token, readLog } = started;
  const inbox = subscribeResuming(service.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await inbox.until(({ messages }) => messages.length === 11);
  expect(inbox.messages.map(({ data }) => data as unknown)).toEqual([
    ...numbers(3),
    ...numbers(6, 4),
    ...numbers(2),
  ]);
  expect(inbox.events.filter(({ __typename }) => __typename === 'Gap')).toMatchObject([
    { channels: [{ id: 'room' }] },
  ]);
  const { channel } = await service.request(
    '{ channel(id: "room") { messages(last: 100) { nodes { data } } } }',
  );
  expect(channel.messages.nodes).toHaveLength(9);
  const stream = subscribeResuming(service.client({ token: token.credential }), MESSAGES, {
    since: token.cursor,
    channel: 'room',
  });
  await stream.until(({ messages }) => messages.length === 3).catch(() => undefined);
  while (!readLog().includes('channel:room, sequence 4'))
    await service.request('{ channel(id: "room") { messages(last: 100) { nodes { id } } } }');
});
