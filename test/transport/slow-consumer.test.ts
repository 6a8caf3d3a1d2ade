import { expect, test } from 'vitest';
import { createChannel, isOnline, mint } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';

const CONFIG = { maxQueueBytes: 64 * 1024, maxMessageBytes: 1024 * 1024 };
const BYTES = 30_000;
const BATCH = 20;

const MESSAGES = `subscription ($since: Cursor) { messages(channel: "news", since: $since) { cursor event data } }`;
const PRESENCE = `subscription { presence(channel: "news") { change leaveReason member { token } } }`;

/** Publishes a batch of large messages with consecutive event names, and resolves to the names. */
async function publishBatch({ request }: TestService, from: number): Promise<string[]> {
  const names = Array.from({ length: BATCH }, (_, i) => `n${from + i}`);
  const fields = names.map(
    (name) => `${name}: publishMessage(channel: "news", event: "${name}", data: $d) { connections }`,
  );
  await request(`mutation ($d: JSON) { ${fields.join(' ')} }`, { d: 'x'.repeat(BYTES) });
  return names;
}

async function subscribe(signalbox: TestService, token: string, since?: string): Promise<RawSocket> {
  const socket = await connectSocket(signalbox, { token });
  socket.send({ id: '1', type: 'subscribe', payload: { query: MESSAGES, variables: { since } } });
  // The query is answered after the subscription has started.
  socket.send({ id: '2', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
  while ((await socket.next()).type !== 'complete');
  return socket;
}

interface ReceivedMessage {
  cursor: string;
  event: string;
}

const receivedBy = (socket: RawSocket): ReceivedMessage[] =>
  socket.waiting.flatMap(({ payload }) => (payload?.data?.messages ? [payload.data.messages] : []));

async function metric({ url }: TestService, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

/** Publishes to a stalled reader and two normal readers until the service closes the stalled one. */
async function stallOneReader(signalbox: TestService) {
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const tokens = [await mint(signalbox), await mint(signalbox), await mint(signalbox)] as const;
  const presenceChanges = queueResults(signalbox.client(), PRESENCE);
  const stalled = await subscribe(signalbox, tokens[0].credential);
  // The events subscription also tries to send its last event to the full queue.
  stalled.send({ id: '3', type: 'subscribe', payload: { query: 'subscription { events { __typename } }' } });
  stalled.ws.pause();
  const readers = [
    await subscribe(signalbox, tokens[1].credential),
    await subscribe(signalbox, tokens[2].credential),
  ];
  const published: string[] = [];
  for (;;) {
    published.push(...(await publishBatch(signalbox, published.length)));
    const left = presenceChanges.waiting.find(({ presence }) => presence.change === 'LEFT');
    if (left) return { published, stalled, readers, token: tokens[0], left: left.presence };
  }
}

test('closes only the reader that stalls, and delivers every message to the others', async () => {
  await using signalbox = await startService({ ...CONFIG, maxAliases: BATCH });
  const { published, stalled, readers, token, left } = await stallOneReader(signalbox);
  expect(left).toEqual({ change: 'LEFT', leaveReason: 'SLOW_CONSUMER', member: { token: token.id } });
  expect(await isOnline(signalbox, token.id)).toBe(false);
  expect(await metric(signalbox, 'signalbox_slow_consumers_total')).toBe(1);
  expect(await metric(signalbox, 'signalbox_faults_total')).toBe(0);

  published.push(...(await publishBatch(signalbox, published.length)));
  for (const reader of readers) {
    reader.send({ id: '3', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
    const received: string[] = [];
    for (;;) {
      const { id, payload } = await reader.next();
      if (id === '3') break;
      received.push(payload.data.messages.event);
    }
    expect(received).toEqual(published);
  }
  stalled.ws.terminate();
});

test('closes a stalled reader with 4408, and it resumes from its cursor without a gap', async () => {
  await using signalbox = await startService({ ...CONFIG, maxAliases: BATCH });
  const { published, stalled, token } = await stallOneReader(signalbox);
  stalled.ws.resume();
  expect(await stalled.closed).toEqual({
    code: 4408,
    reason: 'The stream was not read fast enough. Resume with the last cursor.',
  });
  const before = receivedBy(stalled);
  // Messages published after the queue was full are not queued.
  expect(before.length).toBeLessThan(published.length);

  using resumed = await connectSocket(signalbox, { token: token.credential });
  const variables = { since: before.at(-1)?.cursor };
  resumed.send({ id: '1', type: 'subscribe', payload: { query: MESSAGES, variables } });
  const after: ReceivedMessage[] = [];
  while (before.length + after.length < published.length)
    after.push((await resumed.next()).payload.data.messages);
  expect([...before, ...after].map(({ event }) => event)).toEqual(published);
});

test('a reader may fall behind by SIGNALBOX_MAX_QUEUE_BYTES in addition to the network buffers', async () => {
  const counts: number[] = [];
  for (const maxQueueBytes of [64 * 1024, 16 * 1024 * 1024]) {
    await using signalbox = await startService({ ...CONFIG, maxAliases: BATCH, maxQueueBytes });
    const { stalled } = await stallOneReader(signalbox);
    stalled.ws.resume();
    await stalled.closed;
    counts.push(receivedBy(stalled).length);
  }
  const [small, large] = counts as [number, number];
  // 16 MiB are 559 messages. Half of them is enough tolerance for the network buffers.
  expect(large - small).toBeGreaterThan(280);
});

test('terminates a peer that does not answer pings and marks it offline', async () => {
  await using signalbox = await startService({ pingIntervalMs: 1000 });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const [dead, alive] = [await mint(signalbox), await mint(signalbox)];
  const presenceChanges = queueResults(signalbox.client(), PRESENCE);
  using responsive = await connectSocket(signalbox, { token: alive.credential });
  using unresponsive = await connectSocket(signalbox, { token: dead.credential }, { autoPong: false });
  unresponsive.send({ id: '1', type: 'subscribe', payload: { query: MESSAGES } });

  const { presence } = await presenceChanges.until(({ presence: { change } }) => change === 'LEFT');
  expect(presence).toEqual({ change: 'LEFT', leaveReason: 'CONNECTION_LOST', member: { token: dead.id } });
  expect((await unresponsive.closed).code).toBe(1006);
  expect(await isOnline(signalbox, dead.id)).toBe(false);
  responsive.send({ type: 'ping' });
  expect(await responsive.next()).toEqual({ type: 'pong' });
  expect(await isOnline(signalbox, alive.id)).toBe(true);
});
