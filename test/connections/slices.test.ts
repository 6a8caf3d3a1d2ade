import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Connection } from '../../src/connections/connection.ts';
import { type Caller } from '../../src/tokens/caller.ts';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { changeSettings } from '../support/projects.ts';
import { numbers } from '../support/publish.ts';
import { revoke } from '../support/revocation.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

/** More connections than one slice closes or authorizes. */
const MANY = 200;

/** Opens connections with one `messages` subscription each, and records what they receive and how they end. */
async function subscribeMany({ service: { domain } }: TestService, callerOf: () => Promise<Caller>) {
  const subscribers: { connection: Connection; received: unknown[]; isEnded: boolean }[] = [];
  for (const _ of numbers(MANY)) {
    const connection = await domain.connections.open(callerOf, 'WEBSOCKET');
    const subscriber = { connection, received: [] as unknown[], isEnded: false };
    const stream = await domain.subscriptions.messages(connection, 'room', {});
    stream.attach({
      deliver: (messages) => subscriber.received.push(...messages.map(({ data }) => data)),
      whenWritable: () => undefined,
      end: () => (subscriber.isEnded = true),
    });
    subscribers.push(subscriber);
  }
  return subscribers;
}

/**
 * Publishes in every turn of the event loop until `change` resolves. Returns the numbers of connections that the messages
 * were delivered to.
 */
async function publishDuring({ service: { domain } }: TestService, change: Promise<unknown>) {
  const counts: number[] = [];
  const backend = await domain.authenticate.apiKey(API_KEY);
  const state = { isDone: false };
  const done = change.finally(() => (state.isDone = true));
  while (!state.isDone) {
    const { connections } = await domain.messages.publish(backend, 'room', { event: 'tick', data: 'late' });
    counts.push(connections);
    await nextTurn();
  }
  await done;
  return counts;
}

/** All or none at each moment, and none while the connections are still being notified. */
function expectAtOnce(counts: readonly number[]): void {
  expect(new Set(counts)).toEqual(new Set([MANY, 0]));
  expect(counts.filter((count) => count === 0).length).toBeGreaterThan(1);
}

async function prepare(input: object): Promise<TestService> {
  const signalbox = await startService({
    maxConnectionsPerToken: MANY,
    publishesPerSecondPerKey: 100_000,
  });
  await createChannel(signalbox, 'room', input);
  return signalbox;
}

test('revokeTokens takes effect for all connections at once, while it closes them in slices', async () => {
  await using signalbox = await prepare({ type: 'PUBLIC' });
  const { credential } = await mint(signalbox);
  const { authenticate } = signalbox.service.domain;
  const subscribers = await subscribeMany(signalbox, () => authenticate.credential(credential));
  expectAtOnce(await publishDuring(signalbox, revoke(signalbox, { all: true })));
  expect(subscribers.every(({ isEnded }) => isEnded)).toBe(true);
  expect(new Set(subscribers.map(({ connection }) => connection.closed))).toEqual(new Set(['TOKEN_REVOKED']));
  expect(new Set(subscribers.map(({ received }) => received.length)).size).toBe(1);
  expect(signalbox.service.domain.connections.count).toBe(0);
});

test('a channel that becomes PRIVATE takes all subscriptions of non-members away at once, in slices', async () => {
  await using signalbox = await prepare({ type: 'PUBLIC' });
  const { credential } = await mint(signalbox);
  const { authenticate } = signalbox.service.domain;
  const subscribers = await subscribeMany(signalbox, () => authenticate.credential(credential));
  const update = signalbox.request('mutation { updateChannel(id: "room", input: { type: PRIVATE }) { id } }');
  expectAtOnce(await publishDuring(signalbox, update));
  expect(subscribers.every(({ isEnded }) => isEnded)).toBe(true);
});

test('an ephemeral message reaches no inbox twice while the token loses a channel and gets it back in slices', async () => {
  await using signalbox = await prepare({ type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox, { channels: ['room'] });
  const { authenticate, connections, messages, subscriptions, tokens } = signalbox.service.domain;
  const inboxes: unknown[][] = [];
  for (const _ of numbers(MANY)) {
    const connection = await connections.open(() => authenticate.credential(credential), 'WEBSOCKET');
    const received: unknown[] = [];
    (await subscriptions.events(connection, { presence: false })).attach({
      deliver: (events) =>
        received.push(
          ...events.flatMap((event) => (event.type === 'ChannelMessage' ? event.message.data : [])),
        ),
      whenWritable: () => undefined,
      end: () => undefined,
    });
    inboxes.push(received);
  }
  const backend = await authenticate.apiKey(API_KEY);
  const changed = Promise.all([
    tokens.update(backend, id, { grants: [{ channels: 'other', actions: ['SUBSCRIBE'] }] }),
    tokens.update(backend, id, { grants: null }),
  ]);
  for (const data of numbers(5))
    await messages.publish(backend, 'room', { event: 'tick', data, ephemeral: true });
  await changed;
  await messages.publish(backend, 'room', { event: 'tick', data: 'last', ephemeral: true });
  for (const received of inboxes) {
    expect(received.at(-1)).toBe('last');
    expect(received).toEqual([...new Set(received)]);
  }
});

test('a project setting applies to all connections at once, while they are authorized again in slices', async () => {
  await using signalbox = await prepare({ type: 'UNPROTECTED' });
  await changeSettings(signalbox, { anonymous: true });
  const { authenticate } = signalbox.service.domain;
  const subscribers = await subscribeMany(signalbox, () => authenticate.anonymous());
  expectAtOnce(await publishDuring(signalbox, changeSettings(signalbox, { anonymous: false })));
  expect(subscribers.every(({ isEnded }) => isEnded)).toBe(true);
});

test('a channel that is created again while its deletion runs waits for it, and delivers nothing to the old subscriptions', async () => {
  await using signalbox = await prepare({ type: 'PUBLIC' });
  const { credential } = await mint(signalbox);
  const { authenticate, messages } = signalbox.service.domain;
  const subscribers = await subscribeMany(signalbox, () => authenticate.credential(credential));
  const backend = await authenticate.apiKey(API_KEY);
  const { domain } = signalbox.service;
  let isDeleted = false;
  const deletion = domain.channels.remove(backend, 'room').then(() => (isDeleted = true));
  while (await domain.channels.find(backend.projectId, 'room')) await nextTurn();
  await domain.channels.create(backend, { id: 'room', type: 'PUBLIC' });
  const { connections } = await messages.publish(backend, 'room', { event: 'tick', data: 'new' });
  expect({ connections, isDeleted }).toEqual({ connections: 0, isDeleted: true });
  await deletion;
  expect(subscribers.every(({ isEnded, received }) => isEnded && received.length === 0)).toBe(true);
});

test('subscribeTokens serves other callers between its slices, and refuses a token that is revoked meanwhile', async () => {
  await using signalbox = await startService({ credentialsPerSecond: 10_000 });
  await createChannel(signalbox, 'room');
  const tokens = await Promise.all(numbers(300).map(() => mint(signalbox)));
  const last = tokens.at(-1)!.id;
  const order: string[] = [];
  const [answer] = await Promise.all([
    signalbox
      .request(
        'mutation ($t: [ID!]!) { subscribeTokens(channels: ["room"], tokens: $t) { token error { code } } }',
        { t: tokens.map(({ id }) => id) },
      )
      .finally(() => order.push('subscribed')),
    revokeToken(signalbox, last).then(() => order.push('revoked')),
  ]);
  expect(order).toEqual(['revoked', 'subscribed']);
  const failed = answer.subscribeTokens.filter(({ error }: any) => error !== null);
  expect(failed).toEqual([{ token: last, error: { code: 'TOKEN_REVOKED' } }]);
});

/** Resolves to the number of turns of the event loop that pass until `work` resolves. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  const state = { isDone: false };
  const done = work.finally(() => (state.isDone = true));
  let turns = 0;
  for (; !state.isDone; turns++) await nextTurn();
  await done;
  return turns;
}

/** Makes `count` rows of `table` out of its first row, with ids and subjects of their own. */
function multiply(folder: string, table: 'memberships' | 'restrictions', count: number): void {
  const store = new Database(join(folder, 'signalbox.sqlite'));
  const own = table === 'memberships' ? ['token_id'] : ['id', 'subject'];
  const columns = (store.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  const values = columns.map((name) => (own.includes(name) ? `${name} || '-' || value` : name));
  store.exec(
    `with recursive numbers(value) as (select 1 union all select value + 1 from numbers where value < ${count})
     insert into ${table} (${columns.join()}) select ${values.join()} from (select * from ${table} limit 1), numbers`,
  );
  store.close();
}

const MEMBERS_AND_BANS = `{ channel(id: "room") { tokens { nodes { id } } } restrictions(channel: "room") { nodes { identity } } }`;

test('deleteChannel removes thousands of memberships and bans in steps, and a new channel of the id has none', async () => {
  using folder = createFolder();
  await using signalbox = await startService({ data: folder.path });
  await createChannel(signalbox, 'room', {});
  await mint(signalbox, { channels: ['room'] });
  await signalbox.request('mutation { ban(channel: "room", identity: "eve") { createdAt } }');
  multiply(folder.path, 'memberships', 5000);
  multiply(folder.path, 'restrictions', 5000);
  const deletion = signalbox.request('mutation { deleteChannel(id: "room") { id } }');
  // The new channel waits until nothing is left of the old one.
  const created = deletion.then(() => createChannel(signalbox, 'room', {}));
  expect(await turnsDuring(deletion)).toBeGreaterThan(10);
  await created;
  expect(await signalbox.request(MEMBERS_AND_BANS)).toEqual({
    channel: { tokens: { nodes: [] } },
    restrictions: { nodes: [] },
  });
});

test('a channel does not inherit the members of one whose deletion was interrupted', async () => {
  using folder = createFolder();
  await using signalbox = await startService({ data: folder.path });
  await createChannel(signalbox, 'room', {});
  await mint(signalbox, { channels: ['room'] });
  await signalbox.request('mutation { ban(channel: "room", identity: "eve") { createdAt } }');
  const store = new Database(join(folder.path, 'signalbox.sqlite'));
  const remains = store.prepare('select * from memberships').all() as { token_id: string }[];
  await signalbox.request('mutation { deleteChannel(id: "room") { id } }');
  expect(remains).toHaveLength(1);
  store
    .prepare(
      `insert into memberships (project_id, channel_id, token_id, began_after, made_by, created_at) values ('default', 'room', ?, 0, 'BACKEND', 0)`,
    )
    .run(remains[0]?.token_id);
  store.close();
  await createChannel(signalbox, 'room', {});
  expect((await signalbox.request(MEMBERS_AND_BANS)).channel.tokens.nodes).toEqual([]);
});

test('reads nested pages in several turns of the event loop', async () => {
  await using signalbox = await startService();
  const channels = numbers(100).map((number) => `channel-${number}`);
  for (const id of channels) await createChannel(signalbox, id, {});
  const { id: tokenId } = await mint(signalbox, { channels });
  const query = '{ channels(first: 100) { nodes { id tokens(first: 100) { nodes { id } } } } }';
  const read = signalbox.request(query);
  expect(await turnsDuring(read)).toBeGreaterThan(12);
  const { nodes } = (await read).channels;
  expect(nodes.map(({ tokens }: any) => tokens.nodes)).toEqual(channels.map(() => [{ id: tokenId }]));
});

test('releases hundreds of sockets that close at once in several turns, and counts them all', async () => {
  await using signalbox = await startService({ maxConnectionsPerToken: MANY, connectsPerSecond: 100_000 });
  const { credential } = await mint(signalbox);
  const sockets = await Promise.all(
    numbers(MANY).map(async () => {
      const socket = new WebSocket(signalbox.wsUrl, 'graphql-transport-ws');
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init', payload: { token: credential } }));
      await once(socket, 'message');
      return socket;
    }),
  );
  const { connections } = signalbox.service.domain;
  expect(connections.count).toBe(MANY);
  const seen = new Set<number>();
  sockets.forEach((socket) => socket.terminate());
  while (connections.count > 0) {
    seen.add(connections.count);
    await nextTurn();
  }
  expect(seen.size).toBeGreaterThan(5);
});
