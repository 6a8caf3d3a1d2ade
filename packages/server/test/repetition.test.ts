import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { createChannel } from '../../../test/support/backend.ts';
import { createFolder } from '../../../test/support/folder.ts';
import { findFreePort } from '../../../test/support/free-port.ts';
import { startProcess } from '../../../test/support/process.ts';
import { API_KEY, startService, type ServiceClient } from '../../../test/support/service.ts';
import { Signalbox, SignalboxError, type SignalboxOptions } from '../src/index.ts';
import { createFaultyProxy, type Fault } from './support/faulty-proxy.ts';

/** A client that does not wait between attempts. */
const open = (url: string, options: Partial<SignalboxOptions> = {}) =>
  new Signalbox(API_KEY, { url, random: () => 0, ...options });

const caught = async (call: Promise<unknown>): Promise<SignalboxError> => {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SignalboxError)) throw new Error(`Not a SignalboxError: ${inspect(error)}`);
  return error;
};

async function countMessages({ request }: ServiceClient): Promise<number> {
  const { channel } = await request(`{ channel(id: "lobby") { messages(last: 100) { nodes { id } } } }`);
  return channel.messages.nodes.length;
}

test.each<{ faults: Fault[]; repeated: boolean }>([
  { faults: ['lose the answer', 'lose the answer'], repeated: true },
  { faults: ['outcome unknown'], repeated: true },
  { faults: ['bad gateway', 'rate limited'], repeated: false },
])('publishes once through $faults', async ({ faults, repeated }) => {
  await using service = await startService();
  await createChannel(service, 'lobby');
  const faultCount = faults.length;
  await using proxy = await createFaultyProxy(service.url, [...faults]);
  const receipt = await open(proxy.url).publishMessage('lobby', 'message', { text: 'hello' });
  expect(receipt).toMatchObject({ repeated, message: { event: 'message', data: { text: 'hello' } } });
  expect([proxy.requests, await countMessages(service)]).toEqual([faultCount + 1, 1]);
});

test('publishes once when the first answer takes longer than the time-out', async () => {
  await using service = await startService();
  await createChannel(service, 'lobby');
  await using proxy = await createFaultyProxy(service.url, ['stall']);
  // The time-out of the repetition must be long enough for a busy machine; the first one always runs out.
  const receipt = await open(proxy.url, { timeoutMs: 2_000 }).publishMessage('lobby', 'message');
  expect([receipt.repeated, proxy.requests, await countMessages(service)]).toEqual([true, 2, 1]);
});

test.each([
  ['lose the answer', 'NETWORK_ERROR'],
  ['bad gateway', 'BAD_RESPONSE'],
  ['outcome unknown', 'UNAVAILABLE'],
] as const)('never repeats createToken after “%s”', async (fault, code) => {
  await using service = await startService();
  await using proxy = await createFaultyProxy(service.url, [fault]);
  const error = await caught(open(proxy.url).tokens.create({ identity: 'ada' }));
  expect(error).toMatchObject({ code, retryable: true });
  expect(proxy.requests).toBe(1);
});

test('never repeats an ephemeral publish whose answer is lost, because it has no idempotency key', async () => {
  await using service = await startService();
  await createChannel(service, 'lobby');
  await using proxy = await createFaultyProxy(service.url, ['lose the answer']);
  await caught(open(proxy.url).publishMessage('lobby', 'typing', true, { ephemeral: true }));
  expect(proxy.requests).toBe(1);
});

test('repeats createToken when the service answers that nothing was changed', async () => {
  await using service = await startService();
  await using proxy = await createFaultyProxy(service.url, ['rate limited', 'rate limited', 'rate limited']);
  await open(proxy.url).tokens.create({ identity: 'ada' });
  expect(proxy.requests).toBe(4);
});

test('gives up after `retries` repetitions, with the last error', async () => {
  await using service = await startService();
  await using proxy = await createFaultyProxy(service.url, ['rate limited', 'rate limited']);
  const error = await caught(open(proxy.url, { retries: 1 }).channels.get('lobby'));
  expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 0 });
  expect(proxy.requests).toBe(2);
});

test('never repeats a refusal', async () => {
  await using service = await startService();
  await using proxy = await createFaultyProxy(service.url, []);
  const error = await caught(open(proxy.url).channels.get('lobby'));
  expect(error).toMatchObject({ name: 'SignalboxError', code: 'NOT_FOUND', retryable: false });
  expect(proxy.requests).toBe(1);
});

test('rejects with the reason of an aborted signal: before, during and between attempts', async () => {
  await using service = await startService();
  await using proxy = await createFaultyProxy(service.url, ['stall', 'bad gateway']);
  const signalbox = open(proxy.url, { random: () => 1 });
  const reason = new Error('The request of the user ended.');
  const before = signalbox.channels.get('lobby', { signal: AbortSignal.abort(reason) });
  await expect(before).rejects.toBe(reason);
  expect(proxy.requests).toBe(0);

  const during = new AbortController();
  const stalled = expect(signalbox.channels.get('lobby', { signal: during.signal })).rejects.toBe(reason);
  await proxy.stalled;
  during.abort(reason);
  await stalled;

  const between = new AbortController();
  const waiting = new Signalbox(API_KEY, {
    url: proxy.url,
    random: () => {
      // The wait before the second attempt begins in this turn.
      queueMicrotask(() => between.abort(reason));
      return 1;
    },
  }).channels.get('lobby', { signal: between.signal });
  await expect(waiting).rejects.toBe(reason);
  expect(proxy.requests).toBe(2);
});

test('keeps connections alive: 20 calls, one after the other, take at most two', async () => {
  await using service = await startService();
  await using proxy = await createFaultyProxy(service.url, []);
  const signalbox = open(proxy.url);
  for (let call = 0; call < 20; call++) await signalbox.tokens.create();
  expect(proxy.requests).toBe(20);
  // Node’s fetch may open a second one before the first is free again.
  expect(proxy.connections).toBeLessThanOrEqual(2);
});

test('a publish outlives a restart of the service, and createToken waits for one that is starting', async () => {
  using folder = createFolder();
  const port = await findFreePort();
  const start = () => startProcess({ folder: folder.path, env: { PORT: String(port) } });
  const url = `http://127.0.0.1:${port}`;
  const first = await start();
  await createChannel(first, 'lobby');
  const signalbox = new Signalbox(API_KEY, { url, retries: 10 });
  await signalbox.publishMessage('lobby', 'message', 1);
  first.kill('SIGKILL');
  await first.exited;
  await first[Symbol.asyncDispose]();
  const calls = [
    signalbox.publishMessage('lobby', 'message', 2),
    signalbox.tokens.create({ identity: 'ada' }),
  ];
  await using second = await start();
  await Promise.all(calls);
  expect(await countMessages(second)).toBe(2);
});

test('shows the API key in no inspection and in no error', async () => {
  const signalbox = open('http://127.0.0.1:1', { retries: 0 });
  const error = await caught(signalbox.channels.get('lobby'));
  expect(error).toMatchObject({ code: 'NETWORK_ERROR', retryable: true });
  const [, secret = ''] = API_KEY.split('.');
  expect(inspect([signalbox, error, error.cause], { depth: 20, showHidden: true })).not.toContain(secret);
  expect(JSON.stringify([signalbox, error])).not.toContain(secret);
});

test.each<[string, string | undefined, Partial<SignalboxOptions>]>([
  ['apiKey', undefined, {}],
  ['apiKey', '', {}],
  ['apiKey', 'key_test', {}],
  ['url', API_KEY, { url: 'realtime.example' }],
  ['url', API_KEY, { url: 'wss://realtime.example' }],
  ['url', API_KEY, { url: 'https://ada:secret@realtime.example' }],
  ['retries', API_KEY, { retries: 11 }],
  ['timeoutMs', API_KEY, { timeoutMs: 0 }],
])('refuses a malformed %s at the start: %s %o', (field, apiKey, options) => {
  const create = () => new Signalbox(apiKey, { url: 'https://realtime.example', ...options });
  expect(create).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', field }));
});
