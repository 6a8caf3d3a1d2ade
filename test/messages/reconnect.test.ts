import { type Client } from 'graphql-ws';
import { expect, test } from 'vitest';
import { createChannel, mint, type MintedToken } from '../support/backend.ts';
import {
  EVENTS,
  subscribeResuming,
  MESSAGES,
  type ResumingSubscription,
} from '../support/resuming-subscription.ts';
import { createProxy } from '../support/proxy.ts';
import { createRandom } from '../support/random.ts';
import { numbers, publishTo, publishMany, type PublishTarget } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

const MESSAGE_COUNT = 3000;
const DISCONNECTS = 25;
/**
 * The proxy disconnects after this many bytes from the service: enough for the upgrade response, and few enough that all
 * disconnects happen before the last message.
 */
const BYTES_PER_CONNECTION = { min: 300, max: 30_000 };
const PADDING = 'x'.repeat(200);

/** Publishes from ten loops over HTTP. Each message holds the number of its publisher and its number within the loop. */
async function publishAll(signalbox: TestService, targets: PublishTarget[]): Promise<void> {
  const publishers = numbers(10).map((publisher) =>
    publishMany(
      signalbox,
      numbers(MESSAGE_COUNT / 10).map((number) => ({
        to: targets[(publisher + number) % targets.length]!,
        data: { publisher, number, PADDING },
      })),
    ),
  );
  await Promise.all(publishers);
}

/** Expects each message to name the previous message of its channel. */
function expectUnbrokenChain({ messages }: ResumingSubscription): void {
  const last = new Map<string | null, string | null>();
  for (const { channel, previous, cursor } of messages) {
    expect(previous).toBe(last.get(channel) ?? null);
    last.set(channel, cursor);
  }
}

async function testReconnects(
  targets: (token: MintedToken) => PublishTarget[],
  listen: (client: Client, token: MintedToken) => ResumingSubscription,
  generateID: () => string,
): Promise<void> {
  const random = createRandom();
  await using signalbox = await startService();
  await createChannel(signalbox, 'one');
  await createChannel(signalbox, 'two');
  const token = await mint(signalbox, { channels: ['one', 'two'] });
  let connectionCount = 0;
  await using proxy = await createProxy(Number(new URL(signalbox.url).port), () => {
    const maxBytes =
      BYTES_PER_CONNECTION.min + Math.floor(random() * (BYTES_PER_CONNECTION.max - BYTES_PER_CONNECTION.min));
    return ++connectionCount <= DISCONNECTS ? maxBytes : undefined;
  });

  const params = { token: token.credential };
  const retrying = { retryAttempts: DISCONNECTS + 1, retryWait: () => Promise.resolve(), generateID };
  const client = signalbox.client(params, { url: `ws://127.0.0.1:${proxy.port}/graphql`, ...retrying });
  const interrupted = listen(client, token);
  const uninterrupted = listen(signalbox.client(params), token);
  await Promise.all(
    [uninterrupted, interrupted].map((followed) => followed.until(({ lastCursor }) => !!lastCursor)),
  );

  await publishAll(signalbox, targets(token));
  await publishTo(signalbox, targets(token)[0]!, 'the last');
  const isComplete = ({ messages }: ResumingSubscription) => messages.at(-1)?.data === 'the last';
  await Promise.all([uninterrupted.until(isComplete), interrupted.until(isComplete)]);

  expect(proxy.cuts).toBe(DISCONNECTS);
  expect(new Set(interrupted.messages.map(({ id }) => id)).size).toBe(MESSAGE_COUNT + 1);
  expect(interrupted.messages).toEqual(uninterrupted.messages);
  expectUnbrokenChain(interrupted);
  for (const publisher of numbers(10)) {
    const received = interrupted.messages.filter(({ data }) => data.publisher === publisher);
    expect(received.map(({ data }) => data.number)).toEqual(numbers(MESSAGE_COUNT / 10));
  }
  expect(interrupted.events.filter(({ __typename }) => __typename === 'Gap')).toEqual([]);
}

test('an inbox receives each message once and in order when its connection is cut 25 times', async () => {
  let operations = 0;
  await testReconnects(
    ({ id: token }) => [{ channel: 'one' }, { channel: 'two' }, { token }],
    (client) => subscribeResuming(client, EVENTS),
    () => String(++operations),
  );
});

test('messages(channel) receives each message once and in order when its connection is cut 25 times, with unique operation ids', async () => {
  await testReconnects(
    () => [{ channel: 'one' }],
    (client, { cursor }) => subscribeResuming(client, MESSAGES, { channel: 'one', since: cursor }),
    () => crypto.randomUUID(),
  );
});
