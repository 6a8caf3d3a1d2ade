import { expect, test } from 'vitest';
import { createChannel } from '../../../test/support/backend.ts';
import { API_KEY, startService, type TestService } from '../../../test/support/service.ts';
import { type MessageToPublish, Signalbox, SignalboxError, type SignalboxOptions } from '../src/index.ts';
import { createFaultyProxy, type Fault } from './support/faulty-proxy.ts';

async function openFront(faults: Fault[], options: Partial<SignalboxOptions> = {}, config = {}) {
  const service = await startService(config);
  await createChannel(service, 'news');
  const proxy = await createFaultyProxy(service.url, faults);
  return {
    service,
    proxy,
    signalbox: new Signalbox(API_KEY, { url: proxy.url, random: () => 0, ...options }),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

const rows = (count: number): MessageToPublish[] =>
  Array.from({ length: count }, (_, data) => ({ channel: 'news', event: 'row', data }));

/** The data of every message that the service has kept, in order. */
async function readAll({ url }: TestService): Promise<unknown[]> {
  const { channels } = new Signalbox(API_KEY, { url });
  const data: unknown[] = [];
  let page = await channels.history('news', { last: 100 });
  for (;;) {
    data.unshift(...page.messages.map((message) => message.data));
    if (!page.hasOlder) return data;
    page = await channels.history('news', { last: 100, before: page.startCursor ?? '' });
  }
}

test('publishes 250 messages in three calls, in order, with an outcome for each', async () => {
  await using opened = await openFront([]);
  const outcomes = await opened.signalbox.publishMessages(rows(250));
  expect(opened.proxy.requests).toBe(3);
  expect(outcomes.map(({ receipt }) => receipt?.message.data)).toEqual(rows(250).map(({ data }) => data));
  expect(await readAll(opened.service)).toEqual(rows(250).map(({ data }) => data));
  expect(await opened.signalbox.publishMessages([])).toEqual([]);
  expect(opened.proxy.requests).toBe(3);
});

test('splits by bytes of UTF-8, so that no request exceeds the limit of the service', async () => {
  await using opened = await openFront([]);
  const messages = rows(12).map((row) => ({ ...row, data: '€'.repeat(10_000) }));
  const outcomes = await opened.signalbox.publishMessages(messages);
  expect(outcomes.map(({ error }) => error)).toEqual(messages.map(() => null));
  // Two messages of 30 KB fit into a call of 60 KB only without their other fields.
  expect(opened.proxy.requests).toBe(12);
});

test('halves the calls for a service that accepts smaller requests, and refuses only what fits into none', async () => {
  await using opened = await openFront([], {}, { maxMessageBytes: 8_192 });
  const messages = rows(8).map((row, index) => ({
    ...row,
    data: 'x'.repeat(index === 5 ? 9_000 : 2_000),
  }));
  const outcomes = await opened.signalbox.publishMessages(messages);
  expect(outcomes.map(({ error }) => error?.code)).toEqual(
    messages.map((_, index) => (index === 5 ? 'PAYLOAD_TOO_LARGE' : undefined)),
  );
  expect(await readAll(opened.service)).toHaveLength(7);
});

test('reports a refusal at the index of its message, as the error class of the SDK', async () => {
  await using opened = await openFront([]);
  const outcomes = await opened.signalbox.publishMessages([
    { channel: 'news', event: 'one', idempotencyKey: 'k' },
    { channel: 'nowhere', event: 'one' },
    { channel: 'news', event: 'two', idempotencyKey: 'k' },
    { channel: 'news', event: 'one', idempotencyKey: 'k' },
    { channel: 'news', event: 'live', ephemeral: true },
  ]);
  expect(outcomes).toMatchObject([
    { receipt: { repeated: false }, error: null },
    { receipt: null, error: { code: 'NOT_FOUND', retryable: false } },
    { receipt: null, error: { code: 'CONFLICT' } },
    { receipt: { repeated: true }, error: null },
    { receipt: { message: { event: 'live', cursor: null } }, error: null },
  ]);
  expect(outcomes[1]?.error).toBeInstanceOf(SignalboxError);
});

test('publishes each message once when the answer of a call is lost', async () => {
  await using opened = await openFront(['lose the answer', 'bad gateway', 'none', 'lose the answer']);
  const outcomes = await opened.signalbox.publishMessages(rows(150));
  expect(outcomes.every(({ receipt }) => receipt?.repeated)).toBe(true);
  expect(await readAll(opened.service)).toEqual(rows(150).map(({ data }) => data));
});

test('never repeats a call with an ephemeral message whose answer is lost', async () => {
  await using opened = await openFront(['lose the answer']);
  const messages = [...rows(1), { channel: 'news', event: 'typing', ephemeral: true }];
  await expect(opened.signalbox.publishMessages(messages)).rejects.toMatchObject({ code: 'NETWORK_ERROR' });
  expect(opened.proxy.requests).toBe(1);
});

test('publishes again, after the wait that the service asks for, only what exceeded the rate', async () => {
  await using opened = await openFront([], { retries: 1 }, { publishesPerSecondPerKey: 8 });
  const messages = rows(26).map((row) => ({ ...row, ephemeral: Number(row.data) % 2 === 1 }));
  const outcomes = await opened.signalbox.publishMessages(messages);
  expect(outcomes.map(({ receipt }) => receipt?.message.data)).toEqual(messages.map(({ data }) => data));
  expect(await readAll(opened.service)).toHaveLength(13);
  // The burst of 16, then 8 a second: each round publishes some, so one repetition is enough for every wait.
  expect(opened.proxy.requests).toBeGreaterThan(2);
});

test('gives the messages that are still refused their errors when the repetitions are used up', async () => {
  await using opened = await openFront([], { retries: 0 }, { publishesPerSecondPerKey: 2 });
  const outcomes = await opened.signalbox.publishMessages(rows(6));
  expect(outcomes.map(({ error }) => error?.code ?? 'published')).toEqual([
    ...Array<string>(4).fill('published'),
    'RATE_LIMITED',
    'RATE_LIMITED',
  ]);
  expect(outcomes[5]?.error).toMatchObject({ retryable: true, retryAfterSeconds: 1 });
});

test('keeps the known outcomes when a later call fails, and rejects when the first one does', async () => {
  await using opened = await openFront(['none', 'bad gateway', 'bad gateway'], { retries: 0 });
  const outcomes = await opened.signalbox.publishMessages(rows(250));
  expect(outcomes.map(({ error }) => error?.code ?? 'published')).toEqual([
    ...Array<string>(100).fill('published'),
    ...Array<string>(150).fill('BAD_RESPONSE'),
  ]);
  expect(opened.proxy.requests).toBe(2);
  await expect(opened.signalbox.publishMessages(rows(2))).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
});

test('rejects with the reason of an aborted signal', async () => {
  await using opened = await openFront(['stall']);
  const reason = new Error('The job was cancelled.');
  const abort = new AbortController();
  const pending = opened.signalbox.publishMessages(rows(3), { signal: abort.signal });
  const rejected = expect(pending).rejects.toBe(reason);
  await opened.proxy.stalled;
  abort.abort(reason);
  await rejected;
});
