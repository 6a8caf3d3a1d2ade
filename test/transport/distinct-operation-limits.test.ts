import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { publishTo } from '../support/publish.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';

// Each differing document is executed once per event, so the number of documents that a channel accepts is the number of
// executions that a publish costs.

const differing = (n: number) => `subscription ($c: ID!) { messages(channel: $c) { alias${n}: data } }`;
const ORDINARY = `subscription ($c: ID!) { messages(channel: $c) { data } }`;

function subscribe(socket: RawSocket, id: number, query: string, channel = 'news'): void {
  socket.send({ id: `s${id}`, type: 'subscribe', payload: { query, variables: { c: channel } } });
}

/** The errors of the operations so far. A query is answered after the subscriptions before it have started. */
async function errorsOf(socket: RawSocket): Promise<any[]> {
  const errors: any[] = [];
  for (let i = 0; i < 5; i++) {
    socket.send({ id: `q${i}`, type: 'subscribe', payload: { query: '{ channel(id: "news") { id } }' } });
    for (;;) {
      const message = await socket.next();
      if (message.type === 'error') errors.push(...message.payload);
      if (message.type === 'next') errors.push(...(message.payload.errors ?? []));
      if (message.type === 'complete' && message.id === `q${i}`) break;
    }
  }
  return errors;
}

async function start(settings: object): Promise<TestService> {
  const signalbox = await startService(settings);
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  await createChannel(signalbox, 'other', { type: 'PUBLIC' });
  return signalbox;
}

const limitExceeded = (limit: number) => ({
  message: expect.stringMatching(new RegExp(`at most ${limit} .*variables`)),
  extensions: { code: 'LIMIT_EXCEEDED', limit, retryable: false },
});

test('maxDistinctOperationsPerConnection: refuses one more differing document, and accepts known ones', async () => {
  await using signalbox = await start({ maxDistinctOperationsPerConnection: 3 });
  const { credential } = await mint(signalbox);
  for (const init of [{ token: credential }, { apiKey: API_KEY }]) {
    using socket = await connectSocket(signalbox, init);
    for (let i = 0; i < 3; i++) subscribe(socket, i, differing(i));
    // Whitespace and the arguments of the subscription do not make a document differ.
    subscribe(socket, 3, `  ${differing(0)}`);
    subscribe(socket, 4, differing(0), 'other');
    expect(await errorsOf(socket)).toEqual([]);
    subscribe(socket, 6, differing(3));
    expect(await errorsOf(socket)).toMatchObject([limitExceeded(3)]);
    socket.send({ id: 's1', type: 'complete' });
    subscribe(socket, 7, differing(3));
    expect(await errorsOf(socket)).toEqual([]);
  }
});

test('maxDistinctOperationsPerToken: counts all connections of a token, and releases those that close', async () => {
  await using signalbox = await start({
    maxDistinctOperationsPerToken: 4,
    maxDistinctOperationsPerConnection: 3,
  });
  const { credential } = await mint(signalbox);
  const sockets = await Promise.all([1, 2, 3].map(() => connectSocket(signalbox, { token: credential })));
  const [one, two, three] = sockets as [RawSocket, RawSocket, RawSocket];
  for (let i = 0; i < 3; i++) subscribe(one, i, differing(i));
  expect(await errorsOf(one)).toEqual([]);
  for (let i = 3; i < 6; i++) subscribe(two, i, differing(i));
  expect(await errorsOf(two)).toMatchObject([limitExceeded(4), limitExceeded(4)]);
  one.send({ id: 's0', type: 'complete' });
  await errorsOf(one);
  subscribe(three, 0, differing(9));
  expect(await errorsOf(three)).toEqual([]);
  for (const socket of sockets) socket[Symbol.dispose]();
});

test('maxDistinctOperationsPerChannel: tokens together are bounded, and API keys and other channels are not', async () => {
  await using signalbox = await start({ maxDistinctOperationsPerChannel: 4 });
  const tokens = await Promise.all([1, 2, 3].map(() => mint(signalbox)));
  let next = 0;
  const errors: any[] = [];
  for (const { credential } of tokens) {
    const socket = await connectSocket(signalbox, { token: credential });
    for (let i = 0; i < 3; i++) subscribe(socket, i, differing(next++));
    errors.push(...(await errorsOf(socket)));
  }
  expect(errors).toMatchObject(Array.from({ length: 5 }, () => limitExceeded(4)));
  using backend = await connectSocket(signalbox, { apiKey: API_KEY });
  using client = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
  subscribe(backend, 0, differing(100));
  expect(await errorsOf(backend)).toEqual([]);
  subscribe(client, 0, differing(0));
  subscribe(client, 1, differing(101), 'other');
  expect(await errorsOf(client)).toEqual([]);
});

test('with the defaults, one token makes a publish cost at most 50 executions', async () => {
  await using signalbox = await start({});
  const { credential } = await mint(signalbox);
  let refused = 0;
  for (let connection = 0; connection < 5; connection++) {
    const socket = await connectSocket(signalbox, { token: credential });
    for (let i = 0; i < 20; i++) subscribe(socket, i, differing(connection * 20 + i));
    refused += (await errorsOf(socket)).length;
  }
  expect(refused).toBe(50);
  const { connections } = await publishTo(signalbox, { channel: 'news' }, 'hello');
  expect(connections).toBe(3);
});

test('subscriptions that are executed for their viewer count against it', async () => {
  await using signalbox = await start({ maxDistinctOperationsPerToken: 3 });
  const own = `subscription ($c: ID!) { channelState(channel: $c) { messages(first: 1) { nodes { id } } } }`;
  const { credential } = await mint(signalbox);
  using socket = await connectSocket(signalbox, { token: credential });
  using other = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
  for (let i = 0; i < 5; i++) subscribe(socket, i, own);
  const refusal = { extensions: { code: 'LIMIT_EXCEEDED', limit: 3 } };
  expect(await errorsOf(socket)).toMatchObject([refusal, refusal]);
  for (let i = 0; i < 3; i++) subscribe(other, i, own);
  subscribe(socket, 9, own, 'other');
  expect([...(await errorsOf(other)), ...(await errorsOf(socket))]).toEqual([]);
});

test('300 ordinary clients with the same documents are accepted, also when they reconnect', async () => {
  await using signalbox = await start({ connectsPerSecond: 100_000, maxDistinctOperationsPerChannel: 2 });
  const tokens = await Promise.all(Array.from({ length: 30 }, () => mint(signalbox)));
  const INBOX = `subscription { events { __typename at } }`;
  for (let round = 0; round < 2; round++) {
    const sockets = await Promise.all(
      Array.from({ length: 300 }, (_, i) => connectSocket(signalbox, { token: tokens[i % 30]!.credential })),
    );
    const errors = await Promise.all(
      sockets.map(async (socket) => {
        subscribe(socket, 0, ORDINARY);
        subscribe(socket, 1, ORDINARY, 'other');
        subscribe(socket, 2, INBOX);
        return errorsOf(socket);
      }),
    );
    expect(errors.flat()).toEqual([]);
    for (const socket of sockets) socket[Symbol.dispose]();
  }
});

test('a few tokens cannot use up the differing operations of a channel, and others may still add one', async () => {
  await using signalbox = await start({
    maxDistinctOperationsPerChannel: 40,
    maxDistinctOperationsPerToken: 20,
  });
  let next = 0;
  const accepted: number[] = [];
  for (let token = 0; token < 6; token++) {
    const socket = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
    for (let i = 0; i < 20; i++) subscribe(socket, i, differing(next++));
    accepted.push(20 - (await errorsOf(socket)).length);
  }
  expect(accepted).toEqual([14, 9, 6, 4, 3, 2]);
});

test('a subscription that is refused takes nobody out of the presence of its channel', async () => {
  await using signalbox = await start({ maxDistinctOperationsPerConnection: 1 });
  const { id, credential } = await mint(signalbox);
  using socket = await connectSocket(signalbox, { token: credential });
  subscribe(socket, 0, differing(0));
  expect(await errorsOf(socket)).toEqual([]);
  subscribe(socket, 1, differing(1));
  expect(await errorsOf(socket)).toMatchObject([limitExceeded(1)]);
  const { channel } = await signalbox.request(
    '{ channel(id: "news") { presence { members { nodes { token } } } } }',
  );
  expect(channel.presence.members.nodes).toEqual([{ token: id }]);
});
