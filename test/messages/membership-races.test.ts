import { type Client } from 'graphql-ws';
import { expect, test } from 'vitest';
import { createChannel, mint, type MintedToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { EVENTS, subscribeResuming, type ResumingSubscription } from '../support/resuming-subscription.ts';
import { createRandom } from '../support/random.ts';
import { numbers, publishTo } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

const ROUNDS = 200;
const room = (number: number) => `room:${number}`;

type MutationName = 'subscribeToken' | 'unsubscribeToken';

const changeQuery = (mutation: MutationName) =>
  `mutation ($channel: ID!, $token: ID!) { ${mutation}(channel: $channel, token: $token) { createdAt } }`;
const subscribe = ({ request }: TestService, channel: string, { id: token }: MintedToken) =>
  request(changeQuery('subscribeToken'), { channel, token });
const unsubscribe = ({ request }: TestService, channel: string, { id: token }: MintedToken) =>
  request(changeQuery('unsubscribeToken'), { channel, token });

/** Runs the mutation on a live socket. */
function change(
  client: Client,
  mutation: MutationName,
  channel: string,
  { id: token }: MintedToken,
): Promise<unknown> {
  return queueResults(client, changeQuery(mutation), { channel, token }).next();
}

/** Opens an inbox of the token and waits until it is live. */
async function listen(signalbox: TestService, { credential }: MintedToken): Promise<ResumingSubscription> {
  const inbox = subscribeResuming(signalbox.client({ token: credential }), EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  return inbox;
}

/** Publishes a direct message to the token and returns the data that each inbox received before it. */
async function receivedBy(
  signalbox: TestService,
  { id: token }: MintedToken,
  inboxes: ResumingSubscription[],
): Promise<any[][]> {
  const sentinel = crypto.randomUUID();
  await publishTo(signalbox, { token }, sentinel);
  await Promise.all(
    inboxes.map((inbox) => inbox.until(({ messages }) => messages.at(-1)?.data === sentinel)),
  );
  return inboxes.map(({ messages }) => messages.slice(0, -1).map(({ data }) => data));
}

test('always delivers a message published after subscribeToken returned (200 runs)', async () => {
  await using signalbox = await startService();
  await Promise.all(numbers(ROUNDS).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inbox = await listen(signalbox, token);
  for (const number of numbers(ROUNDS)) {
    await subscribe(signalbox, room(number), token);
    const { connections } = await publishTo(signalbox, { channel: room(number) }, number);
    expect(connections).toBe(1);
  }
  expect(await receivedBy(signalbox, token, [inbox])).toEqual([numbers(ROUNDS)]);
});

test('never delivers a message published after unsubscribeToken returned (200 runs)', async () => {
  await using signalbox = await startService();
  const channels = numbers(ROUNDS).map(room);
  await Promise.all(channels.map((channel) => createChannel(signalbox, channel)));
  const token = await mint(signalbox, { channels });
  const inbox = await listen(signalbox, token);
  for (const channel of channels) {
    await publishTo(signalbox, { channel }, `received in ${channel}`);
    await unsubscribe(signalbox, channel, token);
    const { connections } = await publishTo(signalbox, { channel }, 'undelivered');
    expect(connections).toBe(0);
  }
  expect(await receivedBy(signalbox, token, [inbox])).toEqual([
    channels.map((channel) => `received in ${channel}`),
  ]);
});

test('subscribeToken and unsubscribeToken apply to all 20 connections of the token when 200 runs are concurrent', async () => {
  await using signalbox = await startService();
  await Promise.all(numbers(ROUNDS).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inboxes = await Promise.all(numbers(20).map(() => listen(signalbox, token)));
  await Promise.all(
    numbers(ROUNDS).map(async (number) => {
      await subscribe(signalbox, room(number), token);
      expect((await publishTo(signalbox, { channel: room(number) }, number)).connections).toBe(20);
      await unsubscribe(signalbox, room(number), token);
      expect((await publishTo(signalbox, { channel: room(number) }, 'undelivered')).connections).toBe(0);
    }),
  );
  for (const received of await receivedBy(signalbox, token, inboxes))
    expect(received.sort((a, b) => a - b)).toEqual(numbers(ROUNDS));
});

test('inboxes that open while the token is being subscribed receive the messages published afterwards', async () => {
  await using signalbox = await startService();
  await Promise.all(numbers(20).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inboxes = numbers(20).map(() =>
    subscribeResuming(signalbox.client({ token: token.credential }), EVENTS),
  );
  await Promise.all(numbers(20).map((number) => subscribe(signalbox, room(number), token)));
  await Promise.all(inboxes.map((inbox) => inbox.until(({ events }) => events.length > 0)));
  await Promise.all(numbers(20).map((number) => publishTo(signalbox, { channel: room(number) }, number)));
  for (const received of await receivedBy(signalbox, token, inboxes))
    expect(received.sort((a, b) => a - b)).toEqual(numbers(20));
  for (const { events } of inboxes) {
    const [{ channels }, ...available] = events;
    const known = [...channels, ...available.map(({ channel }) => channel)].map(({ id }) => id);
    expect(known.sort()).toEqual(numbers(20).map(room).sort());
  }
});

test('an inbox reports every channel when it opens in the same event loop turn as subscribeToken', async () => {
  await using signalbox = await startService({
    maxOperationsPerConnection: 500,
    changesPerSecondPerToken: 100,
  });
  await Promise.all(numbers(50).map((number) => createChannel(signalbox, room(number), { type: 'PUBLIC' })));
  const token = await mint(signalbox);
  const client = signalbox.client({ token: token.credential }, { lazy: false });
  await new Promise((resolve) => client.on('connected', resolve));
  // All operations leave in one write and arrive in one turn of the event loop.
  const changes: Promise<unknown>[] = [];
  const inboxes = numbers(50).map((number) => {
    const inbox = subscribeResuming(client, EVENTS);
    changes.push(change(client, 'subscribeToken', room(number), token));
    return inbox;
  });
  await Promise.all(changes);
  for (const number of numbers(50)) await publishTo(signalbox, { channel: room(number) }, number);
  for (const received of await receivedBy(signalbox, token, inboxes)) expect(received).toEqual(numbers(50));
  for (const { events } of inboxes) {
    const [{ channels }, ...available] = events;
    const known = [...channels, ...available.map(({ channel }) => channel)].map(({ id }) => id);
    expect(known.sort()).toEqual(numbers(50).map(room).sort());
  }
});

test('live inboxes match the memberships after concurrent subscribeToken and unsubscribeToken calls', async () => {
  const random = createRandom();
  await using signalbox = await startService({ maxOperationsPerConnection: 500 });
  await Promise.all(numbers(20).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inboxes = await Promise.all(numbers(5).map(() => listen(signalbox, token)));
  const backend = signalbox.client(undefined, { lazy: false });
  await new Promise((resolve) => backend.on('connected', resolve));
  const changes = numbers(400).map(() => {
    const mutation = random() < 0.5 ? 'subscribeToken' : 'unsubscribeToken';
    return change(backend, mutation, room(Math.floor(random() * 20)), token);
  });
  await Promise.all(changes);

  const { viewer } = await signalbox.request(
    `{ viewer { channels(first: 100) { nodes { id } } } }`,
    {},
    token.credential,
  );
  const members = viewer.channels.nodes.map(({ id }: { id: string }) => id).sort();
  expect(members.length).toBeGreaterThan(0);
  expect(members.length).toBeLessThan(20);
  for (const number of numbers(20)) await publishTo(signalbox, { channel: room(number) }, room(number));
  for (const received of await receivedBy(signalbox, token, inboxes))
    expect(received.sort()).toEqual(members);
  for (const { events } of inboxes) {
    for (const number of numbers(20)) {
      const changesOfChannel = events.filter(({ channel }) => channel?.id === room(number));
      expect(changesOfChannel.map(({ __typename }) => __typename)).toEqual(
        changesOfChannel.map((_, index) => (index % 2 === 0 ? 'ChannelAvailable' : 'ChannelUnavailable')),
      );
      expect(changesOfChannel.length % 2 === 1).toBe(members.includes(room(number)));
    }
  }
});
