import { expect, test } from 'vitest';
import { createChannel, mint, subscribeToken } from '../support/backend.ts';
import { EVENTS, subscribeResuming, MESSAGES } from '../support/resuming-subscription.ts';
import { publishNumbers, numbers, publishTo } from '../support/publish.ts';
import { startService, type ServiceClient } from '../support/service.ts';

interface Page {
  data: any[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
  cursors: string[];
}

const ARGS = 'first: $first, after: $after, last: $last, before: $before';
const HISTORY = `query ($channel: ID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  channel(id: $channel) { messages(${ARGS}) {
    edges { cursor node { cursor data } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}`;

async function page(
  { request }: ServiceClient,
  args: object = {},
  bearer?: string,
  channel = 'room',
): Promise<Page> {
  const { edges, pageInfo } = (await request(HISTORY, { channel, ...args }, bearer)).channel.messages;
  expect(edges.map(({ cursor }: any) => cursor)).toEqual(edges.map(({ node }: any) => node.cursor));
  return {
    ...pageInfo,
    data: edges.map(({ node }: any) => node.data),
    cursors: edges.map(({ cursor }: any) => cursor),
  };
}

const codeOf = async ({ ask }: ServiceClient, args: object, bearer?: string) =>
  (await ask(HISTORY, { channel: 'room', ...args }, bearer)).errors?.[0]?.extensions['code'];

test('messages(first) and messages(last) return each message once, page by page', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  // Messages of another channel lie in between in the same log.
  for (const part of numbers(5)) {
    await publishNumbers(signalbox, 'room', 11, part * 11);
    await publishNumbers(signalbox, 'other', 30);
  }
  const forwards: any[] = [];
  for (let after: string | null = null; ;) {
    const read: Page = await page(signalbox, { first: 20, after });
    forwards.push(...read.data);
    expect(read.hasNextPage).toBe(forwards.length < 55);
    if (!read.hasNextPage) break;
    after = read.endCursor;
  }
  expect(forwards).toEqual(numbers(55));
  const backwards: any[] = [];
  for (let before: string | null = null; ;) {
    const read: Page = await page(signalbox, { last: 20, before });
    backwards.unshift(...read.data);
    expect(read.hasPreviousPage).toBe(backwards.length < 55);
    if (!read.hasPreviousPage) break;
    before = read.startCursor;
  }
  expect(backwards).toEqual(numbers(55));
  expect((await page(signalbox)).data).toEqual(numbers(20, 35));
  const exact = await page(signalbox, { first: 55 });
  expect(exact).toMatchObject({ hasNextPage: false, data: numbers(55) });
  expect(await page(signalbox, { last: 55 })).toMatchObject({ hasPreviousPage: false, data: numbers(55) });
});

test('a subscription since the endCursor of a page misses no message, even when the page is empty', async () => {
  await using signalbox = await startService({ purgeIntervalMs: 3_600_000 });
  await createChannel(signalbox, 'room', { history: { messages: 0 } });
  await publishNumbers(signalbox, 'room', 3, -3);
  await signalbox.service.retention.purge();
  await signalbox.request(
    'mutation { updateChannel(id: "room", input: { history: { messages: 1000 } }) { id } }',
  );
  const empty = [await page(signalbox, { last: 10 }), await page(signalbox, { first: 10 })];
  await publishNumbers(signalbox, 'room', 30);
  const latest = await page(signalbox, { last: 10 });
  const middle = await page(signalbox, { first: 10 });
  const beyond = await page(signalbox, { first: 10, after: latest.endCursor });
  await publishNumbers(signalbox, 'room', 5, 30);
  const client = signalbox.client();
  const rooms = [...empty, latest, middle, beyond].map(({ endCursor: since }) =>
    subscribeResuming(client, MESSAGES, { channel: 'room', since: since! }),
  );
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await Promise.all(rooms.map((room) => room.until(({ messages }) => messages.at(-1)?.data === 'the last')));
  const received = rooms.map(({ messages }) => messages.slice(0, -1).map(({ data }) => data));
  expect(received).toEqual([numbers(35), numbers(35), numbers(5, 30), numbers(25, 10), numbers(5, 30)]);
});

test('a member of a PRIVATE channel reads the messages since its membership began; non-members get FORBIDDEN', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'public', { type: 'PUBLIC' });
  const token = await mint(signalbox);
  for (const channel of ['room', 'public']) await publishNumbers(signalbox, channel, 3);
  expect(await codeOf(signalbox, {}, token.credential)).toBe('FORBIDDEN');
  await subscribeToken(signalbox, 'room', token.id);
  await publishNumbers(signalbox, 'room', 3, 3);
  for (const args of [{ first: 10 }, { last: 10 }])
    expect((await page(signalbox, args, token.credential)).data).toEqual([3, 4, 5]);
  expect((await page(signalbox, {}, token.credential, 'public')).data).toEqual([0, 1, 2]);
});

test('a page fails with POSITION_LOST after a cursor with purged successors; without a cursor it returns the retained messages', async () => {
  await using signalbox = await startService({ retentionMessages: 5 });
  await createChannel(signalbox, 'room');
  const published = await publishNumbers(signalbox, 'room', 20);
  await signalbox.service.retention.purge();
  expect(await codeOf(signalbox, { first: 5, after: published[3]!.cursor })).toBe('POSITION_LOST');
  expect((await page(signalbox, { first: 10 })).data).toEqual(numbers(5, 15));
  expect((await page(signalbox, { first: 10, after: published[14]!.cursor })).data).toEqual(numbers(5, 15));
  expect((await page(signalbox, { last: 10, before: published[3]!.cursor })).data).toEqual([]);
});

test('history rejects page sizes outside 1–100 and arguments for both directions', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const cursor = (await publishNumbers(signalbox, 'room', 1))[0]!.cursor;
  for (const args of [{ first: 0 }, { first: 101 }, { first: -1 }, { last: 0 }, { last: 101 }])
    expect(await codeOf(signalbox, args)).toBe('BAD_USER_INPUT');
  for (const args of [
    { first: 1, last: 1 },
    { first: 1, before: cursor },
    { after: cursor, last: 1 },
  ])
    expect(await codeOf(signalbox, args)).toBe('BAD_USER_INPUT');
  expect((await page(signalbox, { first: 100 })).data).toEqual([0]);
});

const DIRECT_HISTORY = `query ($first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  viewer { directMessages(${ARGS}) {
    nodes { data channel } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}`;

test('viewer.directMessages returns messages published to an offline token and to its identity', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const [phone, laptop] = [
    await mint(signalbox, { identity: 'ada', channels: ['room'] }),
    await mint(signalbox, { identity: 'ada' }),
  ];
  await mint(signalbox, { identity: 'bob' });
  for (const number of numbers(30)) {
    const to = [{ token: phone.id }, { identity: 'ada' }, { token: laptop.id }, { identity: 'bob' }][
      number % 4
    ]!;
    expect((await publishTo(signalbox, to, number)).connections).toBe(0);
    await publishTo(signalbox, { channel: 'room' }, 'aside');
  }
  const own = numbers(30).filter((number) => number % 4 < 2);
  const directMessages = async (args: object) =>
    (await signalbox.request(DIRECT_HISTORY, args, phone.credential)).viewer.directMessages;
  const dataOf = ({ nodes }: any) => nodes.map(({ data }: any) => data);
  expect(dataOf(await directMessages({ first: 100 }))).toEqual(own);
  const newest = await directMessages({ last: 5 });
  expect(dataOf(newest)).toEqual(own.slice(-5));
  expect(newest.pageInfo.hasPreviousPage).toBe(true);
  const rest = await directMessages({ last: 100, before: newest.pageInfo.startCursor });
  expect([...dataOf(rest), ...dataOf(newest)]).toEqual(own);
  expect(rest.pageInfo.hasPreviousPage).toBe(false);
  const oldest = await directMessages({ first: 5 });
  expect(dataOf(oldest)).toEqual(own.slice(0, 5));
  expect(dataOf(await directMessages({ first: 100, after: oldest.pageInfo.endCursor }))).toEqual(
    own.slice(5),
  );

  const inbox = subscribeResuming(signalbox.client({ token: phone.credential }), EVENTS, {
    since: phone.cursor,
  });
  await inbox.until(({ messages }) => messages.length === 30 + own.length);
  const direct = inbox.messages.filter(({ channel }) => channel === null);
  expect(direct.map(({ data }) => data)).toEqual(own);
});

test('a direct message to an identity is delivered to every connection of all its tokens, and to no other', async () => {
  await using signalbox = await startService();
  const tokens = await Promise.all(
    ['ada', 'ada', 'bob', undefined].map((identity) => mint(signalbox, { identity })),
  );
  const inboxes = [...tokens, tokens[0]!].map(({ credential }) =>
    subscribeResuming(signalbox.client({ token: credential }), EVENTS),
  );
  await Promise.all(inboxes.map((inbox) => inbox.until(({ events }) => events.length > 0)));
  const { connections } = await publishTo(signalbox, { identity: 'ada' }, 'for ada');
  expect(connections).toBe(3);
  for (const { id } of tokens) await publishTo(signalbox, { token: id }, 'the last');
  await Promise.all(
    inboxes.map((inbox) => inbox.until(({ messages }) => messages.at(-1)?.data === 'the last')),
  );
  const received = inboxes.map(({ messages }) => messages.map(({ data }) => data));
  const ada = ['for ada', 'the last'];
  expect(received).toEqual([ada, ada, ['the last'], ['the last'], ada]);
});
