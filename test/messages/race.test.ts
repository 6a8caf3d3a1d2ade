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

type Change = 'subscribeToken' | 'unsubscribeToken';

const changeQuery = (what: Change) =>
  `mutation ($channel: ID!, $token: ID!) { ${what}(channel: $channel, token: $token) { createdAt } }`;
const subscribe = ({ request }: TestService, channel: string, { id: token }: MintedToken) =>
  request(changeQuery('subscribeToken'), { channel, token });
const unsubscribe = ({ request }: TestService, channel: string, { id: token }: MintedToken) =>
  request(changeQuery('unsubscribeToken'), { channel, token });

/** The same on a live socket. */
function change(client: Client, what: Change, channel: string, { id: token }: MintedToken): Promise<unknown> {
  return queueResults(client, changeQuery(what), { channel, token }).next();
}

/** A live inbox of the token. */
async function listen(signalbox: TestService, { credential }: MintedToken): Promise<ResumingSubscription> {
  const inbox = subscribeResuming(signalbox.client({ token: credential }), EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  return inbox;
}

/** What an inbox has heard by the time that the token was told something. */
async function heardBy(
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

test('what is said once subscribeToken has returned reaches the live connection, 200 times out of 200', async () => {
  await using signalbox = await startService();
  await Promise.all(numbers(ROUNDS).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inbox = await listen(signalbox, token);
  for (const number of numbers(ROUNDS)) {
    await subscribe(signalbox, room(number), token);
    const { connections } = await publishTo(signalbox, { channel: room(number) }, number);
    expect(connections).toBe(1);
  }
  expect(await heardBy(signalbox, token, [inbox])).toEqual([numbers(ROUNDS)]);
});

test('what is said once unsubscribeToken has returned does not, 200 times out of 200', async () => {
  await using signalbox = await startService();
  const channels = numbers(ROUNDS).map(room);
  await Promise.all(channels.map((channel) => createChannel(signalbox, channel)));
  const token = await mint(signalbox, { channels });
  const inbox = await listen(signalbox, token);
  for (const channel of channels) {
    await publishTo(signalbox, { channel }, `heard in ${channel}`);
    await unsubscribe(signalbox, channel, token);
    const { connections } = await publishTo(signalbox, { channel }, 'unheard');
    expect(connections).toBe(0);
  }
  expect(await heardBy(signalbox, token, [inbox])).toEqual([
    channels.map((channel) => `heard in ${channel}`),
  ]);
});

test('both hold for every connection of the token, while everything happens at once', async () => {
  await using signalbox = await startService();
  await Promise.all(numbers(ROUNDS).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inboxes = await Promise.all(numbers(20).map(() => listen(signalbox, token)));
  await Promise.all(
    numbers(ROUNDS).map(async (number) => {
      await subscribe(signalbox, room(number), token);
      expect((await publishTo(signalbox, { channel: room(number) }, number)).connections).toBe(20);
      await unsubscribe(signalbox, room(number), token);
      expect((await publishTo(signalbox, { channel: room(number) }, 'unheard')).connections).toBe(0);
    }),
  );
  for (const heard of await heardBy(signalbox, token, inboxes))
    expect(heard.sort((a, b) => a - b)).toEqual(numbers(ROUNDS));
});

test('connections that open while the token is subscribed hear what is said afterwards', async () => {
  await using signalbox = await startService();
  await Promise.all(numbers(20).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inboxes = numbers(20).map(() =>
    subscribeResuming(signalbox.client({ token: token.credential }), EVENTS),
  );
  await Promise.all(numbers(20).map((number) => subscribe(signalbox, room(number), token)));
  await Promise.all(inboxes.map((inbox) => inbox.until(({ events }) => events.length > 0)));
  await Promise.all(numbers(20).map((number) => publishTo(signalbox, { channel: room(number) }, number)));
  for (const heard of await heardBy(signalbox, token, inboxes))
    expect(heard.sort((a, b) => a - b)).toEqual(numbers(20));
  for (const { events } of inboxes) {
    const [{ channels }, ...available] = events;
    const known = [...channels, ...available.map(({ channel }) => channel)].map(({ id }) => id);
    expect(known.sort()).toEqual(numbers(20).map(room).sort());
  }
});

test('an inbox that opens in the same breath as its token is subscribed knows every channel', async () => {
  await using signalbox = await startService({ maxOperationsPerConnection: 500 });
  await Promise.all(numbers(50).map((number) => createChannel(signalbox, room(number), { type: 'PUBLIC' })));
  const token = await mint(signalbox);
  const client = signalbox.client({ token: token.credential }, { lazy: false });
  await new Promise((resolve) => client.on('connected', resolve));
  // All of it leaves in one write and arrives in one turn of the event loop.
  const changes: Promise<unknown>[] = [];
  const inboxes = numbers(50).map((number) => {
    const inbox = subscribeResuming(client, EVENTS);
    changes.push(change(client, 'subscribeToken', room(number), token));
    return inbox;
  });
  await Promise.all(changes);
  for (const number of numbers(50)) await publishTo(signalbox, { channel: room(number) }, number);
  for (const heard of await heardBy(signalbox, token, inboxes)) expect(heard).toEqual(numbers(50));
  for (const { events } of inboxes) {
    const [{ channels }, ...available] = events;
    const known = [...channels, ...available.map(({ channel }) => channel)].map(({ id }) => id);
    expect(known.sort()).toEqual(numbers(50).map(room).sort());
  }
});

test('after subscribing and unsubscribing at once, live connections hear what the membership says', async () => {
  const random = createRandom();
  await using signalbox = await startService({ maxOperationsPerConnection: 500 });
  await Promise.all(numbers(20).map((number) => createChannel(signalbox, room(number))));
  const token = await mint(signalbox);
  const inboxes = await Promise.all(numbers(5).map(() => listen(signalbox, token)));
  const backend = signalbox.client(undefined, { lazy: false });
  await new Promise((resolve) => backend.on('connected', resolve));
  const changes = numbers(400).map(() => {
    const what = random() < 0.5 ? 'subscribeToken' : 'unsubscribeToken';
    return change(backend, what, room(Math.floor(random() * 20)), token);
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
  for (const heard of await heardBy(signalbox, token, inboxes)) expect(heard.sort()).toEqual(members);
  for (const { events } of inboxes) {
    for (const number of numbers(20)) {
      const told = events.filter(({ channel }) => channel?.id === room(number));
      expect(told.map(({ __typename }) => __typename)).toEqual(
        told.map((_, index) => (index % 2 === 0 ? 'ChannelAvailable' : 'ChannelUnavailable')),
      );
      expect(told.length % 2 === 1).toBe(members.includes(room(number)));
    }
  }
});
