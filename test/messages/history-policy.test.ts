import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { publishMany, publishTo } from '../support/publish.ts';
import {
  EVENTS,
  MESSAGES,
  subscribeResuming,
  type ResumingSubscription,
} from '../support/resuming-subscription.ts';
import { startService, type TestService } from '../support/service.ts';

/** The purge never runs by itself in these tests. */
const WITHOUT_PURGE = { purgeIntervalMs: 3_600_000 };

const HISTORY = `query ($c: ID!, $first: Int, $after: Cursor, $last: Int) {
  channel(id: $c) { messages(first: $first, after: $after, last: $last) { nodes { data cursor } } }
}`;

/** The data of a page, or the code of the error. */
async function readPage(signalbox: TestService, channel: string, args: object): Promise<unknown> {
  const { data, errors } = await signalbox.ask(HISTORY, { c: channel, ...args });
  if (errors) return errors[0]?.extensions['code'];
  return data.channel.messages.nodes.map((node: { data: unknown }) => node.data);
}

/** The data of the messages of a channel that were stored. */
const stored = ({ messages }: ResumingSubscription) =>
  messages.filter(({ cursor }) => cursor !== null).map(({ data }) => data);

/** The messages that a reader receives who resumes with a cursor: in the inbox, in `messages(channel)` and in the history. */
async function readSince(signalbox: TestService, channel: string, credential: string, since: string) {
  const client = signalbox.client({ token: credential });
  const inbox = subscribeResuming(client, EVENTS, { since });
  const last = await publishTo(signalbox, { channel: 'marker' }, 'the last');
  await inbox.until(({ messages }) => messages.some(({ id }) => id === last.message.id));
  const inboxMessages = inbox.messages
    .filter((message) => message.channel === channel)
    .map(({ data }) => data);
  const reader = subscribeResuming(client, MESSAGES, { channel, since });
  let outcome: unknown;
  const isSettled = Promise.race([
    reader.ended,
    reader.until(({ messages }) => messages.some(({ data }) => data === 'live')),
  ]).then(
    (error: any) => (outcome = error?.[0].extensions.code ?? stored(reader)),
    (error: unknown) => (outcome = (error as any)[0].extensions.code),
  );
  // An ephemeral message marks the end of the replay. It is repeated because the first ones can precede the subscription.
  while (outcome === undefined) await publishTo(signalbox, { channel }, 'live', { ephemeral: true });
  await isSettled;
  inbox.stop();
  reader.stop();
  void client.dispose();
  return {
    gaps: inbox.events
      .filter(({ __typename }) => __typename === 'Gap')
      .map(({ reason, channels }) => [reason, channels]),
    events: inboxMessages,
    messages: outcome,
    after: await readPage(signalbox, channel, { first: 100, after: since }),
    last: await readPage(signalbox, channel, { last: 100 }),
    first: await readPage(signalbox, channel, { first: 100 }),
  };
}

test.each([
  ['messages: 5', { messages: 5 }, [15, 16, 17, 18, 19]],
  ['messages: 0', { messages: 0 }, []],
  ['seconds: 60', { seconds: 60 }, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]],
])('applies the history policy %s to history and resume before any purge', async (_, history, kept) => {
  const clock = createManualClock();
  await using signalbox = await startService(WITHOUT_PURGE, { clock });
  for (const channel of ['room', 'marker'])
    await createChannel(signalbox, channel, channel === 'room' ? { history } : {});
  const token = await mint(signalbox, { channels: ['room', 'marker'] });
  for (const data of Array(20).keys()) {
    if (data === 10) await clock.advance(61_000);
    await publishTo(signalbox, { channel: 'room' }, data);
  }
  expect(await readSince(signalbox, 'room', token.credential, token.cursor)).toEqual({
    gaps: [['RETENTION', [{ id: 'room' }]]],
    events: kept,
    messages: 'POSITION_LOST',
    after: 'POSITION_LOST',
    last: kept,
    first: kept,
  });
});

test('a live subscriber receives all messages under any history policy', async () => {
  await using signalbox = await startService(WITHOUT_PURGE);
  await createChannel(signalbox, 'room', { history: { messages: 0 } });
  const token = await mint(signalbox, { channels: ['room'] });
  const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  for (const data of [1, 2, 3]) await publishTo(signalbox, { channel: 'room' }, data);
  await inbox.until(({ messages }) => messages.length === 3);
  expect(inbox.messages.map(({ data }) => data)).toEqual([1, 2, 3]);
});

test('a purge changes nothing that a reader of a channel with a history policy sees', async () => {
  const policy = fc.oneof(
    fc.record({ messages: fc.nat(6) }),
    fc.record({ seconds: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ messages: fc.nat(6), seconds: fc.integer({ min: 1, max: 20 }) }),
  );
  const steps = fc.array(
    fc.oneof(fc.record({ wait: fc.nat(8) }), fc.record({ publish: fc.constantFrom('room', 'other') })),
    {
      minLength: 1,
      maxLength: 14,
    },
  );
  await fc.assert(
    fc.asyncProperty(policy, steps, fc.nat(14), async (history, script, resumeAt) => {
      const clock = createManualClock();
      await using signalbox = await startService(WITHOUT_PURGE, { clock });
      await createChannel(signalbox, 'room', { history });
      for (const channel of ['other', 'marker']) await createChannel(signalbox, channel);
      const token = await mint(signalbox, { channels: ['room', 'other', 'marker'] });
      let since = token.cursor;
      for (const [index, step] of script.entries()) {
        if ('wait' in step) await clock.advance(step.wait * 1000);
        else {
          const [published] = await publishMany(signalbox, [{ to: { channel: step.publish }, data: index }]);
          if (index <= resumeAt) since = published!.cursor!;
        }
      }
      const before = await readSince(signalbox, 'room', token.credential, since);
      await signalbox.service.retention.purge();
      expect(await readSince(signalbox, 'room', token.credential, since)).toEqual(before);
    }),
    { numRuns: 25 },
  );
});
