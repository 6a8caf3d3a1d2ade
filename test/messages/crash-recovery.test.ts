import { expect, test } from 'vitest';
import { createChannel, isOnline, mint } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { startProcess } from '../support/process.ts';
import { createProxy } from '../support/proxy.ts';
import { numbers, publishTo } from '../support/publish.ts';
import { type ServiceClient } from '../support/service.ts';

/** Publishes from eight loops until a publish fails. Calls `onAcknowledged` after each receipt. Resolves to all attempted data. */
async function publishUntilCrash(
  service: ServiceClient,
  onAcknowledged: (data: string) => void,
): Promise<string[]> {
  const attempted: string[] = [];
  const publishers = numbers(8).map(async (publisher) => {
    for (let number = 0; ; number++) {
      const data = `${publisher} ${number}`;
      attempted.push(data);
      try {
        await publishTo(service, { channel: 'room' }, data);
      } catch {
        return;
      }
      onAcknowledged(data);
    }
  });
  await Promise.all(publishers);
  return attempted;
}

test('acknowledged messages are replayed once and in order after a kill -9, and unacknowledged ones at most once', async () => {
  using folder = createFolder();
  await using first = await startProcess({ folder: folder.path });
  await createChannel(first, 'room');
  const token = await mint(first, { channels: ['room'] });
  // The client reconnects by itself to the restarted service.
  let url = Promise.resolve(first.wsUrl);
  const client = first.client(
    { token: token.credential },
    { url: () => url, retryAttempts: 1, retryWait: () => Promise.resolve() },
  );
  const reconnecting = subscribeResuming(client, EVENTS);
  await reconnecting.until(({ events }) => events.length > 0);

  let restarted!: (url: string) => void;
  url = new Promise((resolve) => (restarted = resolve));
  const acknowledged: string[] = [];
  const attempted = await publishUntilCrash(first, (data) => {
    if (acknowledged.push(data) === 400) first.kill('SIGKILL');
  });
  expect(await first.exited).toBe(null);

  await using second = await startProcess({ folder: folder.path });
  restarted(second.wsUrl);
  const late = subscribeResuming(second.client({ token: token.credential }), EVENTS, { since: token.cursor });
  await publishTo(second, { channel: 'room' }, 'the last');
  for (const followed of [reconnecting, late]) {
    await followed.until(({ messages }) => messages.at(-1)?.data === 'the last');
    const received = followed.messages.map(({ data }) => data as string).slice(0, -1);
    expect(received.filter((data) => acknowledged.includes(data)).sort()).toEqual([...acknowledged].sort());
    expect(new Set(received).size).toBe(received.length);
    expect(received.filter((data) => !attempted.includes(data))).toEqual([]);
    for (const publisher of numbers(8)) {
      const own = received.filter((data) => data.startsWith(`${publisher} `));
      expect(own).toEqual(numbers(own.length).map((number) => `${publisher} ${number}`));
    }
    expect(followed.events.filter(({ __typename }) => __typename === 'Gap')).toEqual([]);
  }
  expect(reconnecting.messages).toEqual(late.messages);
  // Each message names the previous one, so the log has no hole where the process was killed.
  expect(late.messages.map(({ previous }) => previous)).toEqual([
    null,
    ...late.messages.slice(0, -1).map(({ cursor }) => cursor),
  ]);
  reconnecting.stop();
});

test('a client with shouldRetry reconnects when the service is back', async () => {
  using folder = createFolder();
  await using first = await startProcess({ folder: folder.path });
  let port = Number(new URL(first.url).port);
  await using proxy = await createProxy(() => port);
  await createChannel(first, 'room');
  const token = await mint(first, { channels: ['room'] });
  let restarted!: () => void;
  const restart = new Promise<void>((resolve) => (restarted = resolve));
  const client = first.client(
    { token: token.credential },
    {
      url: `ws://127.0.0.1:${proxy.port}/graphql`,
      retryAttempts: 2,
      // By default, a graphql-ws client gives up when the connection is refused.
      shouldRetry: () => true,
      // The first retry is immediate and fails.
      retryWait: (retries) => (retries === 0 ? Promise.resolve() : restart),
    },
  );
  const refused = new Promise((resolve) => client.on('error', resolve));
  const inbox = subscribeResuming(client, EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  first.kill('SIGKILL');
  await refused;

  await using second = await startProcess({ folder: folder.path });
  await publishTo(second, { channel: 'room' }, 'while it was away');
  port = Number(new URL(second.url).port);
  restarted();
  await inbox.until(({ messages }) => messages.length === 1);
  expect(inbox.messages[0]?.data).toBe('while it was away');
  inbox.stop();
});

test('memberships survive a kill -9; the token is offline until it reconnects', async () => {
  using folder = createFolder();
  await using first = await startProcess({ folder: folder.path });
  await createChannel(first, 'room');
  const token = await mint(first);
  const inbox = subscribeResuming(first.client({ token: token.credential }), EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  await first.request(`mutation ($t: ID!) { subscribeToken(channel: "room", token: $t) { createdAt } }`, {
    t: token.id,
  });
  expect(await isOnline(first, token.id)).toBe(true);
  first.kill('SIGKILL');
  await inbox.ended;

  await using second = await startProcess({ folder: folder.path });
  expect(await isOnline(second, token.id)).toBe(false);
  const newInbox = subscribeResuming(second.client({ token: token.credential }), EVENTS);
  await newInbox.until(({ events }) => events.length > 0);
  expect(newInbox.events[0].channels).toEqual([{ id: 'room' }]);
  expect(await isOnline(second, token.id)).toBe(true);
  await publishTo(second, { channel: 'room' }, 'delivered');
  await newInbox.until(({ messages }) => messages.length > 0);
  expect(newInbox.messages[0]?.data).toBe('delivered');
});
