import { afterAll, beforeAll, expect, test } from 'vitest';
import { referencedHeapBytes } from '../../../test/support/heap.ts';
import { createProxy } from '../../../test/support/proxy.ts';
import { startService, type TestService } from '../../../test/support/service.ts';
import { connectClient, createChannel, createMember, eventually, type Events } from './support/client.ts';

/** `channel.messages()`: the history, then live messages, as an iteration. */
let service: TestService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

async function publish(channel: string, texts: string[]): Promise<void> {
  for (let i = 0; i < texts.length; i += 100)
    await service.request(
      'mutation ($messages: [PublishMessageInput!]!) { publishMessages(messages: $messages) { error { code } } }',
      {
        messages: texts.slice(i, i + 100).map((text) => ({ channel, event: 'message', data: { text } })),
      },
    );
}
const textOf = (message: unknown) =>
  (message as { readonly data: Events['message'] } | undefined)?.data.text ?? '';
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `${from + i}`);

test('keeps 1,000 messages for a consumer that does not read on, and delivers every one of 1,300', async () => {
  await createChannel(service, 'slow');
  const { credential } = await createMember(service, 'ada', ['slow']);
  await using client = connectClient({ url: service.url, credential });
  const slow = client.channel('slow');
  const received: WeakRef<object>[] = [];
  slow.on('*', (message) => received.push(new WeakRef(message)));
  const messages = slow.messages();
  const first = messages.next();
  await eventually(() => client.viewer);
  const texts = numbered(1_300);
  await publish('slow', texts);
  await eventually(() => received.length === texts.length);
  const seen = [textOf((await first).value)];
  await eventually(() => {
    referencedHeapBytes();
    return received.slice(1_100).every((message) => message.deref() === undefined);
  });
  while (seen.length < texts.length) seen.push(textOf((await messages.next()).value));
  expect(seen).toEqual(texts);
  await publish('slow', ['live']);
  expect(textOf((await messages.next()).value)).toBe('live');
  await messages.return();
});

test('begins with the newest messages or after a cursor, goes on live across cuts, and ends with its signal', async () => {
  await createChannel(service, 'history');
  const { credential } = await createMember(service, 'ada', ['history']);
  await publish('history', numbered(250));
  await using proxy = await createProxy(Number(new URL(service.url).port));
  await using client = connectClient({ url: `http://127.0.0.1:${proxy.port}`, credential });
  const history = client.channel('history');
  const oldest = await history.history({ limit: 100 });
  const since = oldest.messages[0]!.cursor!;
  const stop = new AbortController();
  const read = async (options: object, into: string[]) => {
    for await (const message of history.messages({ ...options, signal: stop.signal }))
      into.push(textOf(message));
  };
  const [newest, after] = [[] as string[], [] as string[]];
  const reading = [read({ last: 20 }, newest), read({ since }, after)];
  await eventually(() => newest.length >= 20 && after.length >= 99);
  for (let round = 0; round < 3; round++) {
    proxy.cut();
    await publish('history', [`${250 + round}`]);
  }
  await eventually(() => newest.length >= 23 && after.length >= 102);
  stop.abort();
  await Promise.all(reading);
  expect(newest).toEqual(numbered(23, 230));
  expect(after).toEqual(numbered(102, 151));
  expect(history.size).toBe(0);
});

test('an iteration ends with the error of the client, after what it has received', async () => {
  await createChannel(service, 'ended');
  const { credential } = await createMember(service, 'ada', ['ended']);
  await using client = connectClient({ url: service.url, credential });
  const messages = client.channel('ended').messages();
  const first = messages.next();
  await eventually(() => client.viewer);
  await publish('ended', ['one', 'two']);
  await first;
  await client.close();
  expect(textOf((await messages.next()).value)).toBe('two');
  await expect(messages.next()).rejects.toMatchObject({ code: 'ENDED' });
});
