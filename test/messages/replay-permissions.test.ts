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

/** The data of the channel messages that the inbox replays from the creation of the token. */
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

test('the inbox replays no message from before the membership began or from an earlier membership', async () => {
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

test('messages(channel) of a PRIVATE channel replays no message from before the membership began', async () => {
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

test('the inbox does not replay channels after the token was unsubscribed or its role or grants were narrowed', async () => {
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
  // The action PRESENCE does not include SUBSCRIBE.
  await updateToken(signalbox, token.id, { grants: [{ channels: '*', actions: ['PRESENCE'] }] });
  expect(await replayed(signalbox, token)).toEqual([]);
  await updateToken(signalbox, token.id, { grants: null });
  await unsubscribe(signalbox, 'public', token.id);
  expect(await replayed(signalbox, token)).toEqual([0, 2]);
});

test('a replay omits the remaining messages of a channel when the grants of the token are narrowed', async () => {
  await using signalbox = await startLargeMessageService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['room', 'other'] });
  await overfillSocket(signalbox, ['room', 'other']);
  const client = signalbox.client({ token: token.credential });
  const reader = stall(client);
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await changeDuringReplay(signalbox, token, () =>
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

test('a replay omits messages published between two memberships when the membership is replaced during the replay', async () => {
  await using signalbox = await startLargeMessageService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  await overfillSocket(signalbox, ['room']);
  const client = signalbox.client({ token: token.credential });
  const reader = stall(client);
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await changeDuringReplay(signalbox, token, async () => {
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

test('messages(channel) replays nothing from before the membership once the channel has become PRIVATE during the replay', async () => {
  await using signalbox = await startLargeMessageService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const token = await mint(signalbox);
  await overfillSocket(signalbox, ['room']);
  await subscribeToken(signalbox, 'room', token.id);
  const client = signalbox.client({ token: token.credential });
  const reader = stall(client);
  const room = subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor });
  let isSubscribed = false;
  while (!isSubscribed) {
    const { connections } = await publishTo(signalbox, { channel: 'room' }, 'there?', { ephemeral: true });
    isSubscribed = connections === 1;
  }
  await publishTo(signalbox, { channel: 'room' }, 'as a member');
  await signalbox.request(`mutation { updateChannel(id: "room", input: { type: PRIVATE }) { type } }`);
  reader.resume();
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await room.until(({ messages }) => messages.at(-1)?.data === 'the last');
  const received = dataOf(room).filter((data) => data !== 'there?');
  expect(received.splice(-2)).toEqual(['as a member', 'the last']);
  expect(received.length).toBeLessThan(STALLING_MESSAGES);
  expect(received.map(({ number }) => number)).toEqual(numbers(received.length));
});

test('messages of a deleted channel are not replayed when a channel with the same id is created', async () => {
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
  // The membership was deleted with the old channel.
  expect(await replayed(signalbox, token)).toEqual([]);
  const { channel } = await signalbox.request(`{ channel(id: "room") { messages { nodes { data } } } }`);
  expect(channel.messages.nodes.map(({ data }: { data: number }) => data)).toEqual([3, 4, 5]);
});

/** Runs `change` when the subscription of the token is live or replaying. */
async function changeDuringReplay(
  signalbox: TestService,
  { id }: MintedToken,
  change: () => Promise<unknown>,
): Promise<void> {
  // An ephemeral message counts a connection only after it has subscribed.
  for (;;) {
    const { connections } = await publishTo(signalbox, { token: id }, 'there?', { ephemeral: true });
    if (connections === 1) break;
  }
  await change();
}
