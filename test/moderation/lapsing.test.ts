import { expect, test } from 'vitest';
import {
  createChannel,
  mint,
  publish,
  roundTrip,
  subscribeToken,
  updateToken,
  sendDirect,
} from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { moderate, openInbox, outcomeOf, outcomeOn, publishMutation } from '../support/moderation.ts';
import { startService, type TestService } from '../support/service.ts';

const FORBIDDEN = [{ extensions: { code: 'FORBIDDEN', retryable: false } }];
const ALL_ACTIONS = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'];
const grant = (channels: string, expiresAt?: string, actions = ALL_ACTIONS) => ({
  channels,
  actions,
  ...(expiresAt !== undefined && { expiresAt }),
});
const MINUTE_ONE = '2030-01-01T00:01:00.000Z';
const MINUTE_TWO = '2030-01-01T00:02:00.000Z';

/** Starts a service whose clock is at 2030, with two channels and a token with these grants. */
async function startWithGrants(grants: object[]) {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  let lateMs = 0;
  const signalbox = await startService(
    // Long enough that the node stays in presence while the timers that renew its lease are late.
    { leaseMs: 300_000 },
    { clock: { ...clock, now: () => clock.now() + lateMs, at: (epochMs, work) => clock.at(epochMs, work) } },
  );
  for (const id of ['hall', 'room']) await createChannel(signalbox, id);
  const ada = await mint(signalbox, { identity: 'ada', channels: ['hall', 'room'], grants });
  return {
    clock,
    signalbox,
    ada,
    /** Advances the time without running timers: every timer is late. */
    delay: (ms: number) => (lateMs = ms),
    [Symbol.asyncDispose]: () => signalbox[Symbol.asyncDispose](),
  };
}

/** The allowed actions of a credential in a channel, queried over HTTP. */
async function allowedIn({ request }: TestService, channel: string, bearer: string): Promise<string[]> {
  const query = `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`;
  return (await request(query, { c: channel }, bearer)).viewer.allowedActions;
}

test('a grant allows its actions until expiresAt and nothing from then on; other grants stay in force', async () => {
  await using fixture = await startWithGrants([grant('hall', MINUTE_ONE), grant('room')]);
  const { clock, signalbox, ada } = fixture;
  const { client, next } = await openInbox(signalbox, ada.credential);
  const streams = ['messages', 'presence', 'channelState'].map((field) =>
    queueResults(client, `subscription { ${field}(channel: "hall") { __typename } }`),
  );
  await roundTrip(client);
  await clock.advance(60_000 - 1);
  expect(await publish(signalbox, 'hall', 'just-in-time')).toBe(1);
  expect(await outcomeOn(client, publishMutation('hall', 'own'))).toBe('done');
  expect(await allowedIn(signalbox, 'hall', ada.credential)).toEqual(ALL_ACTIONS);

  await clock.advance(1);
  expect(await publish(signalbox, 'hall', 'too-late')).toBe(0);
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('FORBIDDEN');
  expect(await allowedIn(signalbox, 'hall', ada.credential)).toEqual([]);
  expect(await allowedIn(signalbox, 'room', ada.credential)).toEqual(ALL_ACTIONS);
  expect(await publish(signalbox, 'room', 'sentinel')).toBe(1);
  expect(await next()).toMatchObject({ message: { event: 'just-in-time' } });
  expect(await next()).toMatchObject({ message: { event: 'own' } });
  const unavailable = { __typename: 'ChannelUnavailable', channel: { id: 'hall' }, reason: 'NOT_ALLOWED' };
  expect(await next()).toEqual(unavailable);
  expect(await next()).toMatchObject({ message: { event: 'sentinel' } });
  for (const stream of streams) expect(await stream.ended).toMatchObject(FORBIDDEN);
});

test('each grant lapses at its own time and removes only its own actions', async () => {
  await using fixture = await startWithGrants([
    grant('hall', undefined, ['SUBSCRIBE']),
    grant('hall', MINUTE_ONE, ['PUBLISH']),
    grant('room', MINUTE_TWO),
  ]);
  const { clock, signalbox, ada } = fixture;
  const { client, next } = await openInbox(signalbox, ada.credential);
  const outcomes = async () => [
    await outcomeOn(client, publishMutation('hall')),
    await outcomeOn(client, publishMutation('room')),
  ];
  expect(await outcomes()).toEqual(['done', 'done']);
  await clock.advance(60_000);
  expect(await outcomes()).toEqual(['FORBIDDEN', 'done']);
  await clock.advance(60_000);
  expect(await outcomes()).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  expect(await publish(signalbox, 'hall', 'sentinel')).toBe(1);
  for (const channel of ['hall', 'room', 'room'])
    expect(await next()).toMatchObject({ message: { channel } });
  expect(await next()).toMatchObject({ __typename: 'ChannelUnavailable', channel: { id: 'room' } });
  expect(await next()).toMatchObject({ message: { event: 'sentinel' } });
});

test('a token whose only grant has lapsed may do nothing in any channel, and nothing is replayed to it', async () => {
  await using fixture = await startWithGrants([grant('*', MINUTE_ONE)]);
  const { clock, signalbox, ada } = fixture;
  await publish(signalbox, 'hall', 'not-replayed');
  await clock.advance(60_000);
  const { client, connected, next } = await openInbox(signalbox, ada.credential, ada.cursor);
  expect(connected.channels).toEqual([]);
  await sendDirect(signalbox, ada.id, 'sentinel');
  expect(await next()).toMatchObject({ message: { event: 'sentinel' } });
  for (const channel of ['hall', 'room']) {
    expect(await allowedIn(signalbox, channel, ada.credential)).toEqual([]);
    expect(await outcomeOn(client, publishMutation(channel))).toBe('FORBIDDEN');
  }
  const history = `{ channel(id: "hall") { messages { nodes { event } } } }`;
  expect(await outcomeOf(signalbox.ask(history, {}, ada.credential))).toBe('FORBIDDEN');
  const subscribe = `mutation ($t: ID!) { subscribeToken(channel: "hall", token: $t) { createdAt } }`;
  expect(await outcomeOf(signalbox.ask(subscribe, { t: ada.id }))).toBe('FORBIDDEN');
  const explain = `query ($t: ID!) { explainPermission(token: $t, channel: "hall", action: SUBSCRIBE) { allowed rule } }`;
  expect(await signalbox.request(explain, { t: ada.id })).toEqual({
    explainPermission: { allowed: false, rule: 'GRANTS' },
  });
});

test('updateToken moves the expiry of a grant on live connections, later or sooner', async () => {
  await using fixture = await startWithGrants([grant('*', MINUTE_ONE)]);
  const { clock, signalbox, ada } = fixture;
  const { client, next } = await openInbox(signalbox, ada.credential);
  await updateToken(signalbox, ada.id, { grants: [grant('*', '2030-01-01T01:00:00.000Z')] });
  await clock.advance(60_000);
  expect(await outcomeOn(client, publishMutation('hall', 'still'))).toBe('done');
  await updateToken(signalbox, ada.id, { grants: [grant('*', MINUTE_TWO)] });
  await clock.advance(60_000);
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('FORBIDDEN');
  // The lapsed grant is granted again.
  await updateToken(signalbox, ada.id, { grants: [grant('hall')] });
  await subscribeToken(signalbox, 'hall', ada.id);
  expect(await outcomeOn(client, publishMutation('hall', 'again'))).toBe('done');
  expect(await next()).toMatchObject({ __typename: 'TokenUpdated' });
  expect(await next()).toMatchObject({ message: { event: 'still' } });
  expect(await next()).toMatchObject({ __typename: 'TokenUpdated' });
  const unavailable = [await next(), await next()].map(({ channel }) => channel.id).sort();
  expect(unavailable).toEqual(['hall', 'room']);
  expect(await next()).toMatchObject({ __typename: 'ChannelAvailable', channel: { id: 'hall' } });
  expect(await next()).toMatchObject({ __typename: 'TokenUpdated' });
  expect(await next()).toMatchObject({ message: { event: 'again' } });
});

test('a lapsed grant allows nothing, even when its timer is late', async () => {
  await using fixture = await startWithGrants([grant('hall', MINUTE_ONE), grant('room')]);
  const { clock, signalbox, ada, delay } = fixture;
  const [inbox, publisher] = [
    await openInbox(signalbox, ada.credential),
    await openInbox(signalbox, ada.credential),
  ];
  const subscribe = async (field: string, token = ada.credential) => {
    const client = signalbox.client({ token });
    const stream = queueResults(client, `subscription { ${field}(channel: "hall") { __typename } }`);
    await roundTrip(client);
    return stream;
  };
  /** Each on its own socket. */
  const streams = {
    presence: await subscribe('presence'),
    channelState: await subscribe('channelState'),
    messages: await subscribe('messages'),
  };
  await streams.channelState.next();
  await streams.presence.next();
  const ben = await mint(signalbox, { channels: ['hall'] });
  delay(60_000);
  await subscribe('messages', ben.credential);
  expect(await streams.presence.ended).toMatchObject(FORBIDDEN);
  expect(await publish(signalbox, 'hall', 'too-late')).toBe(1);
  await signalbox.request(`mutation { setChannelState(channel: "hall", state: 1) { version } }`);
  for (const stream of Object.values(streams)) {
    expect(await stream.ended).toMatchObject(FORBIDDEN);
    expect(stream.waiting).toEqual([]);
  }
  expect(await outcomeOn(publisher.client, publishMutation('hall'))).toBe('FORBIDDEN');
  await clock.advance(60_000);
  expect(await publish(signalbox, 'room', 'sentinel')).toBe(2);
  for (const { next } of [inbox, publisher]) {
    expect(await next()).toMatchObject({ __typename: 'ChannelUnavailable', channel: { id: 'hall' } });
    expect(await next()).toMatchObject({ message: { event: 'sentinel' } });
  }
});

test('a mute has no effect after until, even when its timer is late', async () => {
  await using fixture = await startWithGrants([grant('*')]);
  const { signalbox, ada, delay } = fixture;
  const { client } = await openInbox(signalbox, ada.credential);
  await moderate(signalbox, 'mute', { token: ada.id, until: MINUTE_ONE });
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('FORBIDDEN');
  delay(60_000);
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('done');
});

test('an expired token may do nothing and receives nothing, even when its timer is late', async () => {
  await using fixture = await startWithGrants([grant('*')]);
  const { signalbox, delay } = fixture;
  const eve = await mint(signalbox, { expiresIn: 60, channels: ['hall'] });
  const [publisher, listener, watcher] = [
    await openInbox(signalbox, eve.credential),
    await openInbox(signalbox, eve.credential),
    await openInbox(signalbox, eve.credential),
  ];
  const client = signalbox.client({ token: eve.credential });
  const direct = queueResults(client, `subscription { directMessages { event } }`);
  const { viewer } = await queueResults(client, `{ viewer { connection { id } } }`).next();
  delay(60_000);
  expect(await outcomeOn(publisher.client, publishMutation('hall'))).toBe(4403);
  const signal = `mutation ($c: ID!) { publishDirectMessage(connection: $c, event: "wave") { connections } }`;
  for (const c of [listener.connection, viewer.connection.id]) await signalbox.ask(signal, { c });
  await signalbox.request(`mutation { setChannelState(channel: "hall", state: 1) { version } }`);
  for (const { next, events } of [publisher, listener, watcher]) {
    expect(await next()).toMatchObject({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
    expect(await events.ended).toMatchObject({ code: 4403 });
  }
  expect(await direct.ended).toMatchObject({ code: 4403 });
  expect(direct.waiting).toEqual([]);
});

test('a grant and a ban that lapsed by a clock that was ahead are in force again once it is right', async () => {
  await using fixture = await startWithGrants([grant('hall', MINUTE_ONE), grant('room')]);
  const { clock, signalbox, ada } = fixture;
  await moderate(signalbox, 'ban', { channel: 'room', token: ada.id, until: MINUTE_TWO });
  const { client, next } = await openInbox(signalbox, ada.credential);
  clock.jump(3_600_000);
  await roundTrip(client);
  const nextChange = async () => {
    const { __typename, channel } = await next();
    return [__typename, channel?.id];
  };
  const changes = [await nextChange(), await nextChange()];
  expect(changes.sort()).toEqual([
    ['ChannelAvailable', 'room'],
    ['ChannelUnavailable', 'hall'],
  ]);

  clock.jump(-3_600_000);
  await clock.advance(1000);
  const restored = [await nextChange(), await nextChange()];
  expect(restored.sort()).toEqual([
    ['ChannelAvailable', 'hall'],
    ['ChannelUnavailable', 'room'],
  ]);
  await publish(signalbox, 'room', 'hidden');
  await publish(signalbox, 'hall', 'shown');
  expect(await next()).toMatchObject({ __typename: 'ChannelMessage', message: { event: 'shown' } });

  // And they lapse at their time.
  await clock.advance(120_000);
  expect([(await next()).__typename, (await next()).__typename]).toEqual([
    'ChannelUnavailable',
    'ChannelAvailable',
  ]);
});
