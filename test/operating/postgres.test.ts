import { expect, test } from 'vitest';
import { MESSAGES, subscribeResuming } from '../support/resuming-subscription.ts';
import { API_KEY, type ServiceClient } from '../support/service.ts';
import { createChannel } from '../support/backend.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { launchProcess, startProcess } from '../support/process.ts';
import { publishTo } from '../support/publish.ts';

const MASTER_KEY = 'the-master-key-of-these-test-processes';
const HISTORY = `{ channel(id: "room") { messages(last: 10) { nodes { data } } } }`;

test('on PostgreSQL an acknowledged message survives kill -9, another master key is refused, stats reports the size, and no output holds the password', async (context) => {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const env = { SIGNALBOX_DATABASE_URL: url, SIGNALBOX_MASTER_KEY: MASTER_KEY, SIGNALBOX_API_KEY: API_KEY };
  const outputs: string[] = [];
  {
    await using first = await startProcess({ env });
    await createChannel(first, 'room');
    await publishTo(first, { channel: 'room' }, 'kept');
    first.kill('SIGKILL');
    await first.exited;
    outputs.push(first.stderr);
  }
  await using other = launchProcess({ env: { ...env, SIGNALBOX_MASTER_KEY: MASTER_KEY.toUpperCase() } });
  expect(await other.exited).toBe(1);
  expect(other.stderr).toContain('The store was written under another master key.');
  await using again = await startProcess({ env });
  expect(await again.request(HISTORY)).toEqual({ channel: { messages: { nodes: [{ data: 'kept' }] } } });
  const readSize = async () =>
    (await again.request('{ stats { store { databaseBytes walBytes } } }')).stats.store;
  let size = await readSize();
  // The service reads the size in the background, from its start on.
  while (size === null) size = await readSize();
  expect(size).toEqual({ databaseBytes: expect.any(Number), walBytes: 0 });
  outputs.push(other.stderr, again.stderr);
  expect(outputs.join('')).not.toContain(new URL(url).password);
});

test('two nodes deliver what either publishes; after kill -9 of one under load, its client resumes on the other and has every acknowledged message once', async (context) => {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const env = { SIGNALBOX_DATABASE_URL: url, SIGNALBOX_MASTER_KEY: MASTER_KEY, SIGNALBOX_API_KEY: API_KEY };
  await using first = await startProcess({ env });
  await using second = await startProcess({ env });
  await createChannel(first, 'room');
  const { message: start } = await publishTo(second, { channel: 'room' }, 'start');
  const variables = { channel: 'room', since: start.cursor ?? '' };
  const subscribe = (node: ServiceClient, since: string) =>
    subscribeResuming(node.client({ apiKey: API_KEY }, { retryAttempts: 0 }), MESSAGES, {
      ...variables,
      since,
    });
  const onFirst = subscribe(first, variables.since);
  const onSecond = subscribe(second, variables.since);
  const acknowledged: string[] = [];
  const publish = async (node: ServiceClient, prefix: string, count: number) => {
    for (let n = 0; n < count; n++) {
      const key = `${prefix}-${n}`;
      await publishTo(node, { channel: 'room' }, key, { idempotencyKey: key });
      acknowledged.push(key);
    }
  };
  await Promise.all([publish(first, 'a', 20), publish(second, 'b', 20)]);
  await Promise.all([onFirst, onSecond].map((one) => one.until(({ messages }) => messages.length === 40)));
  expect(onFirst.messages).toEqual(onSecond.messages);

  const interrupted = publish(first, 'c', 10_000).catch(() => 'interrupted');
  const beside = publish(second, 'd', 100);
  await onFirst.until(({ messages }) => messages.some(({ data }) => data === 'c-10'));
  first.kill('SIGKILL');
  expect(await interrupted).toBe('interrupted');
  await beside;
  await onFirst.ended;
  const resumed = subscribe(second, onFirst.lastCursor ?? '');
  const received = () => [...onFirst.messages, ...resumed.messages].map(({ data }) => data as string);
  await resumed.until(() => acknowledged.every((data) => received().includes(data)));
  await onSecond.until(({ messages }) => messages.length >= received().length);
  expect(received()).toEqual(onSecond.messages.map(({ data }) => data));
  expect(new Set(received()).size).toBe(received().length);
});

test('a copy that pg_dump made resumes older cursors, and answers POSITION_LOST to newer ones, also after it has published as much', async (context) => {
  requirePostgres(context);
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  const env = { SIGNALBOX_MASTER_KEY: MASTER_KEY, SIGNALBOX_API_KEY: API_KEY };
  let copy: string;
  let kept: string | null;
  let lost: string | null;
  {
    await using original = await startProcess({ env: { ...env, SIGNALBOX_DATABASE_URL: url } });
    await createChannel(original, 'room');
    kept = (await publishTo(original, { channel: 'room' }, 'kept')).message.cursor;
    copy = await server.dumpAndRestore(url);
    await publishTo(original, { channel: 'room' }, 'lost');
    lost = (await publishTo(original, { channel: 'room' }, 'lost, too')).message.cursor;
  }
  await using restored = await startProcess({ env: { ...env, SIGNALBOX_DATABASE_URL: copy } });
  const subscribe = (since: string | null) =>
    subscribeResuming(restored.client({ apiKey: API_KEY }, { retryAttempts: 0 }), MESSAGES, {
      channel: 'room',
      since: since ?? '',
    });
  const positionLost = [expect.objectContaining({ extensions: { code: 'POSITION_LOST', retryable: false } })];
  expect(await subscribe(lost).ended).toEqual(positionLost);
  const following = subscribe(kept);
  for (const data of ['a', 'b', 'c']) await publishTo(restored, { channel: 'room' }, data);
  await following.until(({ messages }) => messages.length === 3);
  expect(following.messages.map(({ data }) => data as string)).toEqual(['a', 'b', 'c']);
  expect(await subscribe(lost).ended).toEqual(positionLost);
});
