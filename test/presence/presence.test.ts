import { expect, test } from 'vitest';
import {
  createChannel,
  isOnline,
  mint,
  publish,
  revokeToken,
  roundTrip,
  subscribeToken,
  updateToken,
} from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const EVENTS = `subscription { events { __typename ... on Connected { connection { id } } } }`;
const PRESENCE = `subscription ($channel: ID!) { presence(channel: $channel) {
  change leaveReason channel member { id token identity connectionData state }
} }`;

/** Subscribes to the presence of a channel with the API key. Live once it resolves. */
async function watchPresence(signalbox: TestService, channel: string) {
  const backend = signalbox.client();
  const changes = queueResults(backend, PRESENCE, { channel });
  await roundTrip(backend);
  return { next: async () => (await changes.next()).presence };
}

async function presenceOf({ request }: TestService, channel: string, bearer?: string) {
  const query = `query ($c: ID!) { channel(id: $c) { presence { count members { nodes { identity connectionData state } } } } }`;
  return (await request(query, { c: channel }, bearer)).channel.presence;
}

test('a token is online from connection_ack until its last connection closes', async () => {
  await using signalbox = await startService();
  const ada = await mint(signalbox);
  expect(await isOnline(signalbox, ada.id)).toBe(false);
  await createChannel(signalbox, 'lobby');
  await subscribeToken(signalbox, 'lobby', ada.id);
  const changes = await watchPresence(signalbox, 'lobby');

  const phone = signalbox.client({ token: ada.credential });
  const laptop = signalbox.client({ token: ada.credential });
  await queueResults(phone, EVENTS).next();
  await queueResults(laptop, EVENTS).next();
  expect(await isOnline(signalbox, ada.id)).toBe(true);
  const { token } = await signalbox.request(
    `query ($t: ID!) { token(id: $t) { isOnline connections { token transport } } }`,
    { t: ada.id },
  );
  expect(token.connections).toEqual([
    { token: ada.id, transport: 'WEBSOCKET' },
    { token: ada.id, transport: 'WEBSOCKET' },
  ]);
  for (const change of ['JOINED', 'JOINED']) expect(await changes.next()).toMatchObject({ change });

  await phone.dispose();
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'LEFT' });
  expect(await isOnline(signalbox, ada.id)).toBe(true);
  await laptop.dispose();
  expect(await changes.next()).toMatchObject({ change: 'LEFT' });
  expect(await isOnline(signalbox, ada.id)).toBe(false);
});

test('a connection without a subscription is online', async () => {
  await using signalbox = await startService();
  const ada = await mint(signalbox);
  const client = signalbox.client({ token: ada.credential }, { lazy: false });
  await new Promise<void>((resolve) => client.on('connected', () => resolve()));
  expect(await isOnline(signalbox, ada.id)).toBe(true);
});

test('the presence of a channel holds the identity, connectionData and state of each subscriber', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'PUBLIC' });
  const ada = await mint(signalbox, { identity: 'ada', connectionData: 'Ada, London', state: { secret: 1 } });
  const changes = await watchPresence(signalbox, 'lobby');
  const client = signalbox.client({ token: ada.credential });
  queueResults(client, `subscription { messages(channel: "lobby") { id } }`);
  const member = {
    id: expect.stringMatching(/^conn_/),
    token: ada.id,
    identity: 'ada',
    connectionData: 'Ada, London',
  };
  expect(await changes.next()).toEqual({
    change: 'JOINED',
    leaveReason: null,
    channel: 'lobby',
    member: { ...member, state: null },
  });

  await queueResults(client, `mutation { setPresence(state: { mood: "fine" }) { id } }`).next();
  const shown = { identity: 'ada', connectionData: 'Ada, London', state: { mood: 'fine' } };
  expect(await changes.next()).toMatchObject({ change: 'UPDATED', member: shown });
  expect(await presenceOf(signalbox, 'lobby')).toEqual({ count: 1, members: { nodes: [shown] } });

  await updateToken(signalbox, ada.id, { connectionData: 'Ada, Paris' });
  expect(await changes.next()).toMatchObject({
    change: 'UPDATED',
    member: { ...shown, connectionData: 'Ada, Paris' },
  });
});

test('a connection with two subscriptions to a channel is one member, until the last subscription ends', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'PUBLIC' });
  const ada = await mint(signalbox, { identity: 'ada', channels: ['lobby'] });
  const changes = await watchPresence(signalbox, 'lobby');
  const client = signalbox.client({ token: ada.credential }, { lazy: false });
  const inbox = queueResults(client, EVENTS);
  await inbox.next();
  const messages = queueResults(client, `subscription { messages(channel: "lobby") { id } }`);
  await roundTrip(client);
  expect(await presenceOf(signalbox, 'lobby')).toMatchObject({ count: 1 });
  messages.stop();
  await roundTrip(client);
  expect(await presenceOf(signalbox, 'lobby')).toMatchObject({ count: 1 });
  inbox.stop();
  expect(await changes.next()).toMatchObject({ change: 'JOINED' });
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'LEFT' });
  expect(await presenceOf(signalbox, 'lobby')).toMatchObject({ count: 0 });
  expect(await isOnline(signalbox, ada.id)).toBe(true);
});

test('anonymous subscribers are members without token and identity; API keys are not members', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const changes = await watchPresence(signalbox, 'square');
  const subscribe = async (params: Record<string, unknown>) => {
    const client = signalbox.client(params, { lazy: false });
    queueResults(client, `subscription { messages(channel: "square") { id } }`);
    return (await queueResults(client, `{ viewer { connection { id } } }`).next()).viewer.connection.id;
  };
  await subscribe({ apiKey: signalbox.apiKey });
  const anonymous = await subscribe({});
  const { channel } = await signalbox.request(
    `{ channel(id: "square") { presence { count members { nodes { id token identity } } } } }`,
  );
  const members = { nodes: [{ id: anonymous, token: null, identity: null }] };
  expect(channel.presence).toEqual({ count: 1, members });
  expect(await changes.next()).toMatchObject({ change: 'JOINED', member: { id: anonymous } });
});

test.each([
  ['revoked', 'REVOKED', (signalbox: TestService, id: string) => revokeToken(signalbox, id)],
  [
    'unsubscribed',
    'LEFT',
    (signalbox: TestService, id: string) =>
      signalbox.request(
        `mutation ($t: ID!) { unsubscribeToken(channel: "lobby", token: $t) { createdAt } }`,
        {
          t: id,
        },
      ),
  ],
  [
    'no longer allowed',
    'NOT_ALLOWED',
    (signalbox: TestService, id: string) => updateToken(signalbox, id, { role: 'GUEST' }),
  ],
])('announces LEFT when a token is %s, with the reason %s', async (_, leaveReason, act) => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const changes = await watchPresence(signalbox, 'lobby');
  await queueResults(signalbox.client({ token: ada.credential }), EVENTS).next();
  expect(await changes.next()).toMatchObject({ change: 'JOINED' });
  await act(signalbox, ada.id);
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason, member: { token: ada.id } });
});

test('announces LEFT with EXPIRED at the moment when a token expires', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'], expiresIn: 60 });
  const changes = await watchPresence(signalbox, 'lobby');
  await queueResults(signalbox.client({ token: ada.credential }), EVENTS).next();
  await clock.advance(59_999);
  expect(await isOnline(signalbox, ada.id)).toBe(true);
  await clock.advance(1);
  expect(await changes.next()).toMatchObject({ change: 'JOINED' });
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'EXPIRED' });
  expect(await isOnline(signalbox, ada.id)).toBe(false);
});

test('events yields PresenceChanged only with presence: true', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const ben = await mint(signalbox, { identity: 'ben', channels: ['lobby'] });
  const query = (args: string) => `subscription { events${args} {
    __typename
    ... on PresenceChanged { presence { change member { identity } } }
    ... on ChannelMessage { message { event } }
  } }`;
  const withPresence = queueResults(signalbox.client({ token: ada.credential }), query('(presence: true)'));
  const withoutPresence = queueResults(signalbox.client({ token: ada.credential }), query(''));
  await withPresence.next();
  await withoutPresence.next();
  await queueResults(signalbox.client({ token: ben.credential }), EVENTS).next();
  const benJoined = await withPresence.until(({ events }) => events.presence?.member.identity === 'ben');
  expect(benJoined.events).toEqual({
    __typename: 'PresenceChanged',
    presence: { change: 'JOINED', member: { identity: 'ben' } },
  });
  await publish(signalbox, 'lobby', 'sentinel');
  expect(await withoutPresence.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });
});

test('presence is refused by query and by subscription when the caller lacks the PRESENCE action', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const stranger = await mint(signalbox);
  const narrowed = await mint(signalbox, {
    channels: ['lobby'],
    grants: [{ channels: 'lobby', actions: ['SUBSCRIBE'] }],
  });
  const { errors } = await signalbox.ask(`{ channel(id: "square") { presence { count } } }`, {}, null);
  expect(errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  for (const { credential } of [stranger, narrowed]) {
    const refused = queueResults(signalbox.client({ token: credential }), PRESENCE, { channel: 'lobby' });
    expect(await refused.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
});
