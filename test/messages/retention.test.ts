import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createFolder } from '../support/folder.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { publishNumbers, numbers, publishTo, publishMany, publishOnSocket } from '../support/publish.ts';
import { isOnPostgres, startService, type ServiceClient, type TestService } from '../support/service.ts';

const HOUR_MS = 3_600_000;
const purge = ({ service }: TestService) => service.retention.purge();

/** The data of the retained messages of a channel, at most the newest 100. */
async function retained({ request }: ServiceClient, channel: string): Promise<any[]> {
  const answer = await request(
    `query ($c: ID!) { channel(id: $c) { messages(last: 100) { nodes { data } } } }`,
    {
      c: channel,
    },
  );
  return answer.channel.messages.nodes.map(({ data }: { data: unknown }) => data);
}

const setHistory = ({ request }: ServiceClient, channel: string, history: object) =>
  request(
    `mutation ($c: ID!, $h: HistoryPolicyInput) { updateChannel(id: $c, input: { history: $h }) { id } }`,
    {
      c: channel,
      h: history,
    },
  );

test('a purge keeps the newest messages up to retentionMessages or the history policy of the channel', async () => {
  await using signalbox = await startService({ retentionMessages: 20 });
  await createChannel(signalbox, 'service');
  await createChannel(signalbox, 'less', { history: { messages: 3 } });
  await createChannel(signalbox, 'none', { history: { messages: 0 } });
  for (const channel of ['service', 'less', 'none']) await publishNumbers(signalbox, channel, 50);
  await purge(signalbox);
  expect(await retained(signalbox, 'service')).toEqual(numbers(20, 30));
  expect(await retained(signalbox, 'less')).toEqual([47, 48, 49]);
  expect(await retained(signalbox, 'none')).toEqual([]);
  await purge(signalbox);
  expect(await retained(signalbox, 'less')).toEqual([47, 48, 49]);
});

test('a channel with history 0 delivers live messages, and a resumed inbox gets a Gap after a purge', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'none', { history: { messages: 0 } });
  const token = await mint(signalbox, { channels: ['none'] });
  const client = signalbox.client({ token: token.credential });
  const live = subscribeResuming(client, EVENTS);
  await live.until(({ events }) => events.length > 0);
  await publishNumbers(signalbox, 'none', 3);
  await live.until(({ messages }) => messages.length === 3);
  await purge(signalbox);
  const late = subscribeResuming(client, EVENTS, { since: token.cursor });
  await publishTo(signalbox, { token: token.id }, 'the last');
  await late.until(({ messages }) => messages.at(-1)?.data === 'the last');
  expect(late.messages).toHaveLength(1);
  expect(late.events[1]).toMatchObject({ reason: 'RETENTION', channels: [{ id: 'none' }] });
});

test('a purge keeps retentionMessages messages per direct address', async () => {
  await using signalbox = await startService({ retentionMessages: 5 });
  const [ada, bob] = [await mint(signalbox, { identity: 'ada' }), await mint(signalbox)];
  const all = numbers(10).flatMap((data) => [
    { to: { token: ada.id }, data },
    { to: { identity: 'ada' }, data: `ada ${data}` },
  ]);
  await publishMany(signalbox, [...all, { to: { token: bob.id }, data: 'bob' }]);
  await purge(signalbox);
  const directMessages = async (credential: string) =>
    (
      await signalbox.request(`{ viewer { directMessages(last: 100) { nodes { data } } } }`, {}, credential)
    ).viewer.directMessages.nodes.map(({ data }: { data: unknown }) => data);
  expect(await directMessages(ada.credential)).toEqual(
    numbers(5, 5).flatMap((data) => [data, `ada ${data}`]),
  );
  expect(await directMessages(bob.credential)).toEqual(['bob']);
});

test('a purge removes messages older than retentionSeconds or the history policy of the channel, also without new publishes', async () => {
  const clock = createManualClock();
  await using signalbox = await startService(
    { retentionSeconds: 3 * 3600, purgeIntervalMs: 3_600_000 },
    { clock },
  );
  await createChannel(signalbox, 'service');
  await createChannel(signalbox, 'hour', { history: { seconds: 3600 } });
  const token = await mint(signalbox, { channels: ['service', 'hour'] });
  for (const hour of numbers(3)) {
    await publishNumbers(signalbox, 'service', 2, hour * 2);
    await publishNumbers(signalbox, 'hour', 2, hour * 2);
    await clock.advance(HOUR_MS / 2);
    await purge(signalbox);
    await clock.advance(HOUR_MS / 2);
  }
  await purge(signalbox);
  expect(await retained(signalbox, 'service')).toEqual(numbers(6));
  // Published exactly one hour ago, so not older than one hour.
  expect(await retained(signalbox, 'hour')).toEqual([4, 5]);
  await clock.advance(1);
  await purge(signalbox);
  expect(await retained(signalbox, 'hour')).toEqual([]);
  expect(await retained(signalbox, 'service')).toEqual([2, 3, 4, 5]);
  await clock.advance(3 * HOUR_MS);
  await purge(signalbox);
  expect(await retained(signalbox, 'service')).toEqual([]);
  const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await inbox.until(({ events }) => events.length === 2);
  expect(inbox.events[1].channels).toEqual([{ id: 'hour' }, { id: 'service' }]);
});

test('a purge runs every purgeIntervalMs', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ retentionMessages: 2, purgeIntervalMs: 5000 }, { clock });
  await createChannel(signalbox, 'room');
  await publishNumbers(signalbox, 'room', 5);
  await clock.advance(4999);
  expect(await retained(signalbox, 'room')).toHaveLength(5);
  await clock.advance(1);
  await expect.poll(() => retained(signalbox, 'room')).toEqual([3, 4]);
});

test('a purge applies a reduced history policy without new publishes', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'size');
  await createChannel(signalbox, 'age');
  for (const channel of ['size', 'age']) await publishNumbers(signalbox, channel, 5);
  await purge(signalbox);
  await setHistory(signalbox, 'size', { messages: 2 });
  await setHistory(signalbox, 'age', { seconds: 60 });
  await clock.advance(61_000);
  await purge(signalbox);
  expect(await retained(signalbox, 'size')).toEqual([3, 4]);
  expect(await retained(signalbox, 'age')).toEqual([]);
});

test.skipIf(isOnPostgres)(
  'a purge removes the messages of a deleted channel, also when a channel with the same id was created',
  async () => {
    using folder = createFolder();
    await using signalbox = await startService({ data: folder.path });
    await createChannel(signalbox, 'room');
    await createChannel(signalbox, 'other');
    await createChannel(signalbox, 'again');
    for (const channel of ['room', 'again', 'other']) await publishNumbers(signalbox, channel, 5);
    await purge(signalbox);
    const rows = new Database(join(folder.path, 'signalbox.sqlite'), { readonly: true });
    const countRows = rows.prepare('select count(*) from messages').pluck();
    expect(countRows.get()).toBe(15);
    await signalbox.request(
      `mutation { deleteChannel(id: "room") { id } again: deleteChannel(id: "again") { id } }`,
    );
    await createChannel(signalbox, 'again');
    await publishNumbers(signalbox, 'again', 2);
    await purge(signalbox);
    expect(countRows.get()).toBe(5 + 2);
    rows.close();
  },
);

test('the first purge after a restart removes messages that the previous process did not purge', async () => {
  using folder = createFolder();
  const config = { data: folder.path, retentionMessages: 100 };
  {
    await using signalbox = await startService(config);
    await createChannel(signalbox, 'room', { history: { messages: 2 } });
    await createChannel(signalbox, 'minute', { history: { seconds: 60 } });
    await publishNumbers(signalbox, 'room', 5);
    await publishNumbers(signalbox, 'minute', 5);
  }
  const clock = createManualClock(Date.now() + 30_000);
  await using signalbox = await startService(config, { clock });
  await purge(signalbox);
  expect(await retained(signalbox, 'room')).toEqual([3, 4]);
  expect(await retained(signalbox, 'minute')).toHaveLength(5);
  await clock.advance(60_000);
  await purge(signalbox);
  expect(await retained(signalbox, 'minute')).toEqual([]);
});

test('messages are delivered during a purge of thousands of messages', async () => {
  await using signalbox = await startService({ retentionMessages: 1 });
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['other'] });
  await Promise.all(numbers(100).map((part) => publishNumbers(signalbox, 'room', 100, part * 100)));
  const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  const publisher = signalbox.client(undefined, { lazy: false });
  await publishOnSocket(publisher, { channel: 'other' }, 0);

  const order: string[] = [];
  const purging = purge(signalbox).then(() => order.push('purged'));
  for (const number of numbers(5, 1)) {
    await publishOnSocket(publisher, { channel: 'other' }, number);
    await inbox.until(({ messages }) => messages.at(-1)?.data === number);
    order.push(`received ${number}`);
  }
  await purging;
  expect(order.slice(0, 3)).toEqual(['received 1', 'received 2', 'received 3']);
  expect(await retained(signalbox, 'room')).toHaveLength(1);
});
