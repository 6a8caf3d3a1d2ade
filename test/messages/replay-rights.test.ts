import { expect, test } from 'vitest';
import { createChannel, mint, subscribeToken, updateToken, type MintedToken } from '../support/backend.ts';
import {
  EVENTS,
  subscribeResuming,
  MESSAGES,
  type ResumingSubscription,
} from '../support/resuming-subscription.ts';
import { publishNumbers, numbers, publishTo } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';
import { overfillSocket, stall, startLargeMessageService, STALLING_MESSAGES } from '../support/stall.ts';

/** What the token's inbox replays of the channels since the token was made. */
async function replayed(signalbox: TestService, { id, credential, cursor }: MintedToken): Promise<any[]> {
  const sentinel = crypto.randomUUID();
  await publishTo(signalbox, { token: id }, sentinel);
  const inbox = subscribeResuming(signalbox.client({ token: credential }), EVENTS, { since: cursor });
  await inbox.until(({ messages }) => messages.at(-1)?.data === sentinel);
  inbox.stop();
  return inbox.messages.filter(({ channel }) => channel !== null).map(({ data }) => data);
}

const dataOf = ({ messages }: ResumingSubscription) => messages.map(({ data }) => data);
const unsubscribe = (signalbox: TestService, channel: string, token: string) =>
  signalbox.request(
    `mutation ($c: ID!, $t: ID!) { unsubscribeToken(channel: $c, token: $t) { createdAt } }`,
    {
      c: channel,
      t: token,
    },
  );

test('nothing is replayed from before the membership began, nor from an earlier one', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const token = await mint(signalbox);
  await publishNumbers(signalbox, 'room', 3);
  await subscribeToken(signalbox, 'room', token.id);
  await publishNumbers(signalbox, 'room', 3, 3);
  expect(await replayed(signalbox, token)).toEqual([3, 4, 5]);
  await unsubscribe(signalbox, 'room', token.id);
  await publishNumbers(signalbox, 'room', 3, 6);
  await subscribeToken(signalbox, 'room', token.id);
  await publishNumbers(signalbox, 'room', 3, 9);
  expect(await replayed(signalbox, token)).toEqual([9, 10, 11]);
});

test('messages(channel) shows a member of a PRIVATE channel nothing from before it was let in', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox);
  await publishNumbers(signalbox, 'room', 3);
  await subscribeToken(signalbox, 'room', token.id);
  await publishNumbers(signalbox, 'room', 3, 3);
  const client = signalbox.client({ token: token.credential });
  const room = subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor });
  await room.until(({ messages }) => messages.length === 3);
  expect(dataOf(room)).toEqual([3, 4, 5]);
});

test('what a token may no longer hear is not replayed: unsubscribed, narrowed in role or in grants', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'private');
  await createChannel(signalbox, 'public', { type: 'PUBLIC' });
  const token = await mint(signalbox, { channels: ['private', 'public'] });
  for (const number of numbers(4))
    await publishTo(signalbox, { channel: number % 2 === 0 ? 'private' : 'public' }, number);
  expect(await replayed(signalbox, token)).toEqual([0, 1, 2, 3]);
  await updateToken(signalbox, token.id, { role: 'GUEST' });
  expect(await replayed(signalbox, token)).toEqual([1, 3]);
  await updateToken(signalbox, token.id, {
    role: 'SUBSCRIBER',
    grants: [{ channels: 'pri*', actions: ['SUBSCRIBE'] }],
  });
  expect(await replayed(signalbox, token)).toEqual([0, 2]);
  // Being allowed to see who is there is not being allowed to hear.
  await updateToken(signalbox, token.id, { grants: [{ channels: '*', actions: ['PRESENCE'] }] });
  expect(await replayed(signalbox, token)).toEqual([]);
  await updateToken(signalbox, token.id, { grants: null });
  await unsubscribe(signalbox, 'public', token.id);
  expect(await replayed(signalbox, token)).toEqual([0, 2]);
});

test('a token that is narrowed in the middle of a replay hears no more of it', async () => {
  await using signalbox = await startLargeMessageService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['room', 'other'] });
  await overfillSocket(signalbox, ['room', 'other']);
  const client = signalbox.client({ token: token.credential });
  const reader = stall(client);
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await narrowOnceListening(signalbox, token, () =>
    updateToken(signalbox, token.id, { grants: [{ channels: 'room', actions: ['SUBSCRIBE'] }] }),
  );
  reader.resume();
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await inbox.until(({ messages }) => messages.at(-1)?.data === 'the last');
  const numbersOf = (channel: string) =>
    inbox.messages.filter((message) => message.channel === channel).map(({ data }) => data.number);
  const others = numbersOf('other');
  expect(others.length).toBeLessThan(STALLING_MESSAGES / 2);
  expect(others).toEqual(numbers(others.length).map((index) => index * 2 + 1));
  expect(numbersOf('room').slice(0, -1)).toEqual(numbers(STALLING_MESSAGES / 2).map((index) => index * 2));
});

test('a membership that ends and begins anew in the middle of a replay shows nothing from between', async () => {
  await using signalbox = await startLargeMessageService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  await overfillSocket(signalbox, ['room']);
  const client = signalbox.client({ token: token.credential });
  const reader = stall(client);
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await narrowOnceListening(signalbox, token, async () => {
    await unsubscribe(signalbox, 'room', token.id);
    await publishTo(signalbox, { channel: 'room' }, 'between');
    await subscribeToken(signalbox, 'room', token.id);
  });
  reader.resume();
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await inbox.until(({ messages }) => messages.at(-1)?.data === 'the last');
  const before = inbox.messages.filter(({ channel }) => channel === 'room').map(({ data }) => data.number);
  expect(before.pop()).toBe(undefined);
  expect(before.length).toBeLessThan(STALLING_MESSAGES);
  expect(before).toEqual(numbers(before.length));
});

test('a channel that is deleted and made anew does not show what was said in the old one', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const token = await mint(signalbox, { channels: ['room'] });
  await publishNumbers(signalbox, 'room', 3);
  await signalbox.request(`mutation { deleteChannel(id: "room") { id } }`);
  expect(await replayed(signalbox, token)).toEqual([]);
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  await publishNumbers(signalbox, 'room', 3, 3);
  const client = signalbox.client({ token: token.credential });
  const room = subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor });
  await room.until(({ messages }) => messages.length === 3);
  expect(dataOf(room)).toEqual([3, 4, 5]);
  // The membership went with the old channel.
  expect(await replayed(signalbox, token)).toEqual([]);
  const { channel } = await signalbox.request(`{ channel(id: "room") { messages { nodes { data } } } }`);
  expect(channel.messages.nodes.map(({ data }: { data: number }) => data)).toEqual([3, 4, 5]);
});

/** Runs `narrow` once the token's subscription is there to feel it. */
async function narrowOnceListening(
  signalbox: TestService,
  { id }: MintedToken,
  narrow: () => Promise<unknown>,
): Promise<void> {
  // A signal that passes the log counts a connection only once it listens.
  for (;;) {
    const { connections } = await publishTo(signalbox, { token: id }, 'there?', { ephemeral: true });
    if (connections === 1) break;
  }
  await narrow();
}
