import { cpSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createChannel, mint, subscribeToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import {
  DIRECT_MESSAGES,
  EVENTS,
  subscribeResuming,
  MESSAGES,
  type ResumingSubscription,
} from '../support/resuming-subscription.ts';
import { publishNumbers, numbers, publishTo, publishMany } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';
import { overfillSocket, stall, startLargeMessageService } from '../support/stall.ts';

const dataOf = ({ messages }: ResumingSubscription) => messages.map(({ data }) => data);
const gapsOf = ({ events }: ResumingSubscription) => events.filter(({ __typename }) => __typename === 'Gap');
const isComplete = ({ messages }: ResumingSubscription) => messages.at(-1)?.data === 'the last';
const codeOf = (error: any) => error[0].extensions.code as string;

const purge = ({ service }: TestService) => service.retention.purge();
const keepOnly = ({ request }: TestService, channel: string, messages: number) =>
  request(
    `mutation ($c: ID!, $h: HistoryPolicyInput) { updateChannel(id: $c, input: { history: $h }) { id } }`,
    {
      c: channel,
      h: { messages },
    },
  );

test('a Gap names exactly the channels that lost messages after the cursor, and retained messages are replayed', async () => {
  await using signalbox = await startService({ retentionMessages: 5 });
  for (const channel of ['early', 'busy', 'quiet', 'later']) await createChannel(signalbox, channel);
  const token = await mint(signalbox, { channels: ['early', 'busy', 'quiet'] });
  const early = await publishNumbers(signalbox, 'early', 20);
  const since = early.at(-1)!.cursor!;
  await publishNumbers(signalbox, 'busy', 20);
  await publishNumbers(signalbox, 'later', 20);
  await publishNumbers(signalbox, 'quiet', 5, 100);
  await subscribeToken(signalbox, 'later', token.id);
  await purge(signalbox);

  const client = signalbox.client({ token: token.credential });
  const inbox = subscribeResuming(client, EVENTS, { since });
  await publishTo(signalbox, { token: token.id }, 'the last');
  await inbox.until(isComplete);
  // The token became a member of “later” after messages that the cursor precedes.
  expect(gapsOf(inbox)).toEqual([
    { __typename: 'Gap', reason: 'MEMBERSHIP', channels: [{ id: 'later' }], directMessages: false },
    { __typename: 'Gap', reason: 'RETENTION', channels: [{ id: 'busy' }], directMessages: false },
  ]);
  expect(inbox.events.map(({ __typename }) => __typename)).toEqual(['Connected', 'Gap', 'Gap']);
  expect(dataOf(inbox)).toEqual([...numbers(5, 15), ...numbers(5, 100), 'the last']);
});

test('a Gap sets directMessages when direct messages were lost', async () => {
  await using signalbox = await startService({ retentionMessages: 5 });
  const token = await mint(signalbox, { identity: 'ada' });
  const to = { identity: 'ada' };
  await publishMany(
    signalbox,
    numbers(20).map((data) => ({ to, data })),
  );
  await purge(signalbox);
  const client = signalbox.client({ token: token.credential });
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await inbox.until(({ messages }) => messages.length === 5);
  expect(gapsOf(inbox)).toEqual([
    { __typename: 'Gap', reason: 'RETENTION', channels: [], directMessages: true },
  ]);
  expect(dataOf(inbox)).toEqual(numbers(5, 15));
});

test('a Gap is delivered once, before the retained messages, when the replay has many pages', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'short', { history: { messages: 1 } });
  await createChannel(signalbox, 'long');
  const token = await mint(signalbox, { channels: ['short', 'long'] });
  const all = numbers(1000).map((data) => ({ to: { channel: data % 2 === 0 ? 'long' : 'short' }, data }));
  await publishMany(signalbox, all);
  await purge(signalbox);
  const inbox = queueResults(signalbox.client({ token: token.credential }), EVENTS, { since: token.cursor });
  const types = [(await inbox.next()).events.__typename, (await inbox.next()).events.__typename];
  expect(types).toEqual(['Connected', 'Gap']);
  const kept = [...numbers(500).map((number) => number * 2), 999];
  for (const number of kept) expect((await inbox.next()).events.message?.data).toBe(number);
});

/** More messages than one replay page; a stalled reader does not finish reading the first page. */
const MESSAGES_PUBLISHED = 300;

test('a purge during a replay yields a Gap in the inbox and ends messages(channel) with POSITION_LOST', async () => {
  await using signalbox = await startLargeMessageService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['room', 'other'] });
  await overfillSocket(signalbox, ['room'], MESSAGES_PUBLISHED);
  const clients = numbers(2).map(() => signalbox.client({ token: token.credential }));
  const readers = clients.map(stall);
  const inbox = queueResults(clients[0]!, EVENTS, { since: token.cursor });
  const room = subscribeResuming(clients[1]!, MESSAGES, { channel: 'room', since: token.cursor });
  // Wait until both subscriptions are live or replaying.
  while ((await publishTo(signalbox, { channel: 'room' }, 'there?', { ephemeral: true })).connections < 2);
  await keepOnly(signalbox, 'room', 10);
  await purge(signalbox);
  for (const reader of readers) reader.resume();
  expect(codeOf(await room.ended)).toBe('POSITION_LOST');
  const received = numbers(room.messages.length);
  expect(received.length).toBeGreaterThan(0);
  expect(received.length).toBeLessThan(MESSAGES_PUBLISHED);
  expect(room.messages.map(({ data }) => data.number)).toEqual(received);

  await publishTo(signalbox, { channel: 'other' }, 'the last');
  const results: any[] = [];
  do results.push((await inbox.next()).events);
  while (results.at(-1).message?.data !== 'the last');
  const gaps = results.filter(({ __typename }) => __typename === 'Gap');
  expect(gaps.length).toBeGreaterThan(0);
  for (const gap of gaps) expect(gap).toMatchObject({ reason: 'RETENTION', channels: [{ id: 'room' }] });
  // A purge runs in steps, and the replay may observe each step: messages are missing only after a Gap, and no retained message is missing.
  let next = 0;
  let isAfterGap = false;
  for (const { __typename, message } of results) {
    if (__typename === 'Gap') isAfterGap = true;
    const number: number | undefined = message?.data.number;
    if (number === undefined) continue;
    if (isAfterGap) expect(number).toBeGreaterThanOrEqual(next);
    else expect(number).toBe(next);
    next = number + 1;
    isAfterGap = false;
  }
  const lastReceived = results.flatMap(({ message }) => message?.data.number ?? []).slice(-10);
  expect(lastReceived).toEqual(numbers(10, MESSAGES_PUBLISHED - 10));
});

test('messages and directMessages fail with POSITION_LOST only when their own messages were purged', async () => {
  await using signalbox = await startService({ retentionMessages: 5 });
  await createChannel(signalbox, 'busy');
  await createChannel(signalbox, 'quiet');
  const token = await mint(signalbox, { channels: ['busy', 'quiet'] });
  const busy = await publishNumbers(signalbox, 'busy', 20);
  await publishNumbers(signalbox, 'quiet', 2);
  await purge(signalbox);
  const client = signalbox.client({ token: token.credential });
  const { cursor: since } = token;
  expect(codeOf(await subscribeResuming(client, MESSAGES, { channel: 'busy', since }).ended)).toBe(
    'POSITION_LOST',
  );
  const filtered = `subscription ($since: Cursor) { messages(channel: "busy", events: ["other"], since: $since) { id } }`;
  expect(await queueResults(client, filtered, { since }).ended).toMatchObject([
    {
      message: expect.stringContaining('the log does not keep their names'),
      extensions: { code: 'POSITION_LOST' },
    },
  ]);
  const quiet = subscribeResuming(client, MESSAGES, { channel: 'quiet', since });
  await quiet.until(({ messages }) => messages.length === 2);
  // The cursor of the newest purged message is the oldest cursor after which all messages are retained.
  const edge = subscribeResuming(client, MESSAGES, { channel: 'busy', since: busy[14]!.cursor! });
  await edge.until(({ messages }) => messages.length === 5);
  const direct = subscribeResuming(client, DIRECT_MESSAGES, { since });
  await publishMany(
    signalbox,
    numbers(20).map((data) => ({ to: { token: token.id }, data })),
  );
  await direct.until(({ messages }) => messages.length === 20);
  await purge(signalbox);
  expect(codeOf(await subscribeResuming(client, DIRECT_MESSAGES, { since }).ended)).toBe('POSITION_LOST');
});

test('a cursor beyond the head of a log restored from an older copy yields a Gap with POSITION_LOST', async () => {
  using folder = createFolder();
  using copy = createFolder();
  const token = await (async () => {
    await using signalbox = await startService({ data: folder.path });
    await createChannel(signalbox, 'room');
    const minted = await mint(signalbox, { channels: ['room'] });
    await publishNumbers(signalbox, 'room', 3);
    return minted;
  })();
  cpSync(folder.path, copy.path, { recursive: true });
  const ahead = await (async () => {
    await using signalbox = await startService({ data: folder.path });
    return (await publishNumbers(signalbox, 'room', 3, 3)).at(-1)!.cursor!;
  })();

  await using restored = await startService({ data: copy.path });
  const client = restored.client({ token: token.credential });
  const inbox = subscribeResuming(client, EVENTS, { since: ahead });
  await inbox.until(({ events }) => events.length === 2);
  expect(gapsOf(inbox)).toEqual([
    { __typename: 'Gap', reason: 'POSITION_LOST', channels: [{ id: 'room' }], directMessages: true },
  ]);
  const past = subscribeResuming(client, EVENTS, { since: token.cursor });
  await past.until(({ messages }) => messages.length === 3);
  expect(dataOf(past)).toEqual(numbers(3));
});
