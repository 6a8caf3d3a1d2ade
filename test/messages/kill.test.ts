import { expect, test } from 'vitest';
import { createChannel, isOnline, mint } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { startProcess } from '../support/process.ts';
import { createProxy } from '../support/proxy.ts';
import { numbers, publishTo } from '../support/publish.ts';
import { type ServiceClient } from '../support/service.ts';

/** Eight at a time, until it is refused; calls `acknowledged` after each answer. Resolves to what was tried. */
async function sayUntilItDies(doors: ServiceClient, acknowledged: (data: string) => void): Promise<string[]> {
  const tried: string[] = [];
  const speakers = numbers(8).map(async (speaker) => {
    for (let number = 0; ; number++) {
      const data = `${speaker} ${number}`;
      tried.push(data);
      try {
        await publishTo(doors, { channel: 'room' }, data);
      } catch {
        return;
      }
      acknowledged(data);
    }
  });
  await Promise.all(speakers);
  return tried;
}

test('what was acknowledged before a kill -9 is replayed once and in order; what was not, at most once', async () => {
  using folder = createFolder();
  await using first = await startProcess({ folder: folder.path });
  await createChannel(first, 'room');
  const token = await mint(first, { channels: ['room'] });
  // It comes back by itself, to where the service is by then.
  let url = Promise.resolve(first.wsUrl);
  const client = first.client(
    { token: token.credential },
    { url: () => url, retryAttempts: 1, retryWait: () => Promise.resolve() },
  );
  const returning = subscribeResuming(client, EVENTS);
  await returning.until(({ events }) => events.length > 0);

  let restarted!: (url: string) => void;
  url = new Promise((resolve) => (restarted = resolve));
  const acknowledged: string[] = [];
  const tried = await sayUntilItDies(first, (data) => {
    if (acknowledged.push(data) === 400) first.kill('SIGKILL');
  });
  expect(await first.exited).toBe(null);

  await using second = await startProcess({ folder: folder.path });
  restarted(second.wsUrl);
  const late = subscribeResuming(second.client({ token: token.credential }), EVENTS, { since: token.cursor });
  await publishTo(second, { channel: 'room' }, 'the last');
  for (const followed of [returning, late]) {
    await followed.until(({ messages }) => messages.at(-1)?.data === 'the last');
    const heard = followed.messages.map(({ data }) => data as string).slice(0, -1);
    expect(heard.filter((data) => acknowledged.includes(data)).sort()).toEqual([...acknowledged].sort());
    expect(new Set(heard).size).toBe(heard.length);
    expect(heard.filter((data) => !tried.includes(data))).toEqual([]);
    for (const speaker of numbers(8)) {
      const own = heard.filter((data) => data.startsWith(`${speaker} `));
      expect(own).toEqual(numbers(own.length).map((number) => `${speaker} ${number}`));
    }
    expect(followed.events.filter(({ __typename }) => __typename === 'Gap')).toEqual([]);
  }
  expect(returning.messages).toEqual(late.messages);
  // Each names the one before: the log has no hole where it was torn.
  expect(late.messages.map(({ previous }) => previous)).toEqual([
    null,
    ...late.messages.slice(0, -1).map(({ cursor }) => cursor),
  ]);
  returning.stop();
});

test('a client that retries whatever happened comes back when the service does', async () => {
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
      // Without it a graphql-ws client gives up when nobody answers at the moment.
      shouldRetry: () => true,
      // The first time at once, to no avail.
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

test('memberships survive a kill -9; presence does not, until the token is back', async () => {
  using folder = createFolder();
  await using first = await startProcess({ folder: folder.path });
  await createChannel(first, 'room');
  const token = await mint(first);
  const here = subscribeResuming(first.client({ token: token.credential }), EVENTS);
  await here.until(({ events }) => events.length > 0);
  await first.request(`mutation ($t: ID!) { subscribeToken(channel: "room", token: $t) { createdAt } }`, {
    t: token.id,
  });
  expect(await isOnline(first, token.id)).toBe(true);
  first.kill('SIGKILL');
  await here.ended;

  await using second = await startProcess({ folder: folder.path });
  expect(await isOnline(second, token.id)).toBe(false);
  const back = subscribeResuming(second.client({ token: token.credential }), EVENTS);
  await back.until(({ events }) => events.length > 0);
  expect(back.events[0].channels).toEqual([{ id: 'room' }]);
  expect(await isOnline(second, token.id)).toBe(true);
  await publishTo(second, { channel: 'room' }, 'heard');
  await back.until(({ messages }) => messages.length > 0);
  expect(back.messages[0]?.data).toBe('heard');
});
