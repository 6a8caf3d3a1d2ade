import { expect, test } from 'vitest';
import { MAX_LISTENERS_PER_PROJECT } from '../../src/observability/activity-feed.ts';
import { GATHER_MS } from '../../src/observability/activity-gatherer.ts';
import { ACTIVITIES_PER_SECOND, SKIP_NOTICE_MS } from '../../src/observability/activity-listener.ts';
import { createChannel, mint, publish, revokeToken, roundTrip, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createLog } from '../support/log.ts';
import { createProject } from '../support/projects.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { sseClient } from '../support/sse.ts';
import { STALLING_MESSAGES } from '../support/stall.ts';

const ACTIVITY = `subscription ($kinds: [ActivityKind!], $channel: ID, $token: ID, $identity: String, $payloads: Boolean) {
  activity(kinds: $kinds, channel: $channel, token: $token, identity: $identity, payloads: $payloads) {
    at kind action actor subject channel token identity connection code reason sentence field address count message event data
  }
}`;

async function follow({ client }: Pick<ServiceClient, 'client'>, filter: object = {}, secret?: string) {
  const backend = client(secret === undefined ? undefined : { apiKey: secret });
  const results = queueResults(backend, ACTIVITY, { ...filter });
  await roundTrip(backend);
  return {
    ...results,
    next: async () => present((await results.next()).activity),
    /** The actions up to the sentinel `channel.update`. */
    async untilSentinel(signalbox: ServiceClient) {
      await signalbox.request('mutation { updateChannel(id: "lobby", input: {}) { id } }');
      const activities: any[] = [];
      for (;;) {
        const activity = present((await results.next()).activity);
        if (activity.action === 'channel.update') return activities;
        activities.push(activity);
      }
    },
  };
}

const present = (activity: object): any =>
  Object.fromEntries(Object.entries(activity).filter(([, value]) => value !== null));
const EVENTS = 'subscription { events { __typename } }';

async function openLobby(
  overrides: Parameters<typeof startService>[1] = {},
  config: Parameters<typeof startService>[0] = {},
): Promise<TestService> {
  const signalbox = await startService(config, overrides);
  await createChannel(signalbox, 'lobby');
  return signalbox;
}

test('shows the life of a token: created, connected, in a channel, publishing, refused, muted, disconnected', async () => {
  await using signalbox = await openLobby();
  const { next } = await follow(signalbox);
  const { id, credential } = await mint(signalbox, { identity: 'ada', channels: ['lobby'] });
  const about = { token: id, identity: 'ada' };
  expect(await next()).toMatchObject({ kind: 'TOKEN', action: 'token.create', actor: 'key_test', ...about });
  const ada = signalbox.client({ token: credential });
  const events = queueResults(ada, EVENTS);
  const opened = await next();
  expect(opened).toMatchObject({ kind: 'CONNECTION', action: 'connection.open', actor: id, ...about });
  const { connection } = opened;
  await events.next();
  const inLobby = { channel: 'lobby', ...about };
  expect(await next()).toMatchObject({ kind: 'PRESENCE', action: 'presence.join', connection, ...inLobby });
  await signalbox.request(
    'mutation { publishMessage(channel: "lobby", event: "said", data: 1) { connections } }',
    {},
    credential,
  );
  expect(await next()).toEqual({
    at: expect.any(String),
    kind: 'MESSAGE',
    action: 'message.publish',
    actor: id,
    subject: expect.stringMatching(/^msg_/),
    message: expect.stringMatching(/^msg_/),
    event: 'said',
    ...inLobby,
  });
  await sendDirect(signalbox, id, 'psst');
  expect(await next()).toEqual({
    at: expect.any(String),
    kind: 'MESSAGE',
    action: 'message.publish',
    subject: expect.any(String),
    message: expect.any(String),
    event: 'psst',
    token: id,
  });
  await signalbox.request('mutation ($t: ID!) { mute(token: $t, channel: "lobby") { id } }', { t: id });
  expect(await next()).toMatchObject({
    kind: 'MODERATION',
    action: 'mute.put',
    token: id,
    channel: 'lobby',
    actor: 'key_test',
  });
  await signalbox.ask(
    'mutation { publishMessage(channel: "lobby", event: "e") { connections } }',
    {},
    credential,
  );
  expect(await next()).toEqual({
    at: expect.any(String),
    kind: 'REFUSAL',
    action: 'refused',
    actor: id,
    code: 'FORBIDDEN',
    reason: 'MUTED',
    field: 'publishMessage',
    sentence: 'The channel “lobby” does not exist, or this caller may not PUBLISH in it.',
    address: '127.0.0.1',
    ...inLobby,
  });
  await signalbox.request('mutation ($c: ID!) { disconnect(connection: $c) }', { c: connection });
  const ended = [await next(), await next(), await next()].sort((a, b) => (a.action < b.action ? -1 : 1));
  expect(ended).toMatchObject([
    { kind: 'CONNECTION', action: 'connection.close', connection, reason: 'DISCONNECTED', ...about },
    { kind: 'MODERATION', action: 'connection.disconnect', connection, ...about },
    { kind: 'PRESENCE', action: 'presence.leave', connection, reason: 'DISCONNECTED', ...inLobby },
  ]);
  await revokeToken(signalbox, id);
  expect(await next()).toMatchObject({ kind: 'TOKEN', action: 'token.revoke', ...about });
});

test('shows everything that the audit log holds, in its order', async () => {
  const log = createLog();
  await using signalbox = await openLobby({ logger: log.logger });
  const kinds = ['TOKEN', 'MEMBERSHIP', 'CHANNEL', 'MODERATION', 'REFUSAL', 'ADMINISTRATION'];
  const { next } = await follow(signalbox, { kinds });
  const before = log.audited().length;
  const { id, credential } = await mint(signalbox, { identity: 'ada' });
  await signalbox.request(
    `mutation ($t: ID!) {
      createCredential(token: $t) { cursor } updateToken(id: $t, input: {}) { id }
      subscribeToken(channel: "lobby", token: $t) { createdAt } unsubscribeToken(channel: "lobby", token: $t) { createdAt }
      ban(identity: "ada", channel: "lobby") { id } unban(identity: "ada", channel: "lobby") { id } revokeTokens(identity: "eve") { connections }
      updateProject(settings: { guests: true }) { id } createApiKey { secret } createGuest { cursor }
      createIssuer(input: { kind: SIGNALBOX, key: { id: "k", secret: "a secret that has 32 bytes or more" } }) { id }
      rotateSigningKey(overlapSeconds: 600) deleteChannel(id: "lobby") { id }
    }`,
    { t: id },
  );
  await signalbox.ask('{ tokens { nodes { id } } }', {}, credential);
  await signalbox.ask('{ tokens { nodes { id } } }', {}, 'key_nobody.AAAA');
  const audited = log.audited().slice(before);
  expect(audited.length).toBeGreaterThan(14);
  for (const { action, actor, subject } of audited) {
    const shown = await next();
    expect({ action: shown.action, actor: shown.actor, subject: shown.subject }).toEqual({
      action,
      actor,
      subject,
    });
  }
});

test('includes payloads only for subscribers that ask for them', async () => {
  await using signalbox = await openLobby();
  const [without, withPayloads] = [
    await follow(signalbox, { kinds: ['MESSAGE'] }),
    await follow(signalbox, { kinds: ['MESSAGE'], payloads: true }),
  ];
  await signalbox.request(
    'mutation { publishMessage(channel: "lobby", event: "e", data: { secret: 1 }, ephemeral: true) { connections } }',
  );
  expect((await without.next()).data).toBeUndefined();
  expect((await withPayloads.next()).data).toEqual({ secret: 1 });
  const { createApiKey } = await signalbox.request('mutation { createApiKey(scopes: [READ]) { secret } }');
  const reader = await follow(signalbox, { kinds: ['MESSAGE'], payloads: true }, createApiKey.secret);
  const ada = await mint(signalbox);
  await signalbox.request(
    `mutation ($t: ID!) {
      publishDirectMessage(token: $t, event: "e", data: { secret: 2 }) { connections }
      publishMessage(channel: "lobby", event: "e", data: { secret: 3 }) { connections }
    }`,
    { t: ada.id },
  );
  expect((await withPayloads.next()).data).toEqual({ secret: 2 });
  expect((await reader.next()).data).toBeUndefined();
  expect((await reader.next()).data).toEqual({ secret: 3 });
});

test('filters by channel, token and identity', async () => {
  await using signalbox = await openLobby();
  await createChannel(signalbox, 'attic');
  const [ada, ben] = [await mint(signalbox, { identity: 'ada' }), await mint(signalbox, { identity: 'ben' })];
  const inLobby = await follow(signalbox, { channel: 'lobby' });
  const ofAda = await follow(signalbox, { token: ada.id, kinds: ['MESSAGE', 'TOKEN'] });
  const ofBen = await follow(signalbox, { identity: 'ben', kinds: ['MESSAGE', 'MEMBERSHIP'] });
  await publish(signalbox, 'attic', 'hidden');
  await publish(signalbox, 'lobby', 'shown');
  for (const { id } of [ada, ben]) await sendDirect(signalbox, id, 'psst');
  await signalbox.request(
    'mutation ($t: ID!) { subscribeToken(channel: "lobby", token: $t) { createdAt } }',
    { t: ben.id },
  );
  await revokeToken(signalbox, ada.id);
  expect(await inLobby.next()).toMatchObject({ event: 'shown' });
  expect(await inLobby.next()).toMatchObject({ action: 'membership.subscribe', token: ben.id });
  expect(await ofAda.next()).toMatchObject({ event: 'psst', token: ada.id });
  expect(await ofAda.next()).toMatchObject({ action: 'token.revoke' });
  expect(await ofBen.next()).toMatchObject({ action: 'membership.subscribe' });
});

test('shows an API key its own project only, and what its scopes let it read', async () => {
  await using signalbox = await openLobby();
  const other = await createProject(signalbox, 'other');
  const { createApiKey } = await signalbox.request('mutation { createApiKey(scopes: [READ]) { secret } }');
  const reader = await follow(signalbox, {}, createApiKey.secret);
  const foreign = await follow(other);
  const operator = await follow(signalbox, { kinds: ['REFUSAL', 'ADMINISTRATION', 'CHANNEL'] });
  const { credential } = await mint(signalbox);
  await signalbox.request('mutation { updateProject(settings: {}) { id } }');
  await signalbox.ask('{ tokens { nodes { id } } }', {}, credential);
  await signalbox.ask('{ tokens { nodes { id } } }', {}, 'key_nobody.AAAA');
  const seen = await reader.untilSentinel(signalbox);
  expect(seen.map(({ action }) => action)).toEqual(['connection.open', 'token.create', 'refused']);
  expect(seen[2]).toMatchObject({ reason: 'NOT_ALLOWED' });
  expect(seen[2].address).toBeUndefined();
  const all = await operator.untilSentinel(signalbox);
  expect(all.slice(0, 3)).toMatchObject([
    { action: 'project.update' },
    { action: 'refused', address: '127.0.0.1' },
    { action: 'refused', reason: 'API_KEY', actor: 'anonymous' },
  ]);
  await createChannel(other, 'lobby');
  expect(await foreign.next()).toMatchObject({ action: 'channel.create', channel: 'lobby' });
  const refused = queueResults(signalbox.client({ apiKey: createApiKey.secret }), ACTIVITY, {
    kinds: ['ADMINISTRATION'],
  });
  expect(await refused.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

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

test('delivers an activity after a pause at once, and those that follow it together', async () => {
  const clock = createManualClock();
  await using signalbox = await openLobby({ clock });
  const first = await follow(signalbox, { kinds: ['MESSAGE'] });
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
  const first = await follow(signalbox, { kinds: ['MESSAGE'] });
  await publish(signalbox, 'lobby', 'one');
  await publish(signalbox, 'lobby', 'two');
  const second = await follow(signalbox, { kinds: ['MESSAGE'] });
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

test('skips activities for a client that reads too slowly, and neither queues them nor closes its connections connection', async () => {
  const clock = createManualClock();
  await using signalbox = await openLobby({ clock }, { maxDataBytes: 100_000, maxMessageBytes: 100_000 });
  using socket = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  const query = 'subscription { activity(kinds: [MESSAGE], payloads: true) { kind count data } }';
  socket.send({ id: '1', type: 'subscribe', payload: { query } });
  socket.send({ id: '2', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
  await socket.next();
  await socket.next();
  socket.ws.pause();
  const PUBLISH = `mutation ($data: JSON) { publishMessage(channel: "lobby", event: "e", data: $data) { connections } }`;
  const data = 'x'.repeat(60_000);
  for (let count = 0; count < STALLING_MESSAGES; count++) {
    await signalbox.request(PUBLISH, { data });
    await clock.advance(GATHER_MS);
  }
  socket.ws.resume();
  const received: any[] = [];
  while (total(received) < STALLING_MESSAGES) {
    if (socket.waiting.length === 0) await clock.advance(SKIP_NOTICE_MS);
    else received.push((await socket.next()).payload.data.activity);
  }
  expect(total(received)).toBe(STALLING_MESSAGES);
  expect(received.some(({ kind }) => kind === 'SKIPPED')).toBe(true);
});

test('refuses more subscriptions than a project may have', async () => {
  await using signalbox = await openLobby();
  const backend = signalbox.client();
  for (let count = 0; count < MAX_LISTENERS_PER_PROJECT; count++) queueResults(backend, ACTIVITY);
  await roundTrip(backend);
  expect(await queueResults(signalbox.client(), ACTIVITY).ended).toMatchObject([
    { extensions: { code: 'LIMIT_EXCEEDED', limit: MAX_LISTENERS_PER_PROJECT } },
  ]);
});
