import { expect, test } from 'vitest';
import { createChannel, mint, type MintedToken } from '../support/backend.ts';
import {
  EVENTS,
  subscribeResuming,
  MESSAGES,
  type ResumingSubscription,
} from '../support/resuming-subscription.ts';
import {
  publishNumbers,
  numbers,
  publishTo,
  publishRequest,
  type PublishOptions,
  type PublishTarget,
} from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

/** The error extensions of a publish, or undefined when it succeeds. */
async function refusal(
  signalbox: TestService,
  to: PublishTarget,
  data: unknown,
  options?: PublishOptions,
  bearer?: string,
): Promise<any> {
  const { query, variables } = publishRequest(to, data, options);
  return (await signalbox.ask(query, variables, bearer)).errors?.[0]?.extensions;
}

async function listen(signalbox: TestService, { credential }: MintedToken): Promise<ResumingSubscription> {
  const inbox = subscribeResuming(signalbox.client({ token: credential }), EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  return inbox;
}

const room = { channel: 'room' };

test('all subscribers receive concurrent publishes in the same order', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const tokens = await Promise.all(numbers(2).map(() => mint(signalbox, { channels: ['room', 'other'] })));
  const inboxes = await Promise.all(tokens.map((token) => listen(signalbox, token)));
  const rooms = subscribeResuming(signalbox.client(), MESSAGES, { channel: 'room' });
  while ((await publishTo(signalbox, room, 'there?', { ephemeral: true })).connections < 3);
  const publishers = numbers(20).map((publisher) =>
    publishNumbers(signalbox, publisher % 2 === 0 ? 'room' : 'other', 50, publisher * 50),
  );
  await Promise.all(publishers);
  await publishTo(signalbox, room, 'the last');
  for (const followed of [...inboxes, rooms])
    await followed.until(({ messages }) => messages.at(-1)?.data === 'the last');

  const [first, second] = inboxes.map(({ messages }) => messages.filter(({ cursor }) => cursor !== null));
  expect(first).toHaveLength(1001);
  expect(second).toEqual(first);
  expect(rooms.messages.filter(({ cursor }) => cursor !== null)).toEqual(
    first!.filter(({ channel }) => channel === 'room'),
  );
  // The order of each publisher is preserved.
  for (const publisher of numbers(20)) {
    const own = first!.map(({ data }) => data).filter((data) => Math.floor(data / 50) === publisher);
    expect(own).toEqual(numbers(50, publisher * 50));
  }
});

test('a receipt counts each live connection once when it has several subscriptions', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  expect((await publishTo(signalbox, room, 'nobody')).connections).toBe(0);
  const token = await mint(signalbox, { channels: ['room'] });
  const client = signalbox.client({ token: token.credential });
  const followed = [
    subscribeResuming(client, EVENTS),
    subscribeResuming(client, EVENTS),
    subscribeResuming(client, MESSAGES, room),
  ];
  await Promise.all(followed.slice(0, 2).map((one) => one.until(({ events }) => events.length > 0)));
  await listen(signalbox, token);
  const { connections } = await publishTo(signalbox, room, 'the last');
  expect(connections).toBe(2);
  await Promise.all(followed.map((one) => one.until(({ messages }) => messages.at(-1)?.data === 'the last')));
  expect((await publishTo(signalbox, room, 'passing', { ephemeral: true })).connections).toBe(2);
  expect((await publishTo(signalbox, { token: token.id }, 'direct')).connections).toBe(2);
});

test('a direct message to a connection is delivered to that connection only, not stored and has no cursor', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox, { identity: 'ada' });
  const [firstInbox, secondInbox] = [await listen(signalbox, token), await listen(signalbox, token)];
  const { token: found } = await signalbox.request(
    `query ($t: ID!) { token(id: $t) { connections { id } } }`,
    {
      t: token.id,
    },
  );
  const [first, second] = found.connections.map(({ id }: { id: string }) => id);
  const receipts = [
    await publishTo(signalbox, { connection: first }, 'for the first'),
    await publishTo(signalbox, { connection: second }, 'for the second'),
  ];
  expect(receipts.map(({ connections, message }) => [connections, message.cursor])).toEqual([
    [1, null],
    [1, null],
  ]);
  await publishTo(signalbox, { token: token.id }, 'the last');
  const received = await Promise.all(
    [firstInbox, secondInbox].map(async (inbox) => {
      await inbox.until(({ messages }) => messages.at(-1)?.data === 'the last');
      return inbox.messages.map(({ data }) => data);
    }),
  );
  expect(received.sort()).toEqual([
    ['for the first', 'the last'],
    ['for the second', 'the last'],
  ]);
  const replayed = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await replayed.until(({ messages }) => messages.length > 0);
  expect(replayed.messages.map(({ data }) => data)).toEqual(['the last']);
  expect(await refusal(signalbox, { connection: 'conn_nobody' }, 1)).toMatchObject({ code: 'NOT_FOUND' });
});

test('data is stored unchanged up to maxDataBytes of UTF-8 and 32 levels of nesting', async () => {
  await using signalbox = await startService({ maxDataBytes: 1000 });
  await createChannel(signalbox, 'room');
  const values = [null, 0, '', 'é', false, [], {}, { ['__proto__']: 1, a: [null, { b: 'x' }] }];
  for (const value of values) expect((await publishTo(signalbox, room, value)).message.data).toEqual(value);
  const { channel } = await signalbox.request(`{ channel(id: "room") { messages { nodes { data } } } }`);
  expect(channel.messages.nodes.map(({ data }: { data: unknown }) => data)).toEqual(values);
  // 998 bytes plus two quotes fit, because é is two bytes.
  expect(await refusal(signalbox, room, 'é'.repeat(499))).toBeUndefined();
  expect(await refusal(signalbox, room, `${'é'.repeat(499)}x`)).toEqual({
    code: 'PAYLOAD_TOO_LARGE',
    retryable: false,
    field: 'data',
    limit: 1000,
  });
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  expect(await refusal(signalbox, room, deep(32))).toBeUndefined();
  expect(await refusal(signalbox, room, deep(33))).toMatchObject({ code: 'BAD_USER_INPUT', field: 'data' });
});

test('event names must be 1–128 letters, digits and _ . : ~ -', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  for (const event of ['x', 'Order.paid:v2~beta_1-2', 'x'.repeat(128)])
    expect(await refusal(signalbox, room, 1, { event })).toBeUndefined();
  for (const event of ['', 'x'.repeat(129), 'a b', 'a/b', 'é', 'a\n'])
    expect(await refusal(signalbox, room, 1, { event })).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'event',
    });
});

test('a direct message must name exactly one recipient, which must exist', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox, { identity: 'ada' });
  const both = await refusal(signalbox, { token: token.id, identity: 'ada' }, 1);
  expect(both).toMatchObject({ code: 'BAD_USER_INPUT', field: 'token' });
  expect(await refusal(signalbox, {} as PublishTarget, 1)).toMatchObject({
    code: 'BAD_USER_INPUT',
    field: 'token',
  });
  for (const to of [{ token: 'token_nobody' }, { identity: 'nobody' }, { connection: 'conn_nobody' }])
    expect(await refusal(signalbox, to, 1)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await refusal(signalbox, room, 1)).toMatchObject({ code: 'NOT_FOUND' });
});
