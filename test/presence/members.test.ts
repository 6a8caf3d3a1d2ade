import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip, subscribeToken, updateToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { sseClient } from '../support/sse.ts';

const MESSAGES = `subscription { messages(channel: "square") { event } }`;
const SET_PRESENCE = `mutation ($state: JSON) { setPresence(state: $state) { state } }`;
const EVENTS = `subscription { events { __typename } }`;

/** Subscribes to the presence of a channel with the API key. Live once it resolves. */
async function watchPresence(signalbox: TestService, channel = 'square') {
  const backend = signalbox.client();
  const changes = queueResults(
    backend,
    `subscription ($channel: ID!) { presence(channel: $channel) { change leaveReason member { id token state transport } } }`,
    { channel },
  );
  await roundTrip(backend);
  return { next: async () => (await changes.next()).presence };
}

test('lists the members of a channel in pages, sorted by connection id', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const changes = await watchPresence(signalbox);
  const joined: string[] = [];
  for (let count = 0; count < 12; count++) {
    queueResults(signalbox.client({}), MESSAGES);
    joined.push((await changes.next()).member.id);
  }
  const found: string[][] = [];
  for (let after: string | null = null; found.length < 3;) {
    const { channel }: any = await signalbox.request(
      `query ($after: String) { channel(id: "square") { presence {
        count members(first: 5, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
      } } }`,
      { after },
    );
    const { count, members } = channel.presence;
    expect([count, members.pageInfo.hasNextPage]).toEqual([12, found.length < 2]);
    found.push(members.nodes.map(({ id }: any) => id));
    after = members.pageInfo.endCursor;
  }
  expect(found.map((page) => page.length)).toEqual([5, 5, 2]);
  expect(found.flat()).toEqual(joined.toSorted());
});

test('the presence state of a connection is in JOINED, UPDATED and LEFT, and in the connections of its token', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox);
  const changes = await watchPresence(signalbox);
  const client = signalbox.client({ token: credential }, { lazy: false });
  expect(await queueResults(client, SET_PRESENCE, { state: { typing: false } }).next()).toEqual({
    setPresence: { state: { typing: false } },
  });
  const messages = queueResults(client, MESSAGES);
  expect(await changes.next()).toMatchObject({ change: 'JOINED', member: { state: { typing: false } } });
  await queueResults(client, SET_PRESENCE, { state: null }).next();
  expect(await changes.next()).toMatchObject({
    change: 'UPDATED',
    leaveReason: null,
    member: { state: null },
  });
  await queueResults(client, SET_PRESENCE, { state: 'away' }).next();
  expect(await changes.next()).toMatchObject({ change: 'UPDATED', member: { state: 'away' } });
  const query = `query ($id: ID!) { token(id: $id) { connections { state } } }`;
  expect((await signalbox.request(query, { id })).token.connections).toEqual([{ state: 'away' }]);
  messages.stop();
  expect(await changes.next()).toMatchObject({
    change: 'LEFT',
    leaveReason: 'LEFT',
    member: { state: 'away' },
  });
  await queueResults(client, SET_PRESENCE, { state: 'offline' }).next();
  queueResults(client, MESSAGES);
  expect(await changes.next()).toMatchObject({ change: 'JOINED', member: { state: 'offline' } });
});

test('setPresence throws PAYLOAD_TOO_LARGE above maxPresenceBytes, and BAD_USER_INPUT over plain HTTP', async () => {
  await using signalbox = await startService({ maxPresenceBytes: 64 });
  const { credential } = await mint(signalbox);
  const answer = queueResults(signalbox.client({ token: credential }), SET_PRESENCE, {
    state: 'x'.repeat(63),
  });
  expect(await answer.ended).toMatchObject([
    { extensions: { code: 'PAYLOAD_TOO_LARGE', limit: 64, field: 'state' } },
  ]);
  const { errors } = await signalbox.ask(SET_PRESENCE, { state: 1 }, credential);
  // No argument is invalid, so the error has no `field`.
  expect(errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', retryable: false });
});

test('announces LEFT with CONNECTION_LOST when the socket breaks, and with LEFT when the client closes it', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const changes = await watchPresence(signalbox);
  const subscribe = { id: '1', type: 'subscribe', payload: { query: MESSAGES } };
  const broken = await connectSocket(signalbox);
  broken.send(subscribe);
  expect(await changes.next()).toMatchObject({ change: 'JOINED', member: { transport: 'WEBSOCKET' } });
  broken.ws.terminate();
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'CONNECTION_LOST' });

  using closing = await connectSocket(signalbox);
  closing.send(subscribe);
  expect(await changes.next()).toMatchObject({ change: 'JOINED' });
  closing.ws.close(1000);
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'LEFT' });
});

test('announces LEFT with NOT_ALLOWED when a subscriber of messages loses the right to subscribe', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const ada = await mint(signalbox);
  const changes = await watchPresence(signalbox);
  for (const client of [signalbox.client({ token: ada.credential }), sseClient(signalbox, ada.credential)]) {
    await updateToken(signalbox, ada.id, { grants: null });
    const messages = queueResults(client, MESSAGES);
    expect(await changes.next()).toMatchObject({ change: 'JOINED', member: { token: ada.id } });
    await updateToken(signalbox, ada.id, { grants: [] });
    expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'NOT_ALLOWED' });
    expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
  await updateToken(signalbox, ada.id, { grants: null });
  const messages = queueResults(signalbox.client({ token: ada.credential }), MESSAGES);
  expect(await changes.next()).toMatchObject({ change: 'JOINED' });
  await signalbox.request(`mutation { updateChannel(id: "square", input: { type: PRIVATE }) { id } }`);
  expect(await changes.next()).toMatchObject({ change: 'LEFT', leaveReason: 'NOT_ALLOWED' });
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('events(presence: true) yields PresenceChanged only for channels in which the token has the PRESENCE action', async () => {
  await using signalbox = await startService();
  for (const id of ['square', 'park']) await createChannel(signalbox, id, { type: 'UNPROTECTED' });
  const ada = await mint(signalbox, {
    channels: ['square'],
    grants: [
      { channels: '*', actions: ['SUBSCRIBE'] },
      { channels: 'park', actions: ['PRESENCE'] },
    ],
  });
  const events = queueResults(
    signalbox.client({ token: ada.credential }),
    `subscription { events(presence: true) {
      __typename
      ... on PresenceChanged { presence { change channel member { token } } }
      ... on ChannelMessage { message { event } }
    } }`,
  );
  await events.next();
  const subscribeAnonymously = async (channel: string) => {
    const client = signalbox.client({});
    queueResults(client, `subscription ($c: ID!) { messages(channel: $c) { id } }`, { c: channel });
    await roundTrip(client);
  };
  const anonymousJoined = (channel: string) => ({
    events: {
      __typename: 'PresenceChanged',
      presence: { change: 'JOINED', channel, member: { token: null } },
    },
  });
  await subscribeAnonymously('square');
  await publish(signalbox, 'square', 'sentinel');
  expect(await events.next()).toEqual({
    events: { __typename: 'ChannelMessage', message: { event: 'sentinel' } },
  });

  await subscribeToken(signalbox, 'park', ada.id);
  await subscribeAnonymously('park');
  expect((await events.next()).events.__typename).toBe('ChannelAvailable');
  const own = await events.next();
  expect(own.events.presence).toEqual({ change: 'JOINED', channel: 'park', member: { token: ada.id } });
  expect(await events.next()).toEqual(anonymousJoined('park'));

  await updateToken(signalbox, ada.id, { grants: null });
  expect((await events.next()).events.__typename).toBe('TokenUpdated');
  await subscribeAnonymously('square');
  expect(await events.next()).toEqual(anonymousJoined('square'));
});

test('a token sees its own connections; isOnline of another token is FORBIDDEN', async () => {
  await using signalbox = await startService();
  const [ada, bob] = [await mint(signalbox), await mint(signalbox)];
  await queueResults(signalbox.client({ token: ada.credential }), EVENTS).next();
  const own = `{ viewer { token { isOnline connections { transport connectedAt } } } }`;
  expect((await signalbox.request(own, {}, ada.credential)).viewer.token).toEqual({
    isOnline: true,
    connections: [{ transport: 'WEBSOCKET', connectedAt: expect.stringMatching(/^\d{4}-.*Z$/) }],
  });
  const ask = (bearer: string | null) =>
    signalbox.ask(`query ($t: ID!) { isOnline(token: $t) }`, { t: ada.id }, bearer);
  expect((await ask(ada.credential)).data).toEqual({ isOnline: true });
  expect((await ask(bob.credential)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect((await ask(null)).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
});
