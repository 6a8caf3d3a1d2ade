import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createChannel, isOnline, mint, publish, revokeToken, roundTrip } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';
import { fetchStream, readStream, sseClient } from '../support/sse.ts';

const EVENTS = `subscription { events { __typename ... on Disconnecting { reason } } }`;

async function metricOf({ url }: TestService, name: string): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  return Number(
    lines
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')
      .at(-1),
  );
}

const STREAMS = 'signalbox_connections{transport="sse"}';

test('ends with TOKEN_EXPIRED when the token expires', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const { id, credential } = await mint(signalbox, { expiresIn: 600 });
  const events = queueResults(sseClient(signalbox, credential), EVENTS);
  await events.next();
  await clock.advance(600_000 - 1);
  expect(await isOnline(signalbox, id)).toBe(true);
  await clock.advance(1);
  expect(await isOnline(signalbox, id)).toBe(false);
  expect((await events.next()).events).toEqual({ __typename: 'TokenExpiring' });
  expect((await events.next()).events).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
  expect(await events.ended).toMatchObject([{ extensions: { code: 'TOKEN_EXPIRED', retryable: false } }]);
});

test('ends with TOKEN_REVOKED when the token is revoked', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  const events = queueResults(sseClient(signalbox, credential), EVENTS);
  await events.next();
  await revokeToken(signalbox, id);
  expect((await events.next()).events).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
  expect(await events.ended).toMatchObject([{ extensions: { code: 'TOKEN_REVOKED', retryable: false } }]);
  expect(await isOnline(signalbox, id)).toBe(false);
});

const MESSAGES = `subscription { messages(channel: "news") { event data } }`;

/** Publishes 25 messages of `bytes` bytes. */
async function publishMany({ request }: TestService, bytes: number): Promise<void> {
  const fields = Array.from(
    { length: 25 },
    (_, n) => `m${n}: publishMessage(channel: "news", event: "m", data: $data) { connections }`,
  );
  await request(`mutation ($data: JSON) { ${fields.join(' ')} }`, { data: 'x'.repeat(bytes) });
}

/** Reads a stream to its end: the name of each event, or the code of its error. */
async function readAll(response: Response): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, data } of readStream(response))
    names.push(data?.errors?.[0].extensions.code ?? name);
  return names;
}

/** Requests an event stream whose body is not read until `read` is called. */
async function openPausedStream({ url }: TestService, query: string, bearer: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const body = JSON.stringify({ query });
  const head = [
    'POST /graphql HTTP/1.1',
    'Host: x',
    'Connection: close',
    'Accept: text/event-stream',
    'Content-Type: application/json',
    `Authorization: Bearer ${bearer}`,
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  // The stream is open when its first bytes arrive. Node reads no more until the socket is consumed.
  await once(socket, 'readable');
  return {
    async read(): Promise<string> {
      let text = '';
      for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
      return text;
    },
  };
}

test('drops queued messages of a slow reader when the token is revoked', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news');
  const { id, credential } = await mint(signalbox, { channels: ['news'] });
  const stream = await openPausedStream(signalbox, MESSAGES, credential);
  const published = 800;
  for (let count = 0; count < published; count += 25) await publishMany(signalbox, 30_000);
  await revokeToken(signalbox, id);
  const text = await stream.read();
  const received = text.split('"event":"m"').length - 1;
  expect(text).toContain('TOKEN_REVOKED');
  // Messages that the kernel has taken are still received, the others are dropped.
  expect(received).toBeLessThan(published);
});

test('ends only the stream that is not read with SLOW_CONSUMER, and other readers continue', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news', { type: 'UNPROTECTED' });
  const { id, credential } = await mint(signalbox);
  const backend = signalbox.client();
  const presence = queueResults(
    backend,
    `subscription { presence(channel: "news") { change leaveReason member { token } } }`,
  );
  await roundTrip(backend);
  const reader = queueResults(sseClient(signalbox), MESSAGES);
  await presence.next();
  const response = await fetchStream(signalbox, MESSAGES, credential);
  expect((await presence.next()).presence).toMatchObject({ change: 'JOINED', member: { token: id } });

  // Fills the kernel buffers, then the queue of the stream.
  for (let times = 0; times < 10; times++) await publishMany(signalbox, 30_000);
  while (presence.waiting.length === 0) await publishMany(signalbox, 1);
  expect((await presence.next()).presence).toEqual({
    change: 'LEFT',
    leaveReason: 'SLOW_CONSUMER',
    member: { token: id },
  });
  expect((await readAll(response)).slice(-2)).toEqual(['SLOW_CONSUMER', 'complete']);
  expect(await metricOf(signalbox, 'signalbox_slow_consumers_total')).toBe(1);
  await publish(signalbox, 'news', 'sentinel');
  expect((await reader.until(({ messages }) => messages.event !== 'm')).messages.event).toBe('sentinel');
});

test('closes the connection of a refused subscription', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 1 });
  await createChannel(signalbox, 'closed');
  const { id, credential } = await mint(signalbox);
  const client = sseClient(signalbox, credential);
  for (const [query, code] of [
    ['subscription { messages(channel: "closed") { event } }', 'FORBIDDEN'],
    ['subscription { messages(channel: "none") { event } }', 'FORBIDDEN'],
    ['subscription { events(since: "made up") { at } }', 'BAD_USER_INPUT'],
    ['subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ] as const) {
    expect(await queueResults(client, query).ended).toMatchObject([{ extensions: { code } }]);
    expect(await isOnline(signalbox, id)).toBe(false);
  }
  // The address has a limit of one connection, which is free again.
  await queueResults(client, EVENTS).next();
});

test('answers a subscription of a client that accepts only JSON with 406, and closes its connection', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 1 });
  const { id, credential } = await mint(signalbox);
  const response = await fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${credential}`,
    },
    body: JSON.stringify({ query: EVENTS }),
  });
  expect(response.status).toBe(406);
  expect(await isOnline(signalbox, id)).toBe(false);
  await queueResults(sseClient(signalbox, credential), EVENTS).next();
});

test('streams and sockets share the connection limit of their address, and a stream that ends releases it', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 2 });
  await createChannel(signalbox, 'news');
  const { credential } = await mint(signalbox, { channels: ['news'] });
  const backend = signalbox.client();
  const presence = queueResults(backend, `subscription { presence(channel: "news") { change } }`);
  await roundTrip(backend);
  const client = sseClient(signalbox, credential);
  const events = queueResults(client, EVENTS);
  expect((await presence.next()).presence.change).toBe('JOINED');
  expect(await metricOf(signalbox, STREAMS)).toBe(1);
  expect(await queueResults(client, EVENTS).ended).toMatchObject([
    { extensions: { code: 'UNAVAILABLE', retryable: true } },
  ]);
  expect(await metricOf(signalbox, STREAMS)).toBe(1);

  events.stop();
  expect((await presence.next()).presence.change).toBe('LEFT');
  expect(await metricOf(signalbox, STREAMS)).toBe(0);
  await queueResults(client, EVENTS).next();
});

test('streams count towards SIGNALBOX_CONNECTS_PER_SECOND', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ connectsPerSecond: 1 }, { clock });
  const client = sseClient(signalbox, signalbox.apiKey);
  await queueResults(client, EVENTS).next();
  await queueResults(client, EVENTS).next();
  expect(await queueResults(client, EVENTS).ended).toMatchObject([
    { extensions: { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 1 } },
  ]);
  await clock.advance(1000);
  await queueResults(client, EVENTS).next();
});
