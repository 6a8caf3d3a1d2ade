import { expect, test } from 'vitest';
import { createChannel, mint, subscribeToken, unsubscribeToken } from '../support/backend.ts';
import { createIssuer, mintOpentok, OPENTOK, opentokSessionId } from '../support/external-credentials.ts';
import { numbers, publishNumbers, publishTo } from '../support/publish.ts';
import { EVENTS, subscribeResuming, type ResumingSubscription } from '../support/resuming-subscription.ts';
import { startService } from '../support/service.ts';

const gapsOf = ({ events }: ResumingSubscription) => events.filter(({ __typename }) => __typename === 'Gap');
const dataOf = ({ messages }: ResumingSubscription) => messages.map(({ data }) => data);
const isComplete = ({ messages }: ResumingSubscription) => messages.at(-1)?.data === 'the last';
const gap = (...channels: string[]) => ({
  __typename: 'Gap',
  reason: 'MEMBERSHIP',
  channels: channels.map((id) => ({ id })),
  directMessages: false,
});

test('a member that left and came back gets a Gap for exactly the channels with messages in between', async () => {
  await using signalbox = await startService();
  for (const channel of ['left', 'quiet', 'stayed']) await createChannel(signalbox, channel);
  const token = await mint(signalbox, { channels: ['left', 'quiet', 'stayed'] });
  const [first] = await publishNumbers(signalbox, 'left', 1);
  for (const channel of ['left', 'quiet']) await unsubscribeToken(signalbox, channel, token.id);
  await publishNumbers(signalbox, 'left', 3, 10);
  await publishNumbers(signalbox, 'stayed', 3, 20);
  for (const channel of ['left', 'quiet']) await subscribeToken(signalbox, channel, token.id);
  await publishTo(signalbox, { channel: 'left' }, 'the last');

  const client = signalbox.client({ token: token.credential });
  const inbox = subscribeResuming(client, EVENTS, { since: first!.cursor! });
  await inbox.until(isComplete);
  expect(gapsOf(inbox)).toEqual([gap('left')]);
  expect(dataOf(inbox)).toEqual([...numbers(3, 20), 'the last']);

  const again = subscribeResuming(client, EVENTS, { since: inbox.lastCursor });
  await publishTo(signalbox, { channel: 'left' }, 'the last');
  await again.until(isComplete);
  expect(gapsOf(again)).toEqual([]);
});

test('messages that were removed before the membership began are part of that Gap', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { history: { messages: 1 } });
  const token = await mint(signalbox);
  await publishNumbers(signalbox, 'room', 5);
  await subscribeToken(signalbox, 'room', token.id);
  await publishTo(signalbox, { channel: 'room' }, 'the last');
  await signalbox.service.retention.purge();
  const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await inbox.until(isComplete);
  expect(gapsOf(inbox)).toEqual([gap('room')]);
});

test('an OpenTok client that returns with its next token gets a Gap for what was published in between', async () => {
  await using signalbox = await startService();
  await createIssuer(signalbox, OPENTOK);
  const session = opentokSessionId('returning');
  const first = subscribeResuming(signalbox.client({ token: mintOpentok(session) }), EVENTS);
  await first.until(({ events }) => events.length > 0);
  await publishTo(signalbox, { channel: session }, 'seen');
  await first.until(({ messages }) => messages.length === 1);
  first.stop();
  await publishTo(signalbox, { channel: session }, 'missed');
  const second = subscribeResuming(signalbox.client({ token: mintOpentok(session) }), EVENTS, {
    since: first.lastCursor,
  });
  await second.until(({ events }) => events.length > 1);
  expect(gapsOf(second)).toEqual([gap(session)]);
});

test('a token that starts without a cursor, or with the cursor of its creation, gets no Gap', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await publishNumbers(signalbox, 'room', 3);
  const token = await mint(signalbox, { channels: ['room'] });
  for (const since of [undefined, token.cursor]) {
    const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, { since });
    await inbox.until(({ events }) => events.length > 0);
    await publishTo(signalbox, { token: token.id }, 'the last');
    await inbox.until(isComplete);
    expect(inbox.events.map(({ __typename }) => __typename)).toEqual(['Connected']);
  }
});
