import { expect, test } from 'vitest';
import { startService } from '../../../test/support/service.ts';
import { createProxy } from '../../../test/support/proxy.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';

test('delivers published messages to listeners, in order and each once, across 25 cuts', async () => {
  await using service = await startService();
  await createChannel(service);
  await using proxy = await createProxy(Number(new URL(service.url).port));
  const url = `http://127.0.0.1:${proxy.port}`;
  const [ada, bob] = [await createMember(service, 'ada'), await createMember(service, 'bob')];
  await using writer = connectClient({ url, credential: ada.credential });
  await using reader = connectClient({ url, credential: bob.credential });
  const seen: string[] = [];
  const own: string[] = [];
  reader.channel('lobby').on('message', ({ data }) => seen.push(data.text));
  writer.channel('lobby').on('message', ({ data }) => own.push(data.text));
  await eventually(() => reader.viewer && writer.viewer);

  const expected: string[] = [];
  const published: Promise<unknown>[] = [];
  for (let round = 0; round < 25; round++) {
    for (const part of ['a', 'b', 'c']) {
      expected.push(`${round}${part}`);
      published.push(writer.channel('lobby').publish('message', { text: `${round}${part}` }));
    }
    if (round % 2 === 0) await published.at(-2);
    const before = proxy.cuts;
    await eventually(() => {
      proxy.cut();
      return proxy.cuts > before;
    });
    await published.at(-3);
  }
  await Promise.all(published);
  await eventually(() => seen.length >= expected.length && own.length >= expected.length);
  expect(seen).toEqual(expected);
  expect(own).toEqual(expected);
  expect(proxy.cuts).toBeGreaterThanOrEqual(25);
  const { messages } = await writer.channel('lobby').history({ limit: 100 });
  expect(messages.map(({ data }) => data)).toEqual(expected.map((text) => ({ text })));
});

test('shows the newest page, an optimistic entry and its echo under one key', async () => {
  await using service = await startService();
  await createChannel(service);
  const ada = await createMember(service, 'ada');
  await using client = connectClient({ url: service.url, credential: ada.credential });
  const lobby = client.channel('lobby');
  const counts: number[] = [];
  const stop = lobby.subscribe(() => counts.push(lobby.getSnapshot().messages.length));
  const published = lobby.publish('message', { text: 'hello' });
  const [entry] = lobby.getSnapshot().messages;
  expect(entry).toMatchObject({ state: 'queued', data: { text: 'hello' }, isOwn: true });
  await published;
  const shown = await eventually(() =>
    lobby.getSnapshot().messages.find(({ state }) => state === 'published'),
  );
  expect(shown.key).toBe(entry?.key);
  await eventually(() => lobby.getSnapshot().members.length === 1);
  expect(lobby.getSnapshot().members).toMatchObject([{ identity: 'ada' }]);
  // The echo comes before the receipt, and must never stand beside the entry that it confirms.
  expect(new Set(counts)).toEqual(new Set([1]));
  stop();
});

test('follows an UNPROTECTED channel without a credential', async () => {
  await using service = await startService();
  await createChannel(service, 'open', 'UNPROTECTED');
  await using client = connectClient({ url: service.url, credential: 'anonymous' });
  const seen: unknown[] = [];
  client.channel('open').on('*', ({ data }) => seen.push(data));
  const stop = client.channel('open').subscribe(() => undefined);
  await service.request('mutation { setChannelState(channel: "open", state: { topic: 1 }) { id } }');
  await eventually(() => client.channel('open').state);
  await service.request(
    'mutation { publishMessage(channel: "open", event: "message", data: 1) { connections } }',
  );
  await eventually(() => seen.length > 0);
  expect(seen).toEqual([1]);
  stop();
});
