import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { publishTo } from '../support/publish.ts';
import { queueResults } from '../support/result-queue.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const LIST = `query ($channel: ID, $token: ID, $identity: String, $transport: Transport, $first: Int, $after: String) {
  connections(channel: $channel, token: $token, identity: $identity, transport: $transport, first: $first, after: $after) {
    nodes { connection { id token transport } node channels subscriptions queuedBytes cursor isCaughtUp }
    pageInfo { hasNextPage endCursor }
  }
}`;
const list = async ({ request }: TestService, filter: object = {}) =>
  (await request(LIST, filter)).connections;
const EVENTS = 'subscription { events { __typename ... on ChannelMessage { message { cursor } } } }';

test('lists a connection with its channels, its subscriptions and its position in the log', async () => {
  await using signalbox = await startService();
  for (const id of ['lobby', 'attic']) await createChannel(signalbox, id);
  const token = await mint(signalbox, { channels: ['lobby', 'attic'] });
  const events = queueResults(signalbox.client({ token: token.credential }), EVENTS);
  await events.next();
  await publishTo(signalbox, { channel: 'lobby' }, 'said');
  const { cursor } = (await events.next()).events.message;
  const { nodes } = await list(signalbox);
  expect(nodes).toEqual([
    {
      connection: { id: expect.stringMatching(/^conn_/), token: token.id, transport: 'WEBSOCKET' },
      node: expect.stringMatching(/^node_/),
      channels: ['attic', 'lobby'],
      subscriptions: 1,
      queuedBytes: 0,
      cursor,
      isCaughtUp: true,
    },
  ]);
});

test('filters by channel, token, identity and transport, and pages in the order of opening', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { identity: 'ada', channels: ['lobby'] });
  const ben = await mint(signalbox, { identity: 'ben' });
  const events = queueResults(signalbox.client({ token: ada.credential }), EVENTS);
  await events.next();
  using _first = await connectSocket(signalbox, { token: ben.credential });
  using _second = await connectSocket(signalbox, { token: ben.credential });
  const tokensOf = async (filter: object) =>
    (await list(signalbox, filter)).nodes.map(({ connection }: any) => connection.token);
  expect(await tokensOf({})).toEqual([ada.id, ben.id, ben.id]);
  expect(await tokensOf({ channel: 'lobby' })).toEqual([ada.id]);
  expect(await tokensOf({ token: ben.id })).toEqual([ben.id, ben.id]);
  expect(await tokensOf({ identity: 'ada' })).toEqual([ada.id]);
  expect(await tokensOf({ transport: 'SSE' })).toEqual([]);
  expect(await tokensOf({ channel: 'lobby', token: ben.id })).toEqual([]);
  const { nodes, pageInfo } = await list(signalbox, { first: 2 });
  expect(nodes).toHaveLength(2);
  expect(pageInfo.hasNextPage).toBe(true);
  const rest = await list(signalbox, { first: 2, after: pageInfo.endCursor });
  expect(rest.nodes).toHaveLength(1);
  expect(rest.pageInfo.hasNextPage).toBe(false);
});

test('a connection without a subscription has no position, and one that has closed is not listed', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox);
  const socket = await connectSocket(signalbox, { token: token.credential });
  expect((await list(signalbox)).nodes).toMatchObject([{ subscriptions: 0, cursor: null, channels: [] }]);
  socket[Symbol.dispose]();
  await socket.closed;
  while ((await list(signalbox)).nodes.length > 0);
});

test('lists connections of an API key and of tokens on one page, each with what this node knows of it', async () => {
  await using signalbox = await startService();
  using _key = await connectSocket(signalbox, { apiKey: API_KEY });
  using _token = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
  expect((await list(signalbox)).nodes).toMatchObject([
    { connection: { token: null }, subscriptions: 0, queuedBytes: 0 },
    { connection: { token: expect.any(String) }, subscriptions: 0, queuedBytes: 0 },
  ]);
});

test('shows the bytes that wait for a client that does not read', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const token = await mint(signalbox, { channels: ['lobby'] });
  using socket = await connectSocket(signalbox, { token: token.credential });
  socket.send({
    id: '1',
    type: 'subscribe',
    payload: { query: 'subscription { events { ... on ChannelMessage { message { data } } } }' },
  });
  await socket.next();
  socket.ws.pause();
  const [data, isQueued] = ['x'.repeat(30_000), async () => (await list(signalbox)).nodes[0].queuedBytes > 0];
  while (!(await isQueued())) await publishTo(signalbox, { channel: 'lobby' }, data);
  socket.ws.resume();
});

test('an API key that is limited to some channels sees only these channels of a connection', async () => {
  await using signalbox = await startService();
  for (const id of ['lobby', 'attic']) await createChannel(signalbox, id);
  const token = await mint(signalbox, { channels: ['lobby', 'attic'] });
  const events = queueResults(signalbox.client({ token: token.credential }), EVENTS);
  await events.next();
  const { createApiKey } = await signalbox.request(
    'mutation { createApiKey(scopes: [READ], channels: "lob*") { secret } }',
  );
  const { connections } = await signalbox.request(LIST, { channel: 'lobby' }, createApiKey.secret);
  expect(connections.nodes).toMatchObject([{ connection: { token: token.id }, channels: ['lobby'] }]);
});
