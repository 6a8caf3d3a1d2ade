import { expect, test } from 'vitest';
import { createChannel, isOnline, mint } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';

const CONFIG = { maxQueueBytes: 64 * 1024, maxMessageBytes: 1024 * 1024 };
const BYTES = 30_000;
const BATCH = 20;

const MESSAGES = `subscription ($since: Cursor) { messages(channel: "news", since: $since) { cursor event data } }`;
const GONE = `subscription { presence(channel: "news") { change leaveReason member { token } } }`;

/** Says a batch of large messages and yields their names; each name says its place. */
async function shout({ request }: TestService, from: number): Promise<string[]> {
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
  // Answered after it, in order.
  socket.send({ id: '2', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
  while ((await socket.next()).type !== 'complete');
  return socket;
}

interface Seen {
  cursor: string;
  event: string;
}

const seenBy = (socket: RawSocket): Seen[] =>
  socket.waiting.flatMap(({ payload }) => (payload?.data?.messages ? [payload.data.messages] : []));

async function metric({ url }: TestService, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

/** A stalled reader among two who read; returns when the service has given it up. */
async function overwhelm(signalbox: TestService) {
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const tokens = [await mint(signalbox), await mint(signalbox), await mint(signalbox)] as const;
  const gone = queueResults(signalbox.client(), GONE);
  const stalled = await subscribe(signalbox, tokens[0].credential);
  // An inbox wants to say why it ends, to a queue that takes nothing more.
  stalled.send({ id: '3', type: 'subscribe', payload: { query: 'subscription { events { __typename } }' } });
  stalled.ws.pause();
  const readers = [
    await subscribe(signalbox, tokens[1].credential),
    await subscribe(signalbox, tokens[2].credential),
  ];
  const said: string[] = [];
  for (;;) {
    said.push(...(await shout(signalbox, said.length)));
    const left = gone.waiting.find(({ presence }) => presence.change === 'LEFT');
    if (left) return { said, stalled, readers, token: tokens[0], left: left.presence };
  }
}

test('a reader who stalls is closed alone, and the others miss nothing', async () => {
  await using signalbox = await startService({ ...CONFIG, maxAliases: BATCH });
  const { said, stalled, readers, token, left } = await overwhelm(signalbox);
  expect(left).toEqual({ change: 'LEFT', leaveReason: 'SLOW_CONSUMER', member: { token: token.id } });
  expect(await isOnline(signalbox, token.id)).toBe(false);
  expect(await metric(signalbox, 'signalbox_slow_consumers_total')).toBe(1);
  expect(await metric(signalbox, 'signalbox_faults_total')).toBe(0);

  said.push(...(await shout(signalbox, said.length)));
  for (const reader of readers) {
    reader.send({ id: '3', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
    const heard: string[] = [];
    for (;;) {
      const { id, payload } = await reader.next();
      if (id === '3') break;
      heard.push(payload.data.messages.event);
    }
    expect(heard).toEqual(said);
  }
  stalled.ws.terminate();
});

test('it is told to come back, and resumes by cursor without having missed anything', async () => {
  await using signalbox = await startService({ ...CONFIG, maxAliases: BATCH });
  const { said, stalled, token } = await overwhelm(signalbox);
  stalled.ws.resume();
  expect(await stalled.closed).toEqual({ code: 4408, reason: 'SLOW_OR_SILENT' });
  const before = seenBy(stalled);
  // What was said after its queue was full was never kept for it.
  expect(before.length).toBeLessThan(said.length);

  using resumed = await connectSocket(signalbox, { token: token.credential });
  const variables = { since: before.at(-1)?.cursor };
  resumed.send({ id: '1', type: 'subscribe', payload: { query: MESSAGES, variables } });
  const after: Seen[] = [];
  while (before.length + after.length < said.length) after.push((await resumed.next()).payload.data.messages);
  expect([...before, ...after].map(({ event }) => event)).toEqual(said);
});

test('a reader may fall behind by SIGNALBOX_MAX_QUEUE_BYTES, beside what the network holds', async () => {
  const seen: number[] = [];
  for (const maxQueueBytes of [64 * 1024, 16 * 1024 * 1024]) {
    await using signalbox = await startService({ ...CONFIG, maxAliases: BATCH, maxQueueBytes });
    const { stalled } = await overwhelm(signalbox);
    stalled.ws.resume();
    await stalled.closed;
    seen.push(seenBy(stalled).length);
  }
  const [little, much] = seen as [number, number];
  // 16 MB are 559 messages; half of that leaves room for what the network makes of it.
  expect(much - little).toBeGreaterThan(280);
});

test('a peer that answers no ping is hung up on and offline, and one that does is not', async () => {
  await using signalbox = await startService({ pingIntervalMs: 1000 });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const [dead, alive] = [await mint(signalbox), await mint(signalbox)];
  const gone = queueResults(signalbox.client(), GONE);
  using living = await connectSocket(signalbox, { token: alive.credential });
  using mute = await connectSocket(signalbox, { token: dead.credential }, { autoPong: false });
  mute.send({ id: '1', type: 'subscribe', payload: { query: MESSAGES } });

  const { presence } = await gone.until(({ presence: { change } }) => change === 'LEFT');
  expect(presence).toEqual({ change: 'LEFT', leaveReason: 'CONNECTION_LOST', member: { token: dead.id } });
  expect((await mute.closed).code).toBe(1006);
  expect(await isOnline(signalbox, dead.id)).toBe(false);
  living.send({ type: 'ping' });
  expect(await living.next()).toEqual({ type: 'pong' });
  expect(await isOnline(signalbox, alive.id)).toBe(true);
});
