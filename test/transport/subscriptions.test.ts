import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { API_KEY, startService } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';

const CONNECTED = `subscription { events {
  __typename ... on Connected { token { id } channels { id } connection { token } } ... on DirectMessage { message { event } }
} }`;

test.each([
  ['an API key', { apiKey: API_KEY }],
  ['an anonymous caller', {}],
])('events of %s begins with Connected and has no channels', async (_, params) => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const events = queueResults(signalbox.client(params), CONNECTED);
  expect(await events.next()).toEqual({
    events: { __typename: 'Connected', token: null, channels: [], connection: { token: null } },
  });
});

test('delivers direct messages to a connection without a token by its id', async () => {
  await using signalbox = await startService();
  const client = signalbox.client({});
  const events = queueResults(
    client,
    `subscription { events { ... on Connected { connection { id } } ... on DirectMessage { message { event cursor } } } }`,
  );
  const { id } = (await events.next()).events.connection;
  const { publishDirectMessage } = await signalbox.request(
    `mutation ($c: ID!) { publishDirectMessage(connection: $c, event: "psst") { connections } }`,
    { c: id },
  );
  expect(publishDirectMessage.connections).toBe(1);
  expect(await events.next()).toEqual({ events: { message: { event: 'psst', cursor: null } } });
});

test('delivers only the events that a subscription names', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const client = signalbox.client({});
  const messages = queueResults(
    client,
    `subscription { messages(channel: "square", events: ["a", "c"]) { event } }`,
  );
  await roundTrip(client);
  for (const event of ['a', 'b', 'c']) await publish(signalbox, 'square', event);
  expect(await messages.next()).toEqual({ messages: { event: 'a' } });
  expect(await messages.next()).toEqual({ messages: { event: 'c' } });
});

test('viewer is the caller of the socket or of the Authorization header', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const query = `{ viewer { kind project token { id } connection { id } channels { nodes { id } } allowedActions(channel: "lobby") } }`;
  const overSocket = async (params: Record<string, unknown>) =>
    (await queueResults(signalbox.client(params), query).next()).viewer;
  expect(await overSocket({ token: ada.credential })).toEqual({
    kind: 'TOKEN',
    project: 'default',
    token: { id: ada.id },
    connection: { id: expect.stringMatching(/^conn_/) },
    channels: { nodes: [{ id: 'lobby' }] },
    allowedActions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'],
  });
  expect(await overSocket({ apiKey: API_KEY })).toMatchObject({
    kind: 'API_KEY',
    allowedActions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'],
  });
  expect(await overSocket({})).toMatchObject({ kind: 'ANONYMOUS', allowedActions: [] });
  expect((await signalbox.request(query, {}, ada.credential)).viewer).toMatchObject({
    kind: 'TOKEN',
    connection: null,
  });
  expect((await signalbox.request(query, {}, null)).viewer).toMatchObject({ kind: 'ANONYMOUS' });
});

test('delivers nothing after complete, and the operation id can be reused', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  await createChannel(signalbox, 'park', { type: 'UNPROTECTED' });
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init' });
  expect(await socket.next()).toMatchObject({ type: 'connection_ack', payload: { project: 'default' } });
  const subscribe = (id: string, channel: string) =>
    socket.send({
      id,
      type: 'subscribe',
      payload: { query: `subscription { messages(channel: "${channel}") { event } }` },
    });
  const ask = async () => {
    socket.send({ id: 'q', type: 'subscribe', payload: { query: '{ viewer { kind } }' } });
    expect(await socket.next()).toMatchObject({ id: 'q', type: 'next' });
    expect(await socket.next()).toEqual({ id: 'q', type: 'complete' });
  };
  subscribe('1', 'square');
  subscribe('2', 'park');
  await ask();
  socket.send({ id: '1', type: 'complete' });
  await ask();
  expect(await publish(signalbox, 'square', 'undelivered')).toBe(0);
  expect(await publish(signalbox, 'park', 'delivered')).toBe(1);
  expect(await socket.next()).toEqual({
    id: '2',
    type: 'next',
    payload: { data: { messages: { event: 'delivered' } } },
  });
  subscribe('1', 'square');
  await ask();
  expect(await publish(signalbox, 'square', 'again')).toBe(1);
  expect(await socket.next()).toMatchObject({ id: '1', payload: { data: { messages: { event: 'again' } } } });
});

test('answers an invalid document with an error message and its code', async () => {
  await using signalbox = await startService();
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init' });
  await socket.next();
  for (const [query, code] of [
    ['subscription { nonsense }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription {', 'GRAPHQL_PARSE_FAILED'],
  ]) {
    socket.send({ id: '1', type: 'subscribe', payload: { query } });
    expect(await socket.next()).toMatchObject({
      id: '1',
      type: 'error',
      payload: [{ extensions: { code } }],
    });
  }
});

test('serves /health, /ready and /metrics', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const client = signalbox.client({});
  const messages = queueResults(client, `subscription { messages(channel: "square") { event } }`);
  await roundTrip(client);
  await publish(signalbox, 'square', 'one');
  await messages.next();
  await signalbox.ask(`{ project { id } }`, {}, null);
  const text = async (path: string) => (await fetch(signalbox.url + path)).text();
  expect(await text('/health')).toBe('ok');
  expect(await text('/ready')).toBe('ready');
  const metrics = await text('/metrics');
  for (const line of [
    'signalbox_connections{transport="websocket"} 1',
    'signalbox_publishes_total 1',
    'signalbox_deliveries_total 1',
    'signalbox_replayed_total 0',
    'signalbox_slow_consumers_total 0',
    'signalbox_refusals_total{code="UNAUTHENTICATED"} 1',
  ]) {
    expect(metrics).toContain(line);
  }
  expect(metrics).toMatch(/nodejs_eventloop_lag_seconds [\d.e-]+/);
});
