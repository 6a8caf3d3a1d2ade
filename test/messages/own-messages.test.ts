import { expect, test } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { numbers } from '../support/publish.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const MESSAGES = 'subscription { messages(channel: "room") { data idempotencyKey } }';
const INBOX = `subscription { events { ... on Connected { at } ... on ChannelMessage { message { data idempotencyKey } } } }`;

function publishAs(signalbox: TestService, bearer: string, data: number, key: string | null) {
  return signalbox.request(
    `mutation ($data: JSON, $key: String) {
      publishMessage(channel: "room", event: "m", data: $data, idempotencyKey: $key) { repeated message { idempotencyKey cursor } }
    }`,
    { data, key },
    bearer,
  );
}

test('Message.idempotencyKey is delivered to every connection of the sender, live and replayed, and to no other caller', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const [ada, bob] = [await mint(signalbox), await mint(signalbox)];
  const { cursor } = await mint(signalbox);
  for (const { id } of [ada, bob])
    await signalbox.request(
      'mutation ($t: ID!) { subscribeToken(channel: "room", token: $t) { createdAt } }',
      { t: id },
    );
  const readers = [
    ...[ada, ada, bob, bob].map(({ credential }) => ({
      own: credential,
      queue: queueResults(signalbox.client({ token: credential }), MESSAGES),
      read: ({ messages }: any) => messages,
    })),
    ...[ada, bob].map(({ credential }) => ({
      own: credential,
      queue: queueResults(signalbox.client({ token: credential }), INBOX),
      read: ({ events }: any) => events.message,
    })),
    ...[ada, bob].map(({ credential }) => ({
      own: credential,
      queue: queueResults(sseClient(signalbox, credential), MESSAGES),
      read: ({ messages }: any) => messages,
    })),
    {
      own: signalbox.apiKey,
      queue: queueResults(signalbox.client(), MESSAGES),
      read: ({ messages }: any) => messages,
    },
  ];
  for (const { queue } of readers.slice(4, 6)) await queue.next();
  while ((await publish(signalbox, 'room', 'are-all-there')) < readers.length);
  for (const { queue, read } of readers)
    while (read(await queue.next()).data === null && queue.waiting.length > 0);

  const sent = [
    { by: ada.credential, data: 1, key: 'of-ada' },
    { by: bob.credential, data: 2, key: 'of-bob' },
    { by: signalbox.apiKey, data: 3, key: 'of-backend' },
    { by: ada.credential, data: 4, key: null },
  ];
  // All are published in one turn, so that a batch has messages of several senders.
  const results = await Promise.all(sent.map(({ by, data, key }) => publishAs(signalbox, by, data, key)));
  expect(results.map(({ publishMessage }) => publishMessage.message.idempotencyKey)).toEqual(
    sent.map(({ key }) => key),
  );
  const expected = (own: string) =>
    sent.map(({ by, data, key }) => ({ data, idempotencyKey: by === own ? key : null }));
  const byData = (a: any, b: any) => a.data - b.data;
  for (const { own, queue, read } of readers) {
    const received: any[] = [];
    while (received.length < sent.length) {
      const message = read(await queue.next());
      if (message.data !== null) received.push(message);
    }
    expect(received.sort(byData)).toEqual(expected(own));
  }

  const { publishMessage: repeat } = await publishAs(signalbox, ada.credential, 1, 'of-ada');
  expect(repeat).toMatchObject({ repeated: true, message: { idempotencyKey: 'of-ada' } });
  for (const own of [ada.credential, bob.credential]) {
    const { channel } = await signalbox.request(
      '{ channel(id: "room") { messages(last: 4) { nodes { data idempotencyKey } } } }',
      {},
      own,
    );
    expect(channel.messages.nodes.sort(byData)).toEqual(expected(own));
    const replay = queueResults(
      signalbox.client({ token: own }),
      MESSAGES.replace(')', ', since: $since)').replace('subscription', 'subscription ($since: Cursor)'),
      { since: cursor },
    );
    const received = [];
    while (received.length < sent.length) {
      const { messages } = await replay.next();
      if (messages.data !== null) received.push(messages);
    }
    expect(received.sort(byData)).toEqual(expected(own));
  }
});

test('Message.ordinal counts the messages of each channel from 1, and starts again in a channel that is created again', async () => {
  await using signalbox = await startService();
  const publishIn = async (channel: string, ephemeral = false) => {
    const { publishMessage } = await signalbox.request(
      'mutation ($c: ID!, $e: Boolean) { publishMessage(channel: $c, event: "m", ephemeral: $e) { message { ordinal } } }',
      { c: channel, e: ephemeral },
    );
    return publishMessage.message.ordinal;
  };
  await createChannel(signalbox, 'room', { history: { messages: 2 } });
  await createChannel(signalbox, 'other');
  const sequences = [];
  for (const _ of numbers(3)) sequences.push(await publishIn('room'), await publishIn('other'));
  expect(sequences).toEqual([1, 1, 2, 2, 3, 3]);
  expect(await publishIn('room', true)).toBe(null);
  // What the purge removes keeps its number.
  await signalbox.service.retention.purge();
  expect(await publishIn('room')).toBe(4);
  const { channel } = await signalbox.request(
    '{ channel(id: "room") { messages(first: 5) { nodes { ordinal } } } }',
  );
  expect(channel.messages.nodes).toEqual([{ ordinal: 3 }, { ordinal: 4 }]);
  await signalbox.request('mutation { deleteChannel(id: "room") { id } }');
  await createChannel(signalbox, 'room');
  expect([await publishIn('room'), await publishIn('room'), await publishIn('other')]).toEqual([1, 2, 4]);
});
