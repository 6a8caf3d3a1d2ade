import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Connection } from '../../src/connections/connection.ts';
import { type Caller } from '../../src/tokens/caller.ts';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
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
      room: () => undefined,
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

test('a project setting applies to all connections at once, while they are authorized again in slices', async () => {
  await using signalbox = await prepare({ type: 'UNPROTECTED' });
  await changeSettings(signalbox, { anonymous: true });
  const { authenticate } = signalbox.service.domain;
  const subscribers = await subscribeMany(signalbox, () => authenticate.anonymous());
  expectAtOnce(await publishDuring(signalbox, changeSettings(signalbox, { anonymous: false })));
  expect(subscribers.every(({ isEnded }) => isEnded)).toBe(true);
});

test('a channel that is created again while its deletion runs delivers nothing to the old subscriptions', async () => {
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
  expect({ connections, isDeleted }).toEqual({ connections: 0, isDeleted: false });
  await deletion;
  expect(subscribers.every(({ isEnded, received }) => isEnded && received.length === 0)).toBe(true);
});

test('subscribeTokens serves other callers between its slices, and refuses a token that is revoked meanwhile', async () => {
  await using signalbox = await startService({ mintsPerSecond: 10_000 });
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
