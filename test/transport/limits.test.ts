import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createConnectionLimiter, type ConnectionSlot } from '../../src/transport/connection-limiter.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket, openSocket, upgrade, type RawSocket } from '../support/socket.ts';
import { createManualClock } from '../support/clock.ts';
import { mint } from '../support/backend.ts';

const LIMIT = 2048;
const OPERATION = { query: '{ viewer { kind } }' };

/** A request body of exactly `bytes` bytes. */
function padded(bytes: number): string {
  const bare = JSON.stringify({ ...OPERATION, extensions: { pad: '' } });
  return bare.replace('"pad":"', `"pad":"${'x'.repeat(bytes - bare.length)}`);
}

/** Sends the text without a Content-Length. */
function chunked(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}

function post({ url }: TestService, body: string | ReadableStream, headers: object = {}): Promise<Response> {
  const init = {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    duplex: 'half',
  };
  return fetch(`${url}/graphql`, init);
}

test.each([
  { encoding: 'with a Content-Length', body: (bytes: number) => padded(bytes) },
  { encoding: 'in chunks', body: (bytes: number) => chunked(padded(bytes)) },
])('rejects a request body $encoding of more than SIGNALBOX_MAX_MESSAGE_BYTES with 413', async ({ body }) => {
  await using signalbox = await startService({ maxMessageBytes: LIMIT });
  for (const accept of ['application/json', 'text/event-stream']) {
    const taken = await post(signalbox, body(LIMIT), { accept });
    expect([taken.status, await taken.text()]).toEqual([200, expect.stringContaining('ANONYMOUS')]);
    const refused = await post(signalbox, body(LIMIT + 1), { accept });
    expect(refused.status).toBe(413);
    expect(refused.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await refused.json()).toEqual({
      errors: [
        {
          message: expect.any(String) as string,
          extensions: { code: 'PAYLOAD_TOO_LARGE', retryable: false, limit: LIMIT },
        },
      ],
    });
  }
});

test('aborts an endless request body, and keeps answering other requests', async () => {
  await using signalbox = await startService({ maxMessageBytes: LIMIT });
  let chunks = 0;
  const endless = new ReadableStream({
    pull(controller) {
      chunks++;
      controller.enqueue(new Uint8Array(LIMIT));
    },
  });
  await post(signalbox, endless).then(
    (response) => expect(response.status).toBe(413),
    (error: unknown) => expect(error).toBeInstanceOf(TypeError),
  );
  expect(chunks).toBeGreaterThan(16);
  expect(await signalbox.ask(OPERATION.query)).toEqual({ data: { viewer: { kind: 'API_KEY' } } });
});

test('does not decompress a request body', async () => {
  await using signalbox = await startService();
  const packed = new Blob([padded(LIMIT)]).stream().pipeThrough(new CompressionStream('gzip'));
  const answer = await post(signalbox, packed, { 'content-encoding': 'gzip' });
  expect(await answer.text()).not.toContain('ANONYMOUS');
});

test('closes with 1009 after a WebSocket message of more than SIGNALBOX_MAX_MESSAGE_BYTES', async () => {
  await using signalbox = await startService({ maxMessageBytes: LIMIT });
  using socket = await connectSocket(signalbox);
  const message = (bytes: number) => {
    const bare = JSON.stringify({
      id: '1',
      type: 'subscribe',
      payload: { ...OPERATION, extensions: { pad: '' } },
    });
    return bare.replace('"pad":"', `"pad":"${'x'.repeat(bytes - bare.length)}`);
  };
  socket.send(message(LIMIT));
  expect(await socket.next()).toMatchObject({ type: 'next', payload: { data: { viewer: {} } } });
  expect(await socket.next()).toMatchObject({ type: 'complete' });
  socket.send(message(LIMIT + 1));
  expect((await socket.closed).code).toBe(1009);
});

test('closes with 1009 after a connection_init of more than SIGNALBOX_MAX_MESSAGE_BYTES', async () => {
  await using signalbox = await startService({ maxMessageBytes: LIMIT });
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: 'x'.repeat(LIMIT) } });
  expect((await socket.closed).code).toBe(1009);
});

const SUBSCRIPTION = { query: 'subscription { events { __typename } }' };
const subscribe = (id: string) => ({ id, type: 'subscribe', payload: SUBSCRIPTION });

test('refuses one operation more than SIGNALBOX_MAX_OPERATIONS_PER_CONNECTION, and the others continue', async () => {
  await using signalbox = await startService({ maxOperationsPerConnection: 2 });
  using socket = await connectSocket(signalbox, { apiKey: API_KEY });
  for (const id of ['a', 'b']) {
    socket.send(subscribe(id));
    expect(await socket.next()).toMatchObject({ id, type: 'next' });
  }
  socket.send(subscribe('c'));
  expect(await socket.next()).toMatchObject({
    id: 'c',
    type: 'error',
    payload: [{ extensions: { code: 'LIMIT_EXCEEDED', retryable: false, limit: 2 } }],
  });
  socket.send({ id: 'a', type: 'complete' });
  socket.send(subscribe('d'));
  expect(await socket.next()).toMatchObject({ id: 'd', type: 'next' });
});

test('refuses an operation id of more than 128 bytes', async () => {
  await using signalbox = await startService({});
  using socket = await connectSocket(signalbox, { apiKey: API_KEY });
  const longest = 'ü'.repeat(64);
  socket.send(subscribe(longest));
  expect(await socket.next()).toMatchObject({ id: longest, type: 'next' });
  const longer = `${longest}x`;
  socket.send(subscribe(longer));
  expect(await socket.next()).toMatchObject({
    id: longer,
    type: 'error',
    payload: [{ extensions: { code: 'LIMIT_EXCEEDED', retryable: false, limit: 128 } }],
  });
});

/** A client that retries without a pause and without a limit. */
function persistent(signalbox: TestService, connectionParams: Record<string, unknown>) {
  return signalbox.client(connectionParams, {
    lazy: false,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: () => new Promise((resolve) => setImmediate(resolve)),
  });
}

test('closes one connection more than a token may have with 1013, and accepts it when another has closed', async () => {
  await using signalbox = await startService({ maxConnectionsPerToken: 1, connectsPerSecond: 1_000_000 });
  const [full, other] = [await mint(signalbox), await mint(signalbox)];
  using first = await connectSocket(signalbox, { token: full.credential });
  using second = await openSocket(signalbox);
  second.send({ type: 'connection_init', payload: { token: full.credential } });
  expect(await second.closed).toEqual({
    code: 1013,
    reason: 'A token may have at most 1 live connections.',
  });
  using _third = await connectSocket(signalbox, { token: other.credential });

  const client = persistent(signalbox, { token: full.credential });
  const refused = new Promise<number>((resolve) =>
    client.on('closed', (event) => resolve((event as CloseEvent).code)),
  );
  expect(await refused).toBe(1013);
  const connected = new Promise((resolve) => client.on('connected', resolve));
  first.ws.close();
  await connected;
});

test.each([{ maxConnections: 2 }, { maxConnectionsPerAddress: 2 }])(
  'answers an upgrade beyond %o with 503 until a connection has closed',
  async (config) => {
    await using signalbox = await startService({ ...config, connectsPerSecond: 1_000_000 });
    using first = await connectSocket(signalbox);
    // A socket counts from its upgrade on, not from its acknowledgement.
    using _second = await openSocket(signalbox);
    expect(await upgrade(signalbox)).toMatchObject({ status: 503 });
    first.ws.close();
    await first.closed;
    let status = 0;
    while (status !== 101) ({ status } = await upgrade(signalbox));
  },
);

test('counts connections by X-Forwarded-For behind trusted proxies only', async () => {
  const config = { maxConnectionsPerAddress: 1 };
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  {
    await using signalbox = await startService({ ...config, trustedProxies: 1 });
    using _first = await openSocket(signalbox, from('192.0.2.1'));
    expect((await upgrade(signalbox, from('192.0.2.1'))).status).toBe(503);
    // Only the address that the trusted proxy appended counts.
    expect((await upgrade(signalbox, from('192.0.2.9, 192.0.2.1'))).status).toBe(503);
    expect((await upgrade(signalbox, from('192.0.2.1, 192.0.2.2'))).status).toBe(101);
  }
  await using signalbox = await startService(config);
  using _first = await openSocket(signalbox, from('192.0.2.1'));
  expect((await upgrade(signalbox, from('192.0.2.2'))).status).toBe(503);
});

test('answers connects beyond SIGNALBOX_CONNECTS_PER_SECOND with 429 and Retry-After', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ connectsPerSecond: 1 }, { clock });
  for (const status of [101, 101, 429]) expect((await upgrade(signalbox)).status).toBe(status);
  expect((await upgrade(signalbox)).headers).toMatchObject({ 'retry-after': '1' });
  await clock.advance(1000);
  for (const status of [101, 429]) expect((await upgrade(signalbox)).status).toBe(status);
});

/** 10 places, of which 1 is for API keys by default. */
const TEN = { maxConnections: 10 };

test('reserves the last connections for API keys: other callers are refused, and a backend still connects', async () => {
  await using signalbox = await startService(TEN);
  const sockets: RawSocket[] = [];
  for (let i = 0; i < 9; i++) sockets.push(await connectSocket(signalbox));
  // A user takes no reserved slot, over WebSocket or SSE.
  using refused = await openSocket(signalbox);
  refused.send({ type: 'connection_init' });
  expect(await refused.closed).toMatchObject({
    code: 1013,
    reason: expect.stringMatching(/too many/) as string,
  });
  const subscribeBySse = async (bearer?: string) => {
    const response = await fetch(`${signalbox.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      },
      body: JSON.stringify(SUBSCRIPTION),
    });
    const { value } = await response.body!.getReader().read();
    return Buffer.from(value!).toString();
  };
  expect(await subscribeBySse()).toContain('UNAVAILABLE');
  using backend = await connectSocket(signalbox, { apiKey: API_KEY });
  expect((await upgrade(signalbox)).status).toBe(503);
  backend.ws.close();
  await backend.closed;
  expect(await subscribeBySse(API_KEY)).toContain('Connected');
  for (const socket of sockets) socket.ws.terminate();
});

test('an API key connects although sockets without connection_init fill the limit; a newer socket closes one of them', async () => {
  await using signalbox = await startService({ ...TEN, reservedConnectionsPercent: 20, trustedProxies: 1 });
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  const silent: RawSocket[] = [];
  for (let i = 0; i < 12; i++) silent.push(await openSocket(signalbox, from('192.0.2.1')));
  // The first 8 fill the unreserved connections. Only two of the others fit at a time, so each closes the one two before it.
  for (const early of silent.slice(8, 10)) expect((await early.closed).code).toBe(1013);
  using other = await openSocket(signalbox, from('198.51.100.1'));
  expect((await silent[10]!.closed).code).toBe(1013);
  // Another silent socket displaces one of its own address, and not the other one.
  using _late = await openSocket(signalbox, from('192.0.2.1'));
  expect((await silent[11]!.closed).code).toBe(1013);
  other.send({ type: 'connection_init', payload: { apiKey: API_KEY } });
  expect(await other.next()).toMatchObject({ type: 'connection_ack' });
  expect(silent[0]!.ws.readyState).toBe(silent[0]!.ws.OPEN);
  for (const socket of silent) socket.ws.terminate();
});

test('counts no slot twice, however connections open and close (100 runs)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          action: fc.constantFrom('open', 'key', 'user', 'close'),
          index: fc.nat(9),
          address: fc.nat(2),
        }),
      ),
      async (steps) => {
        const config = {
          connectsPerSecond: 1_000_000,
          ...TEN,
          maxConnectionsPerAddress: 6,
          reservedConnectionsPercent: 30,
        };
        const limiter = createConnectionLimiter(config, createManualClock());
        const open: { slot: ConnectionSlot; confirmed: 'no' | 'key' | 'user' }[] = [];
        const drop = (slot: ConnectionSlot) =>
          open.splice(
            open.findIndex((one) => one.slot === slot),
            1,
          );
        for (const { action, index, address } of steps) {
          const one = open[index];
          try {
            if (action === 'open') {
              const slot: ConnectionSlot = limiter.acquire(`${address}`, { onEvicted: () => drop(slot) });
              open.push({ slot, confirmed: 'no' });
            } else if (one && action === 'close') {
              one.slot.release();
              one.slot.release();
              drop(one.slot);
            } else if (one?.confirmed === 'no') {
              one.slot.confirm(action === 'key');
              one.confirmed = action === 'key' ? 'key' : 'user';
            }
          } catch {
            // Refused: the connection of a refused `confirm` closes.
            if (one && action === 'user') {
              one.slot.release();
              drop(one.slot);
            }
          }
          expect(open.length).toBeLessThanOrEqual(10);
          expect(open.filter(({ confirmed }) => confirmed === 'user').length).toBeLessThanOrEqual(7);
        }
        for (const { slot } of open) slot.release();
        for (let i = 0; i < 7; i++) limiter.acquire(`a${i}`, { isApiKey: false });
        expect(() => limiter.acquire('b', { isApiKey: false })).toThrow(/too many/);
        for (let i = 0; i < 3; i++) limiter.acquire(`a${i}`, { isApiKey: true });
        expect(() => limiter.acquire('b', { isApiKey: true })).toThrow(/too many/);
      },
    ),
  );
});
