import { expect, test } from 'vitest';
import { type Message } from '../../src/broker/message.ts';
import { type Sink } from '../../src/subscriptions/event-stream.ts';
import { type Event } from '../../src/subscriptions/event.ts';
import { createChannel, mint, publish, subscribeToken, unsubscribeToken } from '../support/backend.ts';
import { publishNumbers } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

/** Changes and messages between the opening of a subscription and its first event. */

async function connect({ service: { domain } }: TestService, credential: string) {
  return domain.connections.open(() => domain.authenticate.credential(credential), 'WEBSOCKET');
}

/** A sink that records what it receives. */
function record<T>() {
  const received: T[] = [];
  const sink: Sink<T> = {
    deliver: (values) => void received.push(...values),
    whenWritable: () => undefined,
    end: () => undefined,
  };
  return { received, sink };
}

test('a channel that becomes available before the inbox starts is announced by ChannelAvailable after Connected', async () => {
  await using signalbox = await startService();
  for (const channel of ['left', 'stayed']) await createChannel(signalbox, channel);
  const token = await mint(signalbox, { channels: ['left', 'stayed'] });
  const [first] = await publishNumbers(signalbox, 'left', 1);
  await unsubscribeToken(signalbox, 'left', token.id);
  await publishNumbers(signalbox, 'left', 3, 10);
  const connection = await connect(signalbox, token.credential);
  const { subscriptions } = signalbox.service.domain;
  const stream = await subscriptions.events(connection, { since: first!.cursor!, presence: false });

  await subscribeToken(signalbox, 'left', token.id);
  const { received, sink } = record<Event>();
  stream.attach(sink);
  expect(await publish(signalbox, 'left', 'after')).toBe(1);
  expect(received).toMatchObject([
    { type: 'Connected', channels: [{ id: 'stayed' }] },
    { type: 'ChannelAvailable', channel: { id: 'left' } },
    { type: 'ChannelMessage', message: { event: 'after' } },
  ]);
});

test('a message to a connection that arrives before its streams start is delivered when they start', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox);
  const connection = await connect(signalbox, token.credential);
  const { subscriptions } = signalbox.service.domain;
  const inbox = await subscriptions.events(connection, { presence: false });
  const direct = await subscriptions.directMessages(connection, {});

  const { publishDirectMessage } = await signalbox.request(
    `mutation ($c: ID!) { publishDirectMessage(connection: $c, event: "wave") { connections } }`,
    { c: connection.id },
  );
  expect(publishDirectMessage).toEqual({ connections: 1 });
  const events = record<Event>();
  inbox.attach(events.sink);
  const messages = record<Message>();
  direct.attach(messages.sink);
  expect(events.received).toMatchObject([
    { type: 'Connected' },
    { type: 'DirectMessage', message: { event: 'wave' } },
  ]);
  expect(messages.received).toMatchObject([{ event: 'wave' }]);
});

test('an inbox whose first event closes its connection does not read the log', async () => {
  await using signalbox = await startService();
  const connection = await connect(signalbox, (await mint(signalbox)).credential);
  const stream = await signalbox.service.domain.subscriptions.events(connection, { presence: false });
  stream.attach({
    deliver: () => connection.close('SLOW_CONSUMER'),
    whenWritable: () => undefined,
    end: () => undefined,
  });
  expect(stream.progress()).toMatchObject({ isCaughtUp: false });
});
