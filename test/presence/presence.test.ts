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

const CONNECTED = `subscription { events { __typename ... on Connected { connection { id } } } }`;
const CHANGES = `subscription ($channel: ID!) { presence(channel: $channel) {
  change leaveReason channel member { id token identity connectionData state }
} }`;

/** Watches a channel with the API key; live when this resolves. */
async function watch(signalbox: TestService, channel: string) {
  const backend = signalbox.client();
  const changes = queueResults(backend, CHANGES, { channel });
  await roundTrip(backend);
  return { next: async () => (await changes.next()).presence };
}

async function presenceOf({ request }: TestService, channel: string, bearer?: string) {
  const query = `query ($c: ID!) { channel(id: $c) { presence { count members { nodes { identity connectionData state } } } } }`;
  return (await request(query, { c: channel }, bearer)).channel.presence;
}

test('a token is online from its acknowledgement until its last connection is gone', async () => {
  await using signalbox = await startService();
  const ada = await mint(signalbox);
  expect(await isOnline(signalbox, ada.id)).toBe(false);
  await createChannel(signalbox, 'lobby');
  await subscribeToken(signalbox, 'lobby', ada.id);
  const changes = await watch(signalbox, 'lobby');

  const phone = signalbox.client({ token: ada.credential });
  const laptop = signalbox.client({ token: ada.credential });
  await queueResults(phone, CONNECTED).next();
  await queueResults(laptop, CONNECTED).next();
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

test('a connection without a subscription is online too', async () => {
  await using signalbox = await startService();
  const ada = await mint(signalbox);
  const client = signalbox.client({ token: ada.credential }, { lazy: false });
  await new Promise<void>((resolve) => client.on('connected', () => resolve()));
  expect(await isOnline(signalbox, ada.id)).toBe(true);
});

test('a channel shows who hears it, with what they choose to show', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'PUBLIC' });
  const ada = await mint(signalbox, { identity: 'ada', connectionData: 'Ada, London', state: { secret: 1 } });
  const changes = await watch(signalbox, 'lobby');
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

test('a connection that hears a channel twice is one member, until it hears it no more', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'PUBLIC' });
  const ada = await mint(signalbox, { identity: 'ada', channels: ['lobby'] });
  const changes = await watch(signalbox, 'lobby');
  const client = signalbox.client({ token: ada.credential }, { lazy: false });
  const inbox = queueResults(client, CONNECTED);
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

test('anonymous listeners are counted without a name, API keys are not counted', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const changes = await watch(signalbox, 'square');
  const listen = async (params: Record<string, unknown>) => {
    const client = signalbox.client(params, { lazy: false });
    queueResults(client, `subscription { messages(channel: "square") { id } }`);
    return (await queueResults(client, `{ viewer { connection { id } } }`).next()).viewer.connection.id;
  };
  await listen({ apiKey: signalbox.apiKey });
  const anonymous = await listen({});
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
])('a token that is %s is seen to leave, with the reason %s', async (_, leaveReason, act) => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const changes = await watch(signalbox, 'lobby');
  await queueResults(signalbox.client({ token: ada.credential }), CONNECTED).next();
  expect(await changes.next()).toMatchObject({ change: 'JOINED' });
  await act(signalbox, ada.id);
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason, member: { token: ada.id } });
});

test('a token that expires is seen to leave at that moment', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'], expiresIn: 60 });
  const changes = await watch(signalbox, 'lobby');
  await queueResults(signalbox.client({ token: ada.credential }), CONNECTED).next();
  await clock.advance(59_999);
  expect(await isOnline(signalbox, ada.id)).toBe(true);
  await clock.advance(1);
  expect(await changes.next()).toMatchObject({ change: 'JOINED' });
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'EXPIRED' });
  expect(await isOnline(signalbox, ada.id)).toBe(false);
});

test('an inbox yields presence only where it is asked for', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const ben = await mint(signalbox, { identity: 'ben', channels: ['lobby'] });
  const query = (args: string) => `subscription { events${args} {
    __typename
    ... on PresenceChanged { presence { change member { identity } } }
    ... on ChannelMessage { message { event } }
  } }`;
  const asking = queueResults(signalbox.client({ token: ada.credential }), query('(presence: true)'));
  const silent = queueResults(signalbox.client({ token: ada.credential }), query(''));
  await asking.next();
  await silent.next();
  await queueResults(signalbox.client({ token: ben.credential }), CONNECTED).next();
  const seen = await asking.until(({ events }) => events.presence?.member.identity === 'ben');
  expect(seen.events).toEqual({
    __typename: 'PresenceChanged',
    presence: { change: 'JOINED', member: { identity: 'ben' } },
  });
  await publish(signalbox, 'lobby', 'sentinel');
  expect(await silent.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });
});

test('who may not see who is there is refused, by query and by subscription', async () => {
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
    const refused = queueResults(signalbox.client({ token: credential }), CHANGES, { channel: 'lobby' });
    expect(await refused.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
});
