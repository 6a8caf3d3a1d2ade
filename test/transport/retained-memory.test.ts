import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonHeapBytes, jsonTextHeapBytes } from '../../src/transport/retained-memory.ts';
import { createChannel } from '../support/backend.ts';
import { referencedHeapBytes } from '../support/heap.ts';
import { readMetric } from '../support/read-metric.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket, openSocket, openTcp, type RawSocket, type Tcp } from '../support/socket.ts';

const MIB = 1024 * 1024;
const EVENTS = 'subscription { events { __typename } }';
/** 60 kB of JSON that take more than 1 MB of heap. */
const PADDING: object[] = Array.from({ length: 20_000 }, () => ({}));

async function subscribe(socket: RawSocket, id: string, payload: object, extra: object = {}): Promise<any> {
  socket.send({ id, type: 'subscribe', payload, ...extra });
  return socket.next();
}

const retainedBytes = (signalbox: TestService) => readMetric(signalbox, 'signalbox_retained_bytes');

test.each([
  { what: 'extensions', payload: { query: EVENTS, extensions: { PADDING } }, extra: {} },
  {
    what: 'variables that the operation does not declare',
    payload: { query: EVENTS, variables: { PADDING } },
    extra: {},
  },
  {
    what: 'members that the protocol does not know',
    payload: { query: EVENTS, PADDING },
    extra: { more: 'x' },
  },
  { what: 'members beside the payload', payload: { query: EVENTS }, extra: { PADDING } },
])('a running subscription retains none of its $what', async ({ payload, extra }) => {
  await using signalbox = await startService();
  using socket = await connectSocket(signalbox, { apiKey: API_KEY });
  await subscribe(socket, 'first', payload, extra);
  const before = referencedHeapBytes();
  for (let i = 0; i < 30; i++)
    expect(await subscribe(socket, `${i}`, payload, extra)).toMatchObject({ type: 'next' });
  expect(referencedHeapBytes() - before).toBeLessThan(6 * MIB);
});

test('counts the variables and documents of running operations, and ends the count with the operation', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  using socket = await connectSocket(signalbox, { apiKey: API_KEY });
  const query = 'subscription ($names: [String!]) { messages(channel: "lobby", events: $names) { id } }';
  socket.send({ id: 'a', type: 'subscribe', payload: { query, variables: { names: ['x'.repeat(50)] } } });
  await subscribe(socket, 'events', { query: EVENTS });
  const both = await retainedBytes(signalbox);
  expect(both).toBeGreaterThan(5000);
  socket.send({ id: 'a', type: 'complete' });
  await subscribe(socket, 'b', { query: '{ viewer { kind } }' });
  await socket.next();
  const one = await retainedBytes(signalbox);
  expect(one).toBeGreaterThan(1000);
  expect(one).toBeLessThan(both - 5000);
  socket.ws.close();
  await socket.closed;
  await expect.poll(() => retainedBytes(signalbox)).toBe(0);
});

/** Documents that differ in an alias only. */
const differing = (n: number) =>
  `subscription { events { ${'at '.repeat(60)} ${Array.from({ length: 30 }, (_, i) => `a${n}_${i}: at`).join(' ')} } }`;

test('refuses differing documents beyond SIGNALBOX_MAX_RETAINED_BYTES_PER_CONNECTION, and accepts the same one again', async () => {
  await using signalbox = await startService({ maxRetainedBytesPerConnection: MIB });
  using socket = await connectSocket(signalbox, { apiKey: API_KEY });
  let accepted = 0;
  let answer: any;
  while ((answer = await subscribe(socket, `${accepted}`, { query: differing(accepted) })).type === 'next')
    accepted++;
  expect(answer.payload).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: MIB } }]);
  expect(accepted).toBeGreaterThan(2);
  expect(accepted).toBeLessThan(20);
  for (let i = 0; i < 50; i++)
    expect(await subscribe(socket, `again ${i}`, { query: differing(0) })).toMatchObject({ type: 'next' });
  socket.send({ id: '1', type: 'complete' });
  socket.send({ type: 'ping' });
  expect(await socket.next()).toMatchObject({ type: 'pong' });
  expect(await subscribe(socket, 'last', { query: differing(1000) })).toMatchObject({ type: 'next' });
});

test.each([
  { setting: 'maxRetainedBytesPerAddress' as const, elsewhere: 'next' },
  { setting: 'maxRetainedBytes' as const, elsewhere: 'error' },
])('refuses operations beyond $setting on every connection', async ({ setting, elsewhere }) => {
  await using signalbox = await startService({ [setting]: MIB, trustedProxies: 1 });
  const from = (address: string) =>
    connectSocket(signalbox, { apiKey: API_KEY }, { headers: { 'x-forwarded-for': address } });
  using first = await from('192.0.2.1');
  let n = 0;
  while ((await subscribe(first, `${n}`, { query: differing(n) })).type === 'next') n++;
  using second = await from('192.0.2.1');
  expect(await subscribe(second, 'x', { query: differing(1001) })).toMatchObject({
    type: 'error',
    payload: [{ extensions: { code: 'UNAVAILABLE', retryable: true } }],
  });
  using other = await from('198.51.100.1');
  expect(await subscribe(other, 'x', { query: differing(1002) })).toMatchObject({ type: elsewhere });
});

test('refuses connections of anonymous callers when the project does not allow them', async () => {
  await using signalbox = await startService({ mode: 'production' });
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init' });
  expect((await socket.closed).code).toBe(4401);
});

test.each([
  { message: { id: '1', type: 'next', payload: { data: {} } } },
  { message: { id: '1', type: 'error', payload: [{ message: 'x' }] } },
  { message: { type: 'connection_ack' } },
  { message: { type: 'subscribe', id: '1', payload: { query: '{ viewer { kind } }', variables: [] } } },
])('closes with 4400, and not as a fault of the service, after $message.type', async ({ message }) => {
  await using signalbox = await startService();
  using socket = await connectSocket(signalbox);
  socket.send(message);
  expect((await socket.closed).code).toBe(4400);
  expect(await readMetric(signalbox, 'signalbox_faults_total')).toBe(0);
});

/** Sends the head of a POST and a part of its body, and never the rest. */
async function sendPart(signalbox: TestService, part: string, headers = ''): Promise<Tcp & { text: string }> {
  const tcp = { ...(await openTcp(signalbox)), text: '' };
  tcp.socket.setEncoding('utf8').on('data', (text: string) => (tcp.text += text));
  const head = `POST /graphql HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Type: application/json`;
  tcp.socket.write(`${head}\r\nContent-Length: 60000\r\n\r\n${part}`);
  return tcp;
}

test('counts the bodies of HTTP requests that have not arrived completely, until their connections close', async () => {
  await using signalbox = await startService();
  using first = await sendPart(signalbox, 'x'.repeat(30_000));
  using second = await sendPart(signalbox, 'x'.repeat(20_000));
  await expect.poll(() => retainedBytes(signalbox)).toBe(50_000);
  first.socket.destroy();
  await expect.poll(() => retainedBytes(signalbox)).toBe(20_000);
  second.socket.destroy();
  await expect.poll(() => retainedBytes(signalbox)).toBe(0);
});

test('refuses HTTP requests beyond the memory of their address with 503, and others not', async () => {
  await using signalbox = await startService({ maxRetainedBytesPerAddress: 100_000, trustedProxies: 1 });
  const from = (address: string) => `X-Forwarded-For: ${address}\r\n`;
  using _first = await sendPart(signalbox, 'x'.repeat(50_000), from('192.0.2.1'));
  using _second = await sendPart(signalbox, 'x'.repeat(40_000), from('192.0.2.1'));
  await expect.poll(() => retainedBytes(signalbox)).toBe(90_000);
  using third = await sendPart(signalbox, 'x'.repeat(20_000), from('192.0.2.1'));
  await expect.poll(() => third.text).toMatch(/^HTTP\/1.1 503 .*UNAVAILABLE/s);
  using _other = await sendPart(signalbox, 'x'.repeat(20_000), from('192.0.2.2'));
  await expect.poll(() => retainedBytes(signalbox)).toBe(110_000);
  // A small body of which the parsed value is large.
  const post = async (value: object) =>
    (
      await fetch(`${signalbox.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.3' },
        body: JSON.stringify({ query: '{ viewer { kind } }', extensions: { value } }),
      })
    ).status;
  expect(await post(PADDING.slice(0, 100))).toBe(200);
  expect(await post(PADDING.slice(0, 5000))).toBe(503);
  await expect.poll(() => retainedBytes(signalbox)).toBe(110_000);
});

test('the estimate from a JSON text is at least the estimate from its value', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (json) => {
      const estimate = jsonTextHeapBytes(Buffer.from(json));
      expect(estimate).toBeGreaterThanOrEqual(jsonHeapBytes(JSON.parse(json)));
      expect(estimate).toBeLessThanOrEqual(json.length * 100 + 100);
    }),
  );
});

/** Opens an event stream. Resolves to its first message. */
async function openStream(
  { url }: TestService,
  request: object,
): Promise<{ first: string; close: () => void }> {
  const abort = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${API_KEY}`,
    },
    body: JSON.stringify(request),
    signal: abort.signal,
  });
  const { value } = await response.body!.getReader().read();
  return { first: Buffer.from(value!).toString(), close: () => abort.abort() };
}

test('counts the body, the variables and the document of an event stream until it closes', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const query = `subscription ($p: Boolean! = false) { events { __typename at @include(if: $p) } }`;
  const stream = await openStream(signalbox, { query, variables: { p: false, other: PADDING } });
  expect(stream.first).toContain('Connected');
  const held = await retainedBytes(signalbox);
  // The body has 60 KB; the variable that the operation does not declare would have 1.6 MB.
  expect(held).toBeGreaterThan(60_000);
  expect(held).toBeLessThan(100_000);
  stream.close();
  await expect.poll(() => retainedBytes(signalbox)).toBe(0);
});

test('an event stream retains none of the extensions and of the variables that its operation does not declare', async () => {
  await using signalbox = await startService();
  // A body may have 64 KB, so the two share the padding.
  const half = PADDING.slice(0, PADDING.length / 2);
  const request = { query: EVENTS, variables: { half }, extensions: { half } };
  const open = async () => {
    const stream = await openStream(signalbox, request);
    expect(stream.first).toContain('Connected');
    return stream;
  };
  const streams = [await open()];
  const before = referencedHeapBytes();
  for (let i = 0; i < 20; i++) streams.push(await open());
  expect(referencedHeapBytes() - before).toBeLessThan(10 * MIB);
  for (const stream of streams) stream.close();
});

test('refuses event streams beyond the limits of a connection and of an address', async () => {
  await using signalbox = await startService({
    maxRetainedBytesPerConnection: 100_000,
    maxRetainedBytesPerAddress: 300_000,
  });
  await createChannel(signalbox, 'lobby');
  const query = 'subscription ($e: [String!]) { messages(channel: "lobby", events: $e) { id } }';
  const tooLarge = await openStream(signalbox, { query, variables: { e: Array(5000).fill('') } });
  expect(tooLarge.first).toContain('LIMIT_EXCEEDED');
  let last = '';
  const streams = [];
  while (!last.includes('errors') && streams.length < 30) {
    const stream = await openStream(signalbox, { query: differing(streams.length) });
    last = stream.first;
    streams.push(stream);
  }
  expect(last).toContain('UNAVAILABLE');
  expect(streams.length).toBeGreaterThan(1);
  for (const stream of streams) stream.close();
  await expect.poll(() => retainedBytes(signalbox)).toBe(0);
});
