import { expect, test } from 'vitest';
import { MAX_LISTENERS_PER_PROJECT } from '../../src/observability/activity-feed.ts';
import { GATHER_MS } from '../../src/observability/activity-gatherer.ts';
import { ACTIVITIES_PER_SECOND, SKIP_NOTICE_MS } from '../../src/observability/activity-listener.ts';
import { ACTIVITY, followActivity, openLobby } from '../support/activity.ts';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { type ServiceClient, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { fetchStream, readStream, sseClient } from '../support/sse.ts';
import { STALLING_MESSAGES } from '../support/stall.ts';

const countOf = ({ kind, count }: { kind: string; count: number | null }) =>
  kind === 'SKIPPED' ? count! : 1;
const total = (activities: readonly { kind: string; count: number | null }[]) =>
  activities.reduce((sum, activity) => sum + countOf(activity), 0);

async function publishHundreds(signalbox: ServiceClient, hundreds: number): Promise<void> {
  const messages = Array.from({ length: 100 }, () => ({ channel: 'lobby', event: 'e', ephemeral: true }));
  for (let call = 0; call < hundreds; call++)
    await signalbox.request(
      'mutation ($messages: [PublishMessageInput!]!) { publishMessages(messages: $messages) { error { code } } }',
      { messages },
    );
}

test('skips activities beyond the rate, and delivers their number', async () => {
  const clock = createManualClock();
  await using signalbox = await openLobby({ clock });
  const backend = signalbox.client();
  const results = queueResults(backend, 'subscription { activity(kinds: [MESSAGE]) { kind count } }');
  await roundTrip(backend);
  const activities = () => results.waiting.map(({ activity }) => activity);
  const messages = () => activities().filter(({ kind }) => kind === 'MESSAGE').length;
  // The clock stands still: what is gathered is delivered by thousands.
  for (const received of [1000, 2 * ACTIVITIES_PER_SECOND, 2 * ACTIVITIES_PER_SECOND]) {
    await publishHundreds(signalbox, 11);
    while (messages() < received) await roundTrip(backend);
  }
  expect(messages()).toBe(2 * ACTIVITIES_PER_SECOND);
  while (total(activities()) < 3300) {
    await clock.advance(SKIP_NOTICE_MS);
    await roundTrip(backend);
  }
  expect(total(activities())).toBe(3300);
  expect(messages()).toBeLessThanOrEqual(
    2 * ACTIVITIES_PER_SECOND + ACTIVITIES_PER_SECOND * (GATHER_MS / 1000),
  );
});

test('skips messages beyond the rate that the client asks for, but nothing of the audit log', async () => {
  const clock = createManualClock();
  await using signalbox = await openLobby({ clock });
  const backend = signalbox.client();
  const results = queueResults(
    backend,
    'subscription { activity(kinds: [MESSAGE, CHANNEL], perSecond: 10) { kind action count } }',
  );
  await roundTrip(backend);
  await publishHundreds(signalbox, 1);
  await createChannel(signalbox, 'attic');
  await publishHundreds(signalbox, 1);
  const activities = () => results.waiting.map(({ activity }) => activity);
  await clock.advance(SKIP_NOTICE_MS);
  await roundTrip(backend);
  expect(activities().filter(({ kind }) => kind === 'MESSAGE')).toHaveLength(2 * 10 + 1);
  expect(activities().filter(({ kind }) => kind === 'CHANNEL')).toMatchObject([{ action: 'channel.create' }]);
  expect(activities().filter(({ kind }) => kind === 'SKIPPED')).toMatchObject([{ count: 200 - 21 }]);
  for (const perSecond of [0, ACTIVITIES_PER_SECOND + 1])
    expect(
      await queueResults(signalbox.client(), `subscription { activity(perSecond: ${perSecond}) { kind } }`)
        .ended,
    ).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'perSecond' } }]);
});

test('hides the data of direct messages from an API key without ADMIN in a batch of which the rate leaves a part, too', async () => {
  const clock = createManualClock();
  await using signalbox = await openLobby({ clock });
  const { createApiKey } = await signalbox.request('mutation { createApiKey(scopes: [READ]) { secret } }');
  const ada = await mint(signalbox);
  const backend = signalbox.client({ apiKey: createApiKey.secret });
  const query =
    'subscription { activity(kinds: [MESSAGE], payloads: true, perSecond: 1) { channel event data } }';
  const results = queueResults(backend, query);
  await roundTrip(backend);
  await publish(signalbox, 'lobby', 'first');
  await signalbox.request(
    `mutation ($t: ID!) {
      publishDirectMessage(token: $t, event: "second", data: 2) { connections }
      publishMessage(channel: "lobby", event: "third", data: 3) { connections }
    }`,
    { t: ada.id },
  );
  await clock.advance(GATHER_MS);
  expect((await results.next()).activity).toMatchObject({ event: 'first' });
  expect((await results.next()).activity).toEqual({ channel: null, event: 'second', data: null });
});

test('delivers an activity after a pause at once, and those that follow it together', async () => {
  const clock = createManualClock();
  await using signalbox = await openLobby({ clock });
  const first = await followActivity(signalbox, { kinds: ['MESSAGE'] });
  await publish(signalbox, 'lobby', 'one');
  expect(await first.next()).toMatchObject({ event: 'one' });
  await publish(signalbox, 'lobby', 'two');
  await publish(signalbox, 'lobby', 'three');
  expect(first.waiting).toEqual([]);
  await clock.advance(GATHER_MS);
  expect(await first.next()).toMatchObject({ event: 'two' });
  expect(await first.next()).toMatchObject({ event: 'three' });
});

test('delivers nothing to a new subscription that was gathered before it', async () => {
  const clock = createManualClock();
  await using signalbox = await openLobby({ clock });
  const first = await followActivity(signalbox, { kinds: ['MESSAGE'] });
  await publish(signalbox, 'lobby', 'one');
  await publish(signalbox, 'lobby', 'two');
  const second = await followActivity(signalbox, { kinds: ['MESSAGE'] });
  expect(await first.next()).toMatchObject({ event: 'one' });
  expect(await first.next()).toMatchObject({ event: 'two' });
  await publish(signalbox, 'lobby', 'three');
  await clock.advance(GATHER_MS);
  expect(await second.next()).toMatchObject({ event: 'three' });
});

test.each(['WebSocket', 'SSE'])(
  'skips nothing of a burst over %s for a client that reads',
  async (transport) => {
    await using signalbox = await openLobby();
    const backend = transport === 'SSE' ? sseClient(signalbox, signalbox.apiKey) : signalbox.client();
    const results = queueResults(
      backend,
      'subscription { activity(kinds: [MESSAGE, CHANNEL]) { kind count } }',
    );
    while (results.waiting.length === 0)
      await signalbox.request('mutation { updateChannel(id: "lobby", input: {}) { id } }');
    await publishHundreds(signalbox, 10);
    const received = new Map<string, number>();
    while ((received.get('MESSAGE') ?? 0) < 1000) {
      const { kind } = (await results.next()).activity;
      received.set(kind, (received.get(kind) ?? 0) + 1);
    }
    expect(received.has('SKIPPED')).toBe(false);
  },
);

interface PausedReader {
  /** Reads the activities, from the first one on. */
  resume(): AsyncIterable<{ kind: string; count: number | null; event: string | null }>;
}

const PAYLOADS = 'subscription { activity(kinds: [MESSAGE], payloads: true) { kind count event data } }';

async function openPausedSocket(signalbox: TestService): Promise<PausedReader & Disposable> {
  const socket = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  socket.send({ id: '1', type: 'subscribe', payload: { query: PAYLOADS } });
  socket.send({ id: '2', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
  await socket.next();
  await socket.next();
  socket.ws.pause();
  return {
    async *resume() {
      socket.ws.resume();
      for (;;) yield (await socket.next()).payload.data.activity;
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

async function openPausedStream(signalbox: TestService): Promise<PausedReader & Disposable> {
  const abort = new AbortController();
  const response = await fetchStream(signalbox, PAYLOADS, signalbox.apiKey, abort.signal);
  return {
    async *resume() {
      for await (const { data } of readStream(response)) yield data.data.activity;
    },
    [Symbol.dispose]: () => abort.abort(),
  };
}

test.each([
  ['WebSocket', openPausedSocket, STALLING_MESSAGES],
  // A stream takes a hundred events ahead, of any size.
  ['SSE', openPausedStream, STALLING_MESSAGES + 200],
])(
  'lets the newest activities wait for a client over %s that reads too slowly, skips the others, and closes nothing',
  async (_, open, large) => {
    const clock = createManualClock();
    await using signalbox = await openLobby({ clock }, { maxDataBytes: 100_000, maxMessageBytes: 100_000 });
    using reader = await open(signalbox);
    const PUBLISH = `mutation ($data: JSON) { publishMessage(channel: "lobby", event: "large", data: $data, ephemeral: true) { connections } }`;
    const data = 'x'.repeat(60_000);
    for (let count = 0; count < large; count++) {
      await signalbox.request(PUBLISH, { data });
      await clock.advance(GATHER_MS);
    }
    for (let hundreds = 0; hundreds < 10; hundreds++) {
      await publishHundreds(signalbox, 1);
      await clock.advance(GATHER_MS);
    }
    await clock.advance(SKIP_NOTICE_MS);
    const received: any[] = [];
    for await (const activity of reader.resume()) {
      received.push(activity);
      if (total(received) === large + 1000) break;
      await clock.advance(SKIP_NOTICE_MS);
    }
    expect(received.filter(({ event }) => event === 'e')).toHaveLength(1000);
    expect(received.some(({ kind }) => kind === 'SKIPPED')).toBe(true);
  },
);

test('refuses more subscriptions than a project may have, also when they are opened at the same time', async () => {
  await using signalbox = await openLobby();
  const backend = signalbox.client();
  const opened = Array.from({ length: MAX_LISTENERS_PER_PROJECT + 10 }, (_, nth) =>
    queueResults(backend, 'subscription ($recent: Int) { activity(recent: $recent) { at } }', {
      recent: nth % 2 === 0 ? 0 : 200,
    }),
  );
  let endedCount = 0;
  for (const { ended } of opened) void ended.then(() => endedCount++);
  await expect.poll(() => endedCount).toBe(10);
  expect(await queueResults(signalbox.client(), ACTIVITY).ended).toMatchObject([
    { extensions: { code: 'LIMIT_EXCEEDED', limit: MAX_LISTENERS_PER_PROJECT } },
  ]);
  // The place of each one is free when it has ended.
  for (const { stop } of opened) stop();
  await roundTrip(backend);
  const again = Array.from({ length: MAX_LISTENERS_PER_PROJECT }, () => queueResults(backend, ACTIVITY));
  for (const { ended } of again) void ended.then(() => endedCount++);
  await roundTrip(backend);
  expect(endedCount).toBe(opened.length);
});
