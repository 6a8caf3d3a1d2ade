import { expect, test } from 'vitest';
import { type PresenceChange } from '../../src/broker/signal.ts';
import { createChannel, isOnline, mint, type MintedToken } from '../support/backend.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { startService, startServiceOnPostgres, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';

const SET_PRESENCE = 'mutation { setPresence(state: "here") { state } }';
const EVENTS = 'subscription { events { __typename } }';
const PRESENCE = 'subscription ($channel: ID!) { presence(channel: $channel) { change channel } }';

const idsOf = (count: number) => Array.from({ length: count }, (_, nth) => `room:${nth}`);

/** A token that is subscribed to all the channels. */
async function subscribeToAll(signalbox: TestService, channels: readonly string[]): Promise<MintedToken> {
  await Promise.all(channels.map((channel) => createChannel(signalbox, channel)));
  const token = await mint(signalbox);
  const { subscribeTokens } = await signalbox.request(
    'mutation ($channels: [ID!]!, $token: ID!) { subscribeTokens(channels: $channels, tokens: [$token]) { error { code } } }',
    { channels, token: token.id },
  );
  expect(subscribeTokens.filter(({ error }: any) => error)).toEqual([]);
  return token;
}

/** A connection of the token that has set a presence state before it hears any channel. */
async function connectWithState(signalbox: TestService, { credential }: MintedToken): Promise<RawSocket> {
  const socket = await connectSocket(signalbox, { token: credential });
  socket.send({ id: 'set', type: 'subscribe', payload: { query: SET_PRESENCE } });
  expect(await socket.next()).toMatchObject({ payload: { data: { setPresence: { state: 'here' } } } });
  expect(await socket.next()).toMatchObject({ type: 'complete' });
  return socket;
}

/** Follows the presence of channels with the API key, under the channel as the id of the operation. */
async function watch(signalbox: TestService, channels: readonly string[]): Promise<RawSocket> {
  const observer = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  for (const channel of channels)
    observer.send({
      id: channel,
      type: 'subscribe',
      payload: { query: PRESENCE, variables: { channel } },
    });
  observer.send({ id: 'live', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
  while ((await observer.next()).type !== 'complete');
  return observer;
}

test('a connection with a state joins many channels in turns: others are served in between', async () => {
  const channels = idsOf(1000);
  await using signalbox = await startService();
  const token = await subscribeToAll(signalbox, channels);
  const announced: PresenceChange[] = [];
  using _ = signalbox.service.domain.broker.listen({
    applySignal(signal) {
      if (signal.kind === 'PRESENCE_CHANGED') announced.push(signal.change);
      return 0;
    },
  });
  using observer = await watch(signalbox, ['room:0', 'room:999']);
  using member = await connectWithState(signalbox, token);
  member.send({ id: 'events', type: 'subscribe', payload: { query: EVENTS } });
  const received: string[] = [];
  while (!received.includes('room:999')) {
    const { id, type } = await observer.next();
    received.push(id ?? type);
    if (id === 'room:0') observer.send({ type: 'ping' });
  }
  expect(received).toEqual(['room:0', 'pong', 'room:999']);
  // An announcement goes to all nodes: with the names of all channels in each, a thousand would be millions of names.
  expect(announced).toHaveLength(1000);
  for (const { member: shown } of announced) {
    expect(shown.state).toBe('here');
    expect(shown).not.toHaveProperty('stateChannels');
  }
});

test('a connection that closes while it joins channels with a state does not stay online', async (context) => {
  requirePostgres(context);
  const channels = idsOf(300);
  await using signalbox = await startServiceOnPostgres(await (await sharedPostgres()).createDatabase());
  const token = await subscribeToAll(signalbox, channels);
  using observer = await watch(signalbox, ['room:299']);
  using member = await connectWithState(signalbox, token);
  member.send({ id: 'events', type: 'subscribe', payload: { query: EVENTS } });
  expect(await member.next()).toMatchObject({ payload: { data: { events: { __typename: 'Connected' } } } });
  // Its channels are looked up in the database one after another now.
  member.ws.terminate();
  for (const change of ['JOINED', 'LEFT'])
    expect(await observer.next()).toMatchObject({ payload: { data: { presence: { change } } } });
  expect(await isOnline(signalbox, token.id)).toBe(false);
});
