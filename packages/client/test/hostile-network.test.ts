import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { startService } from '../../../test/support/service.ts';
import { CLOSE_CODES } from '../../../src/transport/close-codes.ts';
import { type Runtime } from '../src/index.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';

/** A WebSocket server that accepts every connection of the protocol, and then does what `act` says. */
async function startServer(act: (socket: WebSocket, connections: number) => void): Promise<string> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: () => 'graphql-transport-ws',
  });
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.once('message', () => {
      socket.send('{"type":"connection_ack"}');
      act(socket, connections);
    });
  });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Timers that run a hundred times faster, a clock that stands still, and the largest random number. */
const hurried = (): Partial<Runtime> => ({
  now: () => 0,
  random: () => 0.999_999,
  setTimer: (action, ms) => setTimeout(action, ms / 100),
});

test('takes the page of a captive portal and the errors of a backend for a failure, and asks again', async () => {
  await using service = await startService();
  await createChannel(service);
  const { credential } = await createMember(service, 'ada');
  const answers = [
    '<html><h1>Welcome to the hotel.</h1></html>',
    '',
    'Unauthorized',
    '{"error":"down"}',
    `${credential}\n`,
  ];
  const portal = createServer((_, response) => response.end(answers.shift())).listen(0, '127.0.0.1');
  onTestFinished(() => void portal.close());
  await once(portal, 'listening');
  const { port } = portal.address() as AddressInfo;
  const errors: (string | undefined)[] = [];
  await using client = connectClient({
    url: service.url,
    credential: () =>
      fetch(`http://127.0.0.1:${port}`, { method: 'POST' }).then((response) => response.text()),
    runtime: { random: () => 0 },
  });
  client.on('status', ({ state, error }) => state === 'waiting' && errors.push(error?.message));
  await client.channel('lobby').publish('message', { text: 'through' });
  const sentence = 'The credential function returned no credential.';
  expect(errors).toEqual([sentence, sentence, sentence, sentence]);
  expect(answers).toEqual([]);
});

test('calls a credential function that does not answer again, and ignores its late answer', async () => {
  await using service = await startService();
  await createChannel(service);
  const [late, ada] = [await createMember(service, 'late'), await createMember(service, 'ada')];
  let answerLate: (credential: string) => void = () => undefined;
  let calls = 0;
  await using client = connectClient({
    url: service.url,
    credential: () =>
      ++calls === 1 ? new Promise<string>((resolve) => (answerLate = resolve)) : ada.credential,
    runtime: { setTimer: (action, ms) => setTimeout(action, ms === 30_000 ? 10 : ms) },
  });
  await client.channel('lobby').publish('message', { text: 'at last' });
  answerLate(late.credential);
  await client.channel('lobby').publish('message', { text: 'still' });
  expect([calls, client.viewer?.identity]).toEqual([2, 'ada']);
});

test('waits longer each time that a service accepts the connection and closes it at once', async () => {
  const url = await startServer((socket) => socket.close(1013));
  const waits: unknown[] = [];
  await using client = connectClient({ url, credential: 'anonymous', runtime: hurried() });
  client.on('status', ({ state, retryAt }) => state === 'waiting' && waits.push(retryAt));
  client.connect();
  await eventually(() => waits.length >= 8);
  expect(waits.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});

/** What the client does after each close code, with a fixed credential: why it ends, or why it reconnects. */
const AFTER: Record<number, { ends: string } | { reconnects: string }> = {
  1008: { ends: 'disconnected' },
  1009: { ends: 'protocol' },
  1012: { reconnects: 'restarting' },
  1013: { reconnects: 'overloaded' },
  4400: { ends: 'protocol' },
  4401: { ends: 'unauthenticated' },
  4403: { ends: 'expired' },
  4408: { reconnects: 'slow' },
  4409: { ends: 'protocol' },
  4429: { ends: 'protocol' },
  4500: { reconnects: 'lost' },
  // Of a newer service.
  4499: { reconnects: 'lost' },
};

test.each(Object.entries(AFTER))('after the close code %s it %o', async (code, expected) => {
  const url = await startServer((socket, connections) => {
    if (connections === 1) socket.close(Number(code), 'A sentence.');
  });
  const reasons: unknown[] = [];
  await using client = connectClient({
    url,
    credential: 'eyJ.fixed.credential',
    runtime: { random: () => 0 },
  });
  client.on('status', ({ state, reason }) => {
    if (state === 'waiting') reasons.push({ reconnects: reason });
    if (state === 'ended') reasons.push({ ends: reason });
    if (state === 'connected') reasons.push('connected');
  });
  client.connect();
  const isEnd = 'ends' in expected;
  await eventually(() => reasons.length >= (isEnd ? 2 : 3));
  expect(reasons).toEqual(['connected', expected, ...(isEnd ? [] : ['connected'])]);
});

test('the client knows every close code of the service', () => {
  const codes = Object.values(CLOSE_CODES).map(({ code }) => code);
  expect(codes.filter((code) => !(code in AFTER))).toEqual([]);
});

test('survives messages that are not of the protocol, and reconnects after one that is not JSON', async () => {
  const url = await startServer((socket, connections) => {
    if (connections > 1) return;
    for (const text of [
      'null',
      '7',
      '[]',
      '{}',
      '{"type":7,"id":{}}',
      '{"type":"next","id":"99"}',
      'not JSON',
    ])
      socket.send(text);
  });
  await using client = connectClient({ url, credential: 'anonymous' });
  const states: string[] = [];
  client.on('status', ({ state }) => states.push(state));
  client.connect();
  await eventually(() => states.length >= 5);
  expect(states).toEqual(['connecting', 'connected', 'waiting', 'connecting', 'connected']);
});

test('refuses a message that the service would close the connection for, by its bytes, and publishes the next', async () => {
  await using service = await startService({ maxMessageBytes: 4_096 });
  await createChannel(service);
  const { credential } = await createMember(service, 'ada');
  await using client = connectClient({ url: service.url, credential });
  const states: string[] = [];
  client.on('status', ({ state }) => states.push(state));
  const lobby = client.channel('lobby');
  await lobby.publish('message', { text: 'before' });
  const large = lobby.publish('message', { text: '€'.repeat(1_400) });
  const next = lobby.publish('message', { text: 'after' });
  await expect(large).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', fields: { limit: 4_096 } });
  await next;
  expect(states).toEqual(['connecting', 'connected']);
});
