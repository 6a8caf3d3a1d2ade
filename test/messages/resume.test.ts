import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import {
  DIRECT_MESSAGES,
  EVENTS,
  subscribeResuming,
  MESSAGES,
  type ResumingSubscription,
  type ReceivedMessage,
} from '../support/resuming-subscription.ts';
import { publishNumbers, numbers, publishTo, publishMany } from '../support/publish.ts';
import { isOnPostgres, startService } from '../support/service.ts';
import { overfillSocket, stall, startLargeMessageService, STALLING_MESSAGES } from '../support/stall.ts';

const dataOf = ({ messages }: ResumingSubscription) => messages.map(({ data }) => data);
const isComplete = ({ messages }: ResumingSubscription) => messages.at(-1)?.data === 'the last';

/** Expects each message to name the previous message, and the first message to name `first`. */
function expectChain(messages: readonly ReceivedMessage[], first: string | null): void {
  expect(messages.map(({ previous }) => previous)).toEqual([
    first,
    ...messages.slice(0, -1).map(({ cursor }) => cursor),
  ]);
}

test('events, messages and directMessages resume after the given cursor', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const { id, credential } = token;
  const published = await publishMany(
    signalbox,
    numbers(20).map((data) => ({ to: data % 2 === 0 ? { channel: 'room' } : { token: id }, data })),
  );
  const client = signalbox.client({ token: credential });
  const even = numbers(20).filter((number) => number % 2 === 0);
  const odd = numbers(20).filter((number) => number % 2 === 1);
  const inbox = subscribeResuming(client, EVENTS, { since: published[4]!.cursor! });
  const room = subscribeResuming(client, MESSAGES, { channel: 'room', since: published[4]!.cursor! });
  // Cursors are interchangeable between streams.
  const direct = subscribeResuming(client, DIRECT_MESSAGES, { since: published[4]!.cursor! });
  await inbox.until(({ messages }) => messages.length === 15);
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await publishTo(signalbox, { token: id }, 'the last');
  await Promise.all([inbox, room, direct].map((followed) => followed.until(isComplete)));
  await inbox.until(({ messages }) => messages.length === 17);
  expect(dataOf(inbox)).toEqual([...numbers(15, 5), 'the last', 'the last']);
  expect(dataOf(room)).toEqual([...even.filter((number) => number > 4), 'the last']);
  expect(dataOf(direct)).toEqual([...odd.filter((number) => number > 4), 'the last']);
});

test('Connected.cursor is the head of the log on a fresh start and the given cursor on a resumed start', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const { credential } = await mint(signalbox, { channels: ['room'] });
  const [first, second] = await publishNumbers(signalbox, 'room', 2);
  const client = signalbox.client({ token: credential });
  const fresh = subscribeResuming(client, EVENTS);
  const resumed = subscribeResuming(client, EVENTS, { since: first!.cursor! });
  await Promise.all([fresh, resumed].map((followed) => followed.until(({ events }) => events.length > 0)));
  expect(fresh.events[0].cursor).toBe(second!.cursor);
  expect(resumed.events[0].cursor).toBe(first!.cursor);
});

test('an inbox resumed from the cursor of createToken receives all messages published before the first connection', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await publishNumbers(signalbox, 'room', 3, -3);
  const token = await mint(signalbox, { channels: ['room'] });
  await publishNumbers(signalbox, 'room', 3);
  await publishTo(signalbox, { token: token.id }, 'direct');
  const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await inbox.until(({ messages }) => messages.length === 4);
  expect(dataOf(inbox)).toEqual([0, 1, 2, 'direct']);
});

test('each message names the previous message of its channel or direct address', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'one');
  await createChannel(signalbox, 'two');
  const token = await mint(signalbox, { channels: ['one', 'two'], identity: 'ada' });
  const targets = [{ channel: 'one' }, { channel: 'two' }, { token: token.id }, { identity: 'ada' }];
  const drafts = numbers(40).map((data) => ({ to: targets[data % 4]!, data }));
  const published = await publishMany(signalbox, drafts);
  const client = signalbox.client({ token: token.credential });
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await inbox.until(({ messages }) => messages.length === 40);
  expect(inbox.messages).toEqual(published);
  for (const target of numbers(4)) {
    expectChain(
      inbox.messages.filter(({ data }) => data % 4 === target),
      null,
    );
  }
  // The first replayed message of each target names its previous message, which is not replayed.
  const late = subscribeResuming(client, EVENTS, { since: published[19]!.cursor! });
  await late.until(({ messages }) => messages.length === 20);
  for (const target of numbers(4)) {
    const own = late.messages.filter(({ data }) => data % 4 === target);
    expectChain(own, published[16 + target]!.cursor);
  }
});

test('ephemeral messages have no cursor, do not break the chain of previous messages and are not replayed', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const client = signalbox.client({ token: token.credential });
  const live = subscribeResuming(client, EVENTS, { since: token.cursor });
  await live.until(({ events }) => events.length > 0);
  await publishTo(signalbox, { channel: 'room' }, 'kept');
  await publishTo(signalbox, { channel: 'room' }, 'passing', { ephemeral: true });
  await publishTo(signalbox, { token: token.id }, 'passing by', { ephemeral: true });
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await live.until(isComplete);
  expect(dataOf(live)).toEqual(['kept', 'passing', 'passing by', 'the last']);
  expect(live.messages.map(({ cursor }) => cursor === null)).toEqual([false, true, true, false]);
  expect(live.messages.map(({ previous }) => previous)).toEqual([null, null, null, live.messages[0]!.cursor]);

  const replayed = [
    subscribeResuming(client, EVENTS, { since: token.cursor }),
    subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor }),
  ];
  await Promise.all(replayed.map((followed) => followed.until(isComplete)));
  for (const followed of replayed) expect(dataOf(followed)).toEqual(['kept', 'the last']);
});

/** On PostgreSQL each of them waits for a commit. */
const EARLIER = isOnPostgres ? 500 : 5000;

test('a resumed subscription receives each message once and in order when it replays thousands of messages during new publishes', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['room', 'other'] });
  await publishNumbers(signalbox, 'room', EARLIER);
  const client = signalbox.client({ token: token.credential });
  const followed = [
    subscribeResuming(client, EVENTS, { since: token.cursor }),
    subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor }),
  ];
  // Publish until both subscriptions have replayed the earlier messages and are live.
  let next = EARLIER;
  while (followed.some(({ messages }) => messages.length <= EARLIER + 200)) {
    await publishNumbers(signalbox, 'room', 10, next);
    next += 10;
  }
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await Promise.all(followed.map((one) => one.until(isComplete)));
  for (const one of followed) expect(dataOf(one)).toEqual([...numbers(next), 'the last']);
});

test('messages published while a reader is stalled during its replay are delivered once and in order', async () => {
  await using signalbox = await startLargeMessageService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  await overfillSocket(signalbox, ['room']);
  const client = signalbox.client({ token: token.credential });
  const reader = stall(client);
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  while ((await publishTo(signalbox, { channel: 'room' }, 'passing', { ephemeral: true })).connections === 0);
  await publishNumbers(signalbox, 'room', 300, STALLING_MESSAGES);
  reader.resume();
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await inbox.until(isComplete);
  const kept = inbox.messages.filter(({ cursor }) => cursor !== null);
  expect(kept.map(({ data }) => data.number ?? data)).toEqual([
    ...numbers(STALLING_MESSAGES + 300),
    'the last',
  ]);
  // The ephemeral message is buffered until the cut over, then delivered once.
  expect(inbox.messages.filter(({ data }) => data === 'passing')).toHaveLength(1);
  expect(inbox.messages.findIndex(({ data }) => data === 'passing')).toBeGreaterThanOrEqual(
    STALLING_MESSAGES,
  );
});
