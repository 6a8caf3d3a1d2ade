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

const MESSAGES_SAID = 3000;
const CUTS = 25;
/** A connection lives for so many bytes from the service: long enough for the answer to its upgrade, short enough for all cuts to happen while there is something to say. */
const LIFE_BYTES = { least: 300, most: 30_000 };
const PADDING = 'x'.repeat(200);

/** Ten at a time, over HTTP; a message says who said it and how many it had said before. */
async function sayEverything(signalbox: TestService, places: PublishTarget[]): Promise<void> {
  const speakers = numbers(10).map((speaker) =>
    publishMany(
      signalbox,
      numbers(MESSAGES_SAID / 10).map((number) => ({
        to: places[(speaker + number) % places.length]!,
        data: { speaker, number, PADDING },
      })),
    ),
  );
  await Promise.all(speakers);
}

/** Each names the one before it at the same address, from the first on. */
function expectUnbroken({ messages }: ResumingSubscription): void {
  const last = new Map<string | null, string | null>();
  for (const { channel, previous, cursor } of messages) {
    expect(previous).toBe(last.get(channel) ?? null);
    last.set(channel, cursor);
  }
}

async function beCutOff(
  places: (token: MintedToken) => PublishTarget[],
  listen: (client: Client, token: MintedToken) => ResumingSubscription,
  generateID: () => string,
): Promise<void> {
  const random = createRandom();
  await using signalbox = await startService();
  await createChannel(signalbox, 'one');
  await createChannel(signalbox, 'two');
  const token = await mint(signalbox, { channels: ['one', 'two'] });
  let lives = 0;
  await using proxy = await createProxy(Number(new URL(signalbox.url).port), () => {
    const life = LIFE_BYTES.least + Math.floor(random() * (LIFE_BYTES.most - LIFE_BYTES.least));
    return ++lives <= CUTS ? life : undefined;
  });

  const params = { token: token.credential };
  const retrying = { retryAttempts: CUTS + 1, retryWait: () => Promise.resolve(), generateID };
  const client = signalbox.client(params, { url: `ws://127.0.0.1:${proxy.port}/graphql`, ...retrying });
  const cutOff = listen(client, token);
  const spared = listen(signalbox.client(params), token);
  await Promise.all([spared, cutOff].map((followed) => followed.until(({ lastCursor }) => !!lastCursor)));

  await sayEverything(signalbox, places(token));
  await publishTo(signalbox, places(token)[0]!, 'the last');
  const isThrough = ({ messages }: ResumingSubscription) => messages.at(-1)?.data === 'the last';
  await Promise.all([spared.until(isThrough), cutOff.until(isThrough)]);

  expect(proxy.cuts).toBe(CUTS);
  expect(new Set(cutOff.messages.map(({ id }) => id)).size).toBe(MESSAGES_SAID + 1);
  expect(cutOff.messages).toEqual(spared.messages);
  expectUnbroken(cutOff);
  for (const speaker of numbers(10)) {
    const heard = cutOff.messages.filter(({ data }) => data.speaker === speaker);
    expect(heard.map(({ data }) => data.number)).toEqual(numbers(MESSAGES_SAID / 10));
  }
  expect(cutOff.events.filter(({ __typename }) => __typename === 'Gap')).toEqual([]);
}

test('an inbox that is cut off 25 times yields each message once and in order', async () => {
  let operations = 0;
  await beCutOff(
    ({ id: token }) => [{ channel: 'one' }, { channel: 'two' }, { token }],
    (client) => subscribeResuming(client, EVENTS),
    () => String(++operations),
  );
});

test('the messages of a channel, cut off 25 times under operation ids nobody shares, come once and in order', async () => {
  await beCutOff(
    () => [{ channel: 'one' }],
    (client, { cursor }) => subscribeResuming(client, MESSAGES, { channel: 'one', since: cursor }),
    () => crypto.randomUUID(),
  );
});
