import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { NOT_A_CURSOR } from '../../src/messages/cursor.ts';
import { createChannel, isOnline, mint, publish, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createProxy } from '../support/proxy.ts';
import { queueResults } from '../support/result-queue.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket, openSocket } from '../support/socket.ts';

const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { cursor resumed }
  ... on ChannelMessage { message { event } }
  ... on DirectMessage { message { event } }
} }`;
const VIEWER = '{ viewer { kind token { identity } } }';

/** Sends a `connection_init` and resolves to the acknowledgement, or to the close. */
async function init(service: TestService, payload: unknown) {
  using socket = await openSocket(service);
  socket.send({ type: 'connection_init', payload });
  const acknowledged = socket.next().catch(() => undefined);
  return (await acknowledged) ?? (await socket.closed);
}

test.each([
  { name: 'token', of: (credential: string) => ({ token: credential }) },
  { name: 'credential', of: (credential: string) => ({ credential }) },
  { name: 'Authorization', of: (credential: string) => ({ Authorization: `Bearer ${credential}` }) },
  { name: 'authorization', of: (credential: string) => ({ authorization: `bearer ${credential}` }) },
  {
    name: 'token beside an empty project and since',
    of: (credential: string) => ({ token: credential, project: null, since: '' }),
  },
])('a credential opens a connection as $name', async ({ of }) => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox, { identity: 'ada' });
  const viewer = queueResults(signalbox.client(of(credential)), VIEWER);
  expect((await viewer.next()).viewer).toEqual({ kind: 'TOKEN', token: { identity: 'ada' } });
});

test('an API key opens a connection as apiKey and as Authorization', async () => {
  await using signalbox = await startService();
  for (const params of [{ apiKey: API_KEY }, { Authorization: `Bearer ${API_KEY}` }]) {
    const viewer = queueResults(signalbox.client(params), VIEWER);
    expect((await viewer.next()).viewer.kind).toBe('API_KEY');
  }
});

test.each([
  ['authToken', { authToken: 'x' }, /“authToken”/],
  ['headers', { headers: { Authorization: 'Bearer x' } }, /“headers”/],
  ['Token', { Token: 'x' }, /“Token”/],
  ['__proto__', JSON.parse('{"__proto__":{"token":"x"}}'), /“__proto__”/],
  ['a misspelled key beside a credential', { token: 'x', sinse: '1' }, /“sinse”/],
  ['an empty token', { token: '' }, /“token” is empty/],
  ['a token that is null', { token: null }, /“token” is empty/],
  ['an API key that is null', { apiKey: null }, /“apiKey” is empty/],
  ['an empty Authorization', { Authorization: '' }, /“Authorization” is empty/],
  ['an Authorization without a credential', { Authorization: 'Bearer ' }, /Bearer <API key or credential>/],
  ['an Authorization of another scheme', { Authorization: 'Basic eDp5' }, /Bearer <API key or credential>/],
  ['a token with the scheme of a header', { token: 'Bearer a.b.c' }, /leave out “Bearer” in “token”/],
  ['an API key with the scheme of a header', { apiKey: `bearer ${API_KEY}` }, /“Bearer” in “apiKey”/],
  ['a credential as API key', { apiKey: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln' }, /send it as “token”/],
  ['an API key as token', { token: API_KEY }, /send it as “apiKey”/],
  ['a key that leaves no room', { ['a'.repeat(24)]: 'x' }, /project; since\.$/],
  ['two credentials', { token: 'x', credential: 'x' }, /“token” and “credential”/],
  ['a credential and an API key', { credential: 'x', apiKey: 'x' }, /“credential” and “apiKey”/],
])('closes with 4401 and a reason, and never connects anonymously, after %s', async (_, payload, reason) => {
  await using signalbox = await startService();
  const refused = { code: 4401, reason: expect.stringMatching(reason) as string };
  expect(await init(signalbox, payload)).toEqual(refused);
});

test('never opens an anonymous connection for a credential in a header of the upgrade', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox, { identity: 'ada' });
  const open = async (headers: Record<string, string>, payload: object = {}) => {
    using socket = await openSocket(signalbox, { headers });
    socket.send({ type: 'connection_init', payload });
    return (await socket.next().catch(() => undefined)) ?? (await socket.closed);
  };
  for (const [name, value] of [
    ['Authorization', `Bearer ${credential}`],
    ['authorization', `bearer ${API_KEY}`],
    ['Authorization', 'Bearer of another service'],
    ['X-API-Key', API_KEY],
    ['x-access-token', credential],
  ] as const)
    expect(await open({ [name]: value })).toEqual({
      code: 4401,
      reason: `The credentials are malformed: the header “${name.toLowerCase()}” is not read; send it in connection_init.`,
    });
  // Proxies and browsers add these by themselves.
  for (const headers of [{ Authorization: 'Basic eDp5' }, { 'x-api-key': 'key of a gateway' }])
    expect(await open(headers)).toMatchObject({ type: 'connection_ack' });
  expect(await open({ Authorization: 'Bearer x' }, { token: credential })).toMatchObject({
    type: 'connection_ack',
  });
});

test('answers a request with a credential in another header with UNAUTHENTICATED, never as anonymous', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${signalbox.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: '{ viewer { kind } }' }),
    });
    const { data, errors } = await response.json();
    return data?.viewer.kind ?? errors[0].message;
  };
  for (const [name, value] of [
    ['x-api-key', API_KEY],
    ['apikey', API_KEY],
    ['token', credential],
    ['x-auth-token', credential],
  ] as const)
    expect(await ask({ [name]: value })).toContain(`the header “${name}” is not read; send “Authorization`);
  expect(await ask({ 'x-api-key': API_KEY, authorization: `Bearer ${API_KEY}` })).toBe('API_KEY');
  expect(await ask({ 'x-api-key': 'of a gateway', token: 'a.b.c' })).toBe('ANONYMOUS');
});

test.each([
  ['undefined', 'the variable of the credential holds no string'],
  ['null', 'the variable of the credential holds no string'],
  ['[object Promise]', 'the variable of the credential holds no string'],
  ['"eyJhbGciOiJIUzI1NiJ9.e30.c2ln"', 'it is in quotation marks'],
])('names the mistake of the page when the token is %s', async (token, mistake) => {
  await using signalbox = await startService();
  expect(await init(signalbox, { token })).toEqual({
    code: 4401,
    reason: expect.stringContaining(mistake) as string,
  });
});

test('does not repeat an unknown key that may be a secret', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  for (const secret of [credential, API_KEY, 'a'.repeat(40)]) {
    const { code, reason } = await init(signalbox, { [secret]: '' });
    expect(code).toBe(4401);
    expect(reason).toMatch(/^connection_init has a key that is not known/);
  }
});

test.each([
  ['', 401],
  ['Bearer', 401],
  ['Bearer ', 401],
  ['Basic eDp5', 401],
])('answers a request with the Authorization header “%s” with 401, never as anonymous', async (header) => {
  await using signalbox = await startService();
  const response = await fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: header },
    body: JSON.stringify({ query: VIEWER }),
  });
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
});

test('connection_ack carries the connection, project, ping interval, largest message, expiry and head of the log', async () => {
  await using signalbox = await startService(
    { pingIntervalMs: 7000, maxMessageBytes: 2048 },
    { clock: createManualClock() },
  );
  const { credential } = await mint(signalbox, { expiresIn: 60 });
  const expected = {
    connection: expect.stringMatching(/^conn_/) as string,
    project: 'default',
    pingIntervalMs: 7000,
    maxMessageBytes: 2048,
    cursor: expect.stringMatching(/^1/) as string,
  };
  expect((await init(signalbox, { token: credential })).payload).toEqual({
    ...expected,
    expiresAt: '2030-01-01T00:01:00.000Z',
  });
  expect((await init(signalbox, { project: 'default' })).payload).toEqual({ ...expected, expiresAt: null });
});

test('a subscription since the cursor of connection_ack misses nothing', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  using socket = await openSocket(signalbox);
  await sendDirect(signalbox, id, 'before');
  socket.send({ type: 'connection_init', payload: { token: credential } });
  const { cursor } = (await socket.next()).payload;
  await sendDirect(signalbox, id, 'after');
  const variables = { since: cursor };
  socket.send({ id: '1', type: 'subscribe', payload: { query: EVENTS, variables } });
  expect((await socket.next()).payload.data.events).toEqual({
    __typename: 'Connected',
    cursor,
    resumed: true,
  });
  expect((await socket.next()).payload.data.events.message).toEqual({ event: 'after' });
});

test('since of connection_init is the default of events and of directMessages, and not of messages', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'UNPROTECTED' });
  const { id, credential } = await mint(signalbox);
  const { since } = { since: (await init(signalbox, { token: credential })).payload.cursor as string };
  await sendDirect(signalbox, id, 'first');
  const { cursor: later } = (await init(signalbox, { token: credential })).payload;
  await sendDirect(signalbox, id, 'second');
  await publish(signalbox, 'lobby', 'said');
  using socket = await connectSocket(signalbox, { token: credential, since });
  let operations = 0;
  const results = async (query: string, variables: object, count: number) => {
    const id = String(++operations);
    socket.send({ id, type: 'subscribe', payload: { query, variables } });
    const received: unknown[] = [];
    while (received.length < count) {
      const message = await socket.next();
      if (message.id === id) received.push(message.payload.data);
    }
    socket.send({ id, type: 'complete' });
    return received;
  };
  const direct = 'subscription ($since: Cursor) { directMessages(since: $since) { event } }';

  expect(await results(EVENTS, {}, 3)).toMatchObject([
    { events: { __typename: 'Connected', cursor: since, resumed: true } },
    { events: { message: { event: 'first' } } },
    { events: { message: { event: 'second' } } },
  ]);
  expect(await results(direct, { since: null }, 2)).toEqual([
    { directMessages: { event: 'first' } },
    { directMessages: { event: 'second' } },
  ]);
  // A cursor of the operation wins.
  expect(await results(direct, { since: later }, 1)).toEqual([{ directMessages: { event: 'second' } }]);
  const live = 'subscription { messages(channel: "lobby") { event } }';
  socket.send({ id: 'live', type: 'subscribe', payload: { query: live } });
  await expect.poll(() => publish(signalbox, 'lobby', 'undelivered')).toBe(1);
  let first;
  do first = await socket.next();
  while (first.id !== 'live');
  expect(first.payload).toEqual({ data: { messages: { event: 'undelivered' } } });
});

test('a lost position in connection_init is reported by Connected and Gap', async () => {
  await using signalbox = await startService();
  await using other = await startService();
  const { cursor } = (await init(other, {})).payload;
  const { credential } = await mint(signalbox);
  const query = 'subscription { events { __typename ... on Connected { resumed } ... on Gap { reason } } }';
  const events = queueResults(signalbox.client({ token: credential, since: cursor }), query);
  expect((await events.next()).events).toEqual({ __typename: 'Connected', resumed: false });
  expect((await events.next()).events).toEqual({ __typename: 'Gap', reason: 'POSITION_LOST' });
});

test.each([['x'], [42], [{}]])(
  'closes with 4400 when since of connection_init is %j, and opens no connection',
  async (since) => {
    await using signalbox = await startService();
    const { id, credential } = await mint(signalbox);
    const close = await init(signalbox, { token: credential, since });
    expect(close).toEqual({ code: 4400, reason: `since: ${NOT_A_CURSOR}` });
    expect(await isOnline(signalbox, id)).toBe(false);
  },
);

test('a client that copies its variables resumes by connectionParams after a cut', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  await using proxy = await createProxy(() => Number(new URL(signalbox.url).port));
  let since: string | undefined;
  let reconnect!: () => void;
  const mayReconnect = new Promise<void>((resolve) => (reconnect = resolve));
  const client = createClient({
    url: `ws://127.0.0.1:${proxy.port}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ token: credential, since }),
    retryAttempts: 5,
    retryWait: () => mayReconnect,
  });
  const query = `subscription { events {
    ... on Connected { cursor }
    ... on DirectMessage { message { cursor event } }
  } }`;
  const events = queueResults(client, query);
  const next = async () => {
    const { cursor, message } = (await events.next()).events;
    since = message?.cursor ?? cursor ?? since;
    return message?.event;
  };
  await next();
  await sendDirect(signalbox, id, 'first');
  expect(await next()).toBe('first');
  proxy.cut();
  await sendDirect(signalbox, id, 'meanwhile');
  reconnect();
  await next();
  expect(await next()).toBe('meanwhile');
  await client.dispose();
});

test('sends protocol pings on its interval, and keeps clients that answer only control frames', async () => {
  await using signalbox = await startService({ pingIntervalMs: 200 });
  using silent = await connectSocket(signalbox, {}, { pings: true });
  // Nothing in the protocol is answered here; ws answers the control frames.
  for (let pings = 0; pings < 4; pings++) expect(await silent.next()).toEqual({ type: 'ping' });
  silent.send({ type: 'ping' });
  let answer;
  do answer = await silent.next();
  while (answer.type === 'ping');
  expect(answer).toEqual({ type: 'pong' });
});

test('keeps clients that answer only protocol pings', async () => {
  await using signalbox = await startService({ pingIntervalMs: 200 });
  using socket = await connectSocket(signalbox, {}, { autoPong: false, pings: true });
  for (let pings = 0; pings < 5; pings++) {
    expect(await socket.next()).toEqual({ type: 'ping' });
    socket.send({ type: 'pong' });
  }
});

test('sends no protocol ping before connection_ack', async () => {
  await using signalbox = await startService({ pingIntervalMs: 100, handshakeTimeoutMs: 1000 });
  using socket = await openSocket(signalbox, { pings: true });
  let pings = 0;
  await new Promise<void>((resolve) => socket.ws.on('ping', () => ++pings === 2 && resolve()));
  expect(socket.waiting).toEqual([]);
});

test('closes with 1009 and a reason when a message is too large', async () => {
  await using signalbox = await startService({ maxMessageBytes: 1024 });
  using socket = await connectSocket(signalbox);
  socket.send('x'.repeat(2000));
  expect(await socket.closed).toEqual({
    code: 1009,
    reason: 'The message is larger than SIGNALBOX_MAX_MESSAGE_BYTES.',
  });
});
