import { connect } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import { publishTo } from '../support/publish.ts';
import { startService } from '../support/service.ts';

const KILOBYTES_32 = 'x'.repeat(32_000);

test('a page of large messages ends early, and the next page continues after it', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  for (let i = 0; i < 12; i++) await publishTo(signalbox, { channel: 'lobby' }, [i, KILOBYTES_32]);
  const page = async (args: string) => {
    const { channel } = await signalbox.request(
      `{ channel(id: "lobby") { messages(${args}) { nodes { data } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`,
    );
    const { nodes, pageInfo } = channel.messages;
    return { ...pageInfo, numbers: nodes.map(({ data }: any) => data[0]) };
  };
  const first = await page('first: 100');
  expect(first).toMatchObject({ numbers: [0, 1, 2, 3, 4, 5, 6, 7], hasNextPage: true });
  expect(await page(`first: 100, after: "${first.endCursor}"`)).toMatchObject({
    numbers: [8, 9, 10, 11],
    hasNextPage: false,
  });
  const last = await page('last: 100');
  expect(last).toMatchObject({ numbers: [4, 5, 6, 7, 8, 9, 10, 11], hasPreviousPage: true });
  expect(await page(`last: 100, before: "${last.startCursor}"`)).toMatchObject({
    numbers: [0, 1, 2, 3],
    hasPreviousPage: false,
  });
});

test('rejects a selection set of more than 100 fields before validation', async () => {
  await using signalbox = await startService();
  const wide = `{ ${'viewer { kind } '.repeat(101)} }`;
  const { errors } = await signalbox.ask(wide);
  expect(errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 100 } }]);
  expect((await signalbox.ask(`{ ${'viewer { kind } '.repeat(100)} }`)).errors).toBeUndefined();
});

test('setPresence counts towards the publish rate of the token', async () => {
  await using signalbox = await startService({ publishesPerSecondPerToken: 1 });
  const ada = await mint(signalbox, { role: 'GUEST' });
  const client = signalbox.client({ token: ada.credential });
  const setPresence = `mutation { a: setPresence { id } b: setPresence { id } c: setPresence { id } }`;
  expect(await queueResults(client, setPresence).ended).toMatchObject([
    { path: ['c'], extensions: { code: 'RATE_LIMITED' } },
  ]);
});

test('an idempotency key does not store the data of the message', async () => {
  using folder = createFolder();
  const signalbox = await startService({ data: folder.path });
  await createChannel(signalbox, 'lobby');
  const options = { ephemeral: true, idempotencyKey: 'once' };
  const first = await publishTo(signalbox, { channel: 'lobby' }, 'not to be stored', options);
  const again = await publishTo(signalbox, { channel: 'lobby' }, 'not to be stored', options);
  expect(again).toEqual({ ...first, repeated: true });
  await signalbox[Symbol.asyncDispose]();
  expect(readFileSync(join(folder.path, 'signalbox.sqlite')).toString('latin1')).not.toContain(
    'not to be stored',
  );
});

test('does not count a client that disconnects during its request as a fault', async () => {
  await using signalbox = await startService();
  const { port } = new URL(signalbox.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n');
  // After “100 Continue” the service waits for the body.
  await once(socket, 'data');
  socket.write('{"query":');
  socket.resetAndDestroy();
  await once(socket, 'close');
  await signalbox.request(`{ viewer { kind } }`);
  const metrics = await (await fetch(`${signalbox.url}/metrics`)).text();
  expect(metrics).toContain('signalbox_faults_total 0');
});
