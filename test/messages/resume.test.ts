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
import { startService } from '../support/service.ts';
import { overfillSocket, stall, startLargeMessageService, STALLING_MESSAGES } from '../support/stall.ts';

const dataOf = ({ messages }: ResumingSubscription) => messages.map(({ data }) => data);
const isThrough = ({ messages }: ResumingSubscription) => messages.at(-1)?.data === 'the last';

/** The cursor that each message names as the one before it. */
function expectChain(messages: readonly ReceivedMessage[], first: string | null): void {
  expect(messages.map(({ previous }) => previous)).toEqual([
    first,
    ...messages.slice(0, -1).map(({ cursor }) => cursor),
  ]);
}

test('events, messages and directMessages go on after the cursor they are given', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const { id, credential } = token;
  const said = await publishMany(
    signalbox,
    numbers(20).map((data) => ({ to: data % 2 === 0 ? { channel: 'room' } : { token: id }, data })),
  );
  const client = signalbox.client({ token: credential });
  const even = numbers(20).filter((number) => number % 2 === 0);
  const odd = numbers(20).filter((number) => number % 2 === 1);
  const inbox = subscribeResuming(client, EVENTS, { since: said[4]!.cursor! });
  const room = subscribeResuming(client, MESSAGES, { channel: 'room', since: said[4]!.cursor! });
  // A cursor of one stream is a cursor of every other.
  const direct = subscribeResuming(client, DIRECT_MESSAGES, { since: said[4]!.cursor! });
  await inbox.until(({ messages }) => messages.length === 15);
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await publishTo(signalbox, { token: id }, 'the last');
  await Promise.all([inbox, room, direct].map((followed) => followed.until(isThrough)));
  await inbox.until(({ messages }) => messages.length === 17);
  expect(dataOf(inbox)).toEqual([...numbers(15, 5), 'the last', 'the last']);
  expect(dataOf(room)).toEqual([...even.filter((number) => number > 4), 'the last']);
  expect(dataOf(direct)).toEqual([...odd.filter((number) => number > 4), 'the last']);
});

test('Connected names the head of the log on a fresh start and the given cursor on a resumed one', async () => {
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

test('the cursor of a new token misses nothing of what is said before it first connects', async () => {
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

test('each message names the one before it in its channel or at its direct address', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'one');
  await createChannel(signalbox, 'two');
  const token = await mint(signalbox, { channels: ['one', 'two'], identity: 'ada' });
  const places = [{ channel: 'one' }, { channel: 'two' }, { token: token.id }, { identity: 'ada' }];
  const places40 = numbers(40).map((data) => ({ to: places[data % 4]!, data }));
  const said = await publishMany(signalbox, places40);
  const client = signalbox.client({ token: token.credential });
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await inbox.until(({ messages }) => messages.length === 40);
  expect(inbox.messages).toEqual(said);
  for (const place of numbers(4)) {
    expectChain(
      inbox.messages.filter(({ data }) => data % 4 === place),
      null,
    );
  }
  // Whoever comes late is told where the chain it joins was.
  const late = subscribeResuming(client, EVENTS, { since: said[19]!.cursor! });
  await late.until(({ messages }) => messages.length === 20);
  for (const place of numbers(4)) {
    const own = late.messages.filter(({ data }) => data % 4 === place);
    expectChain(own, said[16 + place]!.cursor);
  }
});

test('ephemeral messages have no cursor, break no chain and are not replayed', async () => {
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
  await live.until(isThrough);
  expect(dataOf(live)).toEqual(['kept', 'passing', 'passing by', 'the last']);
  expect(live.messages.map(({ cursor }) => cursor === null)).toEqual([false, true, true, false]);
  expect(live.messages.map(({ previous }) => previous)).toEqual([null, null, null, live.messages[0]!.cursor]);

  const replayed = [
    subscribeResuming(client, EVENTS, { since: token.cursor }),
    subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor }),
  ];
  await Promise.all(replayed.map((followed) => followed.until(isThrough)));
  for (const followed of replayed) expect(dataOf(followed)).toEqual(['kept', 'the last']);
});

test('whoever resumes after 5,000 messages while more are said hears all of them once and in order', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['room', 'other'] });
  await publishNumbers(signalbox, 'room', 5000);
  const client = signalbox.client({ token: token.credential });
  const followed = [
    subscribeResuming(client, EVENTS, { since: token.cursor }),
    subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor }),
  ];
  // Until they are caught up with what was said before they came, and live.
  let next = 5000;
  while (followed.some(({ messages }) => messages.length <= 5200)) {
    await publishNumbers(signalbox, 'room', 10, next);
    next += 10;
  }
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await Promise.all(followed.map((one) => one.until(isThrough)));
  for (const one of followed) expect(dataOf(one)).toEqual([...numbers(next), 'the last']);
});

test('what is said while a reader is stalled at the end of its replay follows, once and in order', async () => {
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
  await inbox.until(isThrough);
  const kept = inbox.messages.filter(({ cursor }) => cursor !== null);
  expect(kept.map(({ data }) => data.number ?? data)).toEqual([
    ...numbers(STALLING_MESSAGES + 300),
    'the last',
  ]);
  // What passes by is held until the reader is there, and no longer.
  expect(inbox.messages.filter(({ data }) => data === 'passing')).toHaveLength(1);
  expect(inbox.messages.findIndex(({ data }) => data === 'passing')).toBeGreaterThanOrEqual(
    STALLING_MESSAGES,
  );
});
