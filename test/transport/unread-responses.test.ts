import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { publishTo } from '../support/publish.ts';
import { readMetric } from '../support/read-metric.ts';
import { startService, type TestService } from '../support/service.ts';

const MIB = 1024 * 1024;
const retainedBytes = (signalbox: TestService) => readMetric(signalbox, 'signalbox_retained_bytes');

/** A page of 240 KB, with its data 28 times: 6.7 MB. */
const QUERY = `{ channel(id: "room") { messages(last: 8) { nodes {
  ${Array.from({ length: 28 }, (_, n) => `d${n}: data`).join(' ')}
} } } }`;

async function startRoom(config: object) {
  const signalbox = await startService(config);
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  for (let n = 0; n < 8; n++) await publishTo(signalbox, { channel: 'room' }, 'x'.repeat(30_000));
  const { credential } = await mint(signalbox);
  return { signalbox, credential };
}

/** Requests the page on a connection that is never read, in a way that the fast path or yoga answers. */
async function requestUnread({ url }: TestService, credential: string, byYoga: boolean): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.pause();
  const body = JSON.stringify({ query: QUERY });
  const head = [
    'POST /graphql HTTP/1.1',
    'Host: x',
    `Content-Type: ${byYoga ? 'application/json;  charset=utf-8' : 'application/json'}`,
    `Accept: ${byYoga ? 'application/graphql-response+json, */*;q=0.1' : 'application/json'}`,
    `Authorization: Bearer ${credential}`,
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  return socket;
}

test.each([false, true])(
  'unread answers count towards the retained memory of their address, and are cut beyond it (yoga: %s)',
  async (byYoga) => {
    const { signalbox, credential } = await startRoom({
      maxRetainedBytesPerAddress: 40 * MIB,
      operationCostPerSecondPerToken: 1_000_000,
    });
    await using _ = signalbox;
    const sockets: Socket[] = [];
    const seen: number[] = [];
    for (let n = 0; n < 10; n++) {
      sockets.push(await requestUnread(signalbox, credential, byYoga));
      // The answer is written before a later request is answered.
      await signalbox.request('{ viewer { kind } }');
      seen.push(await retainedBytes(signalbox));
    }
    await expect.poll(() => retainedBytes(signalbox)).toBeGreaterThan(10 * MIB);
    expect(Math.max(...seen, await retainedBytes(signalbox))).toBeLessThanOrEqual(40 * MIB);
    // Others are served meanwhile, and the count ends with the connections.
    expect((await signalbox.request('{ viewer { kind } }')).viewer.kind).toBe('API_KEY');
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => retainedBytes(signalbox)).toBe(0);
  },
);

test('an answer that is not read in time ends its connection', async () => {
  const { signalbox, credential } = await startRoom({ responseTimeoutMs: 300 });
  await using _ = signalbox;
  const socket = await requestUnread(signalbox, credential, false);
  await expect.poll(() => retainedBytes(signalbox)).toBeGreaterThan(0);
  await expect.poll(() => retainedBytes(signalbox)).toBe(0);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let received = 0;
  socket.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
  await closed;
  expect(received).toBeLessThan(6_700_000);
});

test('a client that reads its answers is never cut, however large they are', async () => {
  const { signalbox, credential } = await startRoom({
    maxRetainedBytesPerAddress: 40 * MIB,
    operationCostPerSecondPerToken: 1_000_000,
  });
  await using _ = signalbox;
  for (let n = 0; n < 8; n++) {
    const { channel } = await signalbox.request(QUERY, {}, credential);
    expect(channel.messages.nodes).toHaveLength(8);
  }
  await expect.poll(() => retainedBytes(signalbox)).toBe(0);
});
