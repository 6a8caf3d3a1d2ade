import { once } from 'node:events';
import { expect, test } from 'vitest';
import { MAX_WAITING } from '../../src/transport/pipelined-requests.ts';
import { createChannel, isOnline, mint } from '../support/backend.ts';
import { API_KEY, startService } from '../support/service.ts';
import { openTcp } from '../support/socket.ts';

// A client pipelines when it sends a request before the answer to the one before, on the same connection.

const head = (query: string, bearer: string) =>
  `GET /graphql?query=${encodeURIComponent(query)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${bearer}\r\n` +
  `Accept: text/event-stream, application/json\r\n\r\n`;
const STREAM = 'subscription { events { __typename } }';

async function openReader(signalbox: Parameters<typeof openTcp>[0]) {
  const tcp = await openTcp(signalbox);
  const reader = { ...tcp, text: '' };
  tcp.socket.setEncoding('utf8').on('data', (text: string) => (reader.text += text));
  return reader;
}

test('pipelined requests are answered in their order', async () => {
  await using signalbox = await startService();
  for (const id of ['one', 'two', 'three']) await createChannel(signalbox, id);
  using reader = await openReader(signalbox);
  const query = (id: string) => head(`{ channel(id: "${id}") { id } }`, API_KEY);
  reader.socket.write(query('one') + query('two') + query('three'));
  await expect.poll(() => [...reader.text.matchAll(/"id":"(\w+)"/g)].map(([, id]) => id)).toHaveLength(3);
  expect([...reader.text.matchAll(/"id":"(\w+)"/g)].map(([, id]) => id)).toEqual(['one', 'two', 'three']);
});

test('an event stream that is pipelined behind another one holds no connection after its client has left', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  using reader = await openReader(signalbox);
  reader.socket.write(head(STREAM, credential) + head(STREAM, credential));
  await expect.poll(() => reader.text).toContain('Connected');
  expect(await isOnline(signalbox, id)).toBe(true);
  reader.socket.destroy();
  await expect.poll(() => isOnline(signalbox, id)).toBe(false);
});

test('the service ends although a client left whose pipelined request waited for its turn', async () => {
  const signalbox = await startService();
  const { credential } = await mint(signalbox);
  using reader = await openReader(signalbox);
  reader.socket.write(head(STREAM, credential) + head('{ viewer { kind } }', credential));
  await expect.poll(() => reader.text).toContain('Connected');
  reader.socket.destroy();
  await signalbox[Symbol.asyncDispose]();
});

test('a client that pipelines without end is disconnected', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  using reader = await openReader(signalbox);
  reader.socket.write(head(STREAM, credential));
  await expect.poll(() => reader.text).toContain('Connected');
  const closed = once(reader.socket, 'close');
  reader.socket.write(head('{ viewer { kind } }', credential).repeat(MAX_WAITING + 1));
  await closed;
});
