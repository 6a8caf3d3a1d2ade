import { expect, test } from 'vitest';
import { createStats, MAX_SAMPLES, MAX_SERIES, STEP_MS } from '../../src/observability/stats.ts';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createProject } from '../support/projects.ts';
import { queueResults } from '../support/result-queue.ts';
import { isOnPostgres, startService, type ServiceClient } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const COUNTS = '{ publishes deliveries replays gaps slowConsumers refusals { code count } }';
const STORE = '{ databaseBytes walBytes messages }';
const STATS = `query ($project: ID, $after: DateTime) {
  stats(project: $project) {
    node startedAt project at connections totals ${COUNTS} store ${STORE}
    series(after: $after) { at connections counts ${COUNTS} process { loopLagMs store ${STORE} } }
  }
}`;
const readStats = async ({ request }: ServiceClient, variables: object = {}) =>
  (await request(STATS, variables)).stats;
const NOTHING = { publishes: 0, deliveries: 0, replays: 0, gaps: 0, slowConsumers: 0, refusals: [] };
const EVENTS = 'subscription ($since: Cursor) { events(since: $since) { __typename } }';

test('counts what happens, now and for each step of ten seconds', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'lobby');
  const token = await mint(signalbox, { channels: ['lobby'] });
  await publish(signalbox, 'lobby', 'said');
  const events = queueResults(signalbox.client({ token: token.credential }), EVENTS, { since: token.cursor });
  await events.until(({ events }) => events.__typename === 'ChannelMessage');
  await signalbox.ask('{ channel(id: "absent") { id } }');
  await signalbox.ask('{ channel(id: "absent") { id } }', {}, null);
  const totals = {
    ...NOTHING,
    publishes: 1,
    deliveries: 2,
    replays: 1,
    refusals: [
      { code: 'NOT_FOUND', count: 1 },
      { code: 'UNAUTHENTICATED', count: 1 },
    ],
  };
  const startedAt = new Date(clock.now()).toISOString();
  expect(await readStats(signalbox)).toMatchObject({
    node: expect.stringMatching(/^node_/),
    startedAt,
    project: null,
    at: startedAt,
    connections: 1,
    totals,
    series: [],
  });

  await clock.advance(STEP_MS);
  const firstStep = new Date(clock.now()).toISOString();
  await publish(signalbox, 'lobby', 'said');
  await events.next();
  await clock.advance(STEP_MS);
  const stats = await readStats(signalbox);
  expect(stats.series).toMatchObject([
    { at: firstStep, connections: 1, counts: totals },
    { connections: 1, counts: { ...NOTHING, publishes: 1, deliveries: 1 } },
  ]);
  expect(stats.totals).toEqual({ ...totals, publishes: 2, deliveries: 3 });
  expect((await readStats(signalbox, { after: firstStep })).series).toEqual(stats.series.slice(1));
  if (isOnPostgres) return;
  for (const store of [stats.store, stats.series[1].process.store])
    expect(store).toEqual({
      databaseBytes: expect.any(Number),
      walBytes: expect.any(Number),
      messages: 2,
    });
});

test('counts a gap, and a connection that reads too slowly', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ maxQueueBytes: 65_536 }, { clock });
  await createChannel(signalbox, 'lobby');
  const { credential } = await mint(signalbox, { channels: ['lobby'] });
  const resumed = queueResults(signalbox.client({ token: credential }), EVENTS, {
    since: `1${'A'.repeat(22)}`,
  });
  await resumed.until(({ events }) => events.__typename === 'Gap');
  using socket = await connectSocket(signalbox, { token: credential });
  const query = 'subscription { events { ... on ChannelMessage { message { data } } } }';
  socket.send({ id: '1', type: 'subscribe', payload: { query } });
  await socket.next();
  socket.ws.pause();
  const slow = async () => (await readStats(signalbox)).totals.slowConsumers;
  const PUBLISH = `mutation ($data: JSON) { publishMessage(channel: "lobby", event: "e", data: $data) { connections } }`;
  while ((await slow()) === 0) {
    await signalbox.request(PUBLISH, { data: 'x'.repeat(30_000) });
    await clock.advance(1000);
  }
  expect((await readStats(signalbox)).totals).toMatchObject({ gaps: 1, slowConsumers: 1 });
});

test('shows an API key the figures of its own project, and the operator those of all projects or of one', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const other = await createProject(signalbox, 'other');
  await createChannel(signalbox, 'lobby');
  await publish(signalbox, 'lobby', 'said');
  using _socket = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  await signalbox.ask('{ project { id } }', {}, 'key_nobody.AAAA');
  await clock.advance(STEP_MS);
  const refusals = [{ code: 'UNAUTHENTICATED', count: 1 }];
  const [all, own, others] = [
    await readStats(signalbox),
    await readStats(signalbox, { project: 'default' }),
    await readStats(other),
  ];
  expect(all).toMatchObject({ project: null, connections: 1, totals: { publishes: 1, refusals } });
  expect(own).toMatchObject({
    project: 'default',
    connections: 1,
    totals: { publishes: 1, refusals: [] },
    store: null,
    series: [{ connections: 1, counts: { publishes: 1 }, process: null }],
  });
  expect(others).toMatchObject({
    project: 'other',
    connections: 0,
    totals: NOTHING,
    store: null,
    series: [],
  });
  expect((await other.ask(STATS, { project: 'default' })).errors).toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ]);
  expect((await signalbox.ask(STATS, { project: 'absent' })).errors).toMatchObject([
    { extensions: { code: 'NOT_FOUND' } },
  ]);
});

test('keeps an hour, and the series of the projects that were active last', async () => {
  const clock = createManualClock();
  const loopLag = { takeMax: () => 7, [Symbol.dispose]: () => undefined };
  using stats = createStats({ clock, nodeId: 'node_1', loopLag });
  for (let project = 0; project <= MAX_SERIES; project++) {
    stats.count(`p${project}`, 'publishes', 2);
    await clock.advance(STEP_MS);
  }
  expect(stats.read('p0').series).toEqual([]);
  expect(stats.read('p0').totals.publishes).toBe(2);
  expect(stats.read('p1').series).toHaveLength(MAX_SERIES);
  expect(stats.read('p1').series.map(({ counts }) => counts.publishes)).toEqual([
    2,
    ...Array.from({ length: MAX_SERIES - 1 }, () => 0),
  ]);
  for (let step = 0; step < MAX_SAMPLES; step++) await clock.advance(STEP_MS);
  const { series, totals } = stats.read();
  expect(series).toHaveLength(MAX_SAMPLES);
  expect(series.at(-1)).toMatchObject({ at: clock.now(), process: { loopLagMs: 7 } });
  expect(totals.publishes).toBe(2 * (MAX_SERIES + 1));
});

test('counts the errors in the outcomes of bulk calls, and shows the first of each code in the activity', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const { id, credential } = await mint(signalbox, { channels: ['lobby'] });
  const operator = signalbox.client();
  const refusals = queueResults(
    operator,
    'subscription { activity(kinds: [REFUSAL]) { actor code reason field channel address sentence } }',
  );
  await roundTrip(operator);
  await signalbox.request('mutation ($t: ID!) { mute(token: $t, channel: "lobby") { id } }', { t: id });
  const message = { channel: 'lobby', event: 'said' };
  await signalbox.request(
    'mutation ($messages: [PublishMessageInput!]!) { publishMessages(messages: $messages) { error { code } } }',
    { messages: [message, message, { ...message, event: '' }] },
    credential,
  );
  await signalbox.request(
    'mutation ($t: ID!) { subscribeTokens(channels: ["absent", "lobby"], tokens: [$t]) { error { code } } }',
    { t: id },
  );
  expect((await readStats(signalbox)).totals.refusals).toEqual([
    { code: 'BAD_USER_INPUT', count: 1 },
    { code: 'FORBIDDEN', count: 2 },
    { code: 'NOT_FOUND', count: 1 },
  ]);
  const metrics = await (await fetch(`${signalbox.url}/metrics`)).text();
  expect(metrics).toMatch(/^signalbox_refusals_total\{code="FORBIDDEN"\} 2$/m);
  expect((await refusals.next()).activity).toEqual({
    actor: id,
    code: 'FORBIDDEN',
    reason: 'MUTED',
    field: 'publishMessages',
    channel: 'lobby',
    address: '127.0.0.1',
    sentence: 'The channel “lobby” does not exist, or this caller may not PUBLISH in it.',
  });
  await signalbox.ask('{ tokens { nodes { id } } }', {}, credential);
  expect((await refusals.next()).activity).toMatchObject({ field: 'tokens' });
});
