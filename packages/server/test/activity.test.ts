import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel } from '../../../test/support/backend.ts';
import { findFreePort } from '../../../test/support/free-port.ts';
import { createProxy, type Proxy } from '../../../test/support/proxy.ts';
import { API_KEY, startService, type TestService } from '../../../test/support/service.ts';
import { type Activity, Signalbox } from '../src/index.ts';

let service: TestService;
let backend: Signalbox;

beforeAll(async () => {
  service = await startService({ pingIntervalMs: 100 });
  await createChannel(service, 'lobby');
  backend = new Signalbox(API_KEY, { url: service.url });
});
afterAll(() => service[Symbol.asyncDispose]());

const openProxy = () => createProxy(Number(new URL(service.url).port));

/** A client behind a proxy that does not wait between attempts. */
const open = ({ port }: Proxy, options: { apiKey?: string; fetch?: typeof fetch } = {}) =>
  new Signalbox(options.apiKey ?? API_KEY, { url: `http://127.0.0.1:${port}`, random: () => 0, ...options });

/** The next activity, while a backend publishes until the stream is open. */
async function firstOf(activities: AsyncIterator<Activity, unknown>): Promise<Activity> {
  const first = activities.next();
  const publish = () => backend.publishMessage('lobby', 'first').then(() => undefined);
  for (;;) {
    const result = await Promise.race([first, publish()]);
    if (result) return valueOf(result);
  }
}

function valueOf({ value, done }: IteratorResult<Activity, unknown>): Activity {
  if (done) throw new Error('The activities ended.');
  return value;
}

test('yields activities by the filter, and SKIPPED after a cut, then what happens from there on', async () => {
  await using proxy = await openProxy();
  const activities = open(proxy).activity({ kinds: ['MESSAGE'], channel: 'lobby', payloads: true });
  expect(await firstOf(activities)).toMatchObject({ kind: 'MESSAGE', channel: 'lobby', event: 'first' });
  for (let cuts = 1; cuts <= 3; cuts++) {
    await backend.publishMessage('lobby', 'before', { cuts });
    while (valueOf(await activities.next()).event !== 'before');
    proxy.cut();
    const skipped = { kind: 'SKIPPED', action: 'stream.resumed', count: null, channel: null };
    expect(valueOf(await activities.next())).toMatchObject(skipped);
    await backend.publishMessage('lobby', 'after', { cuts });
    expect(valueOf(await activities.next())).toMatchObject({ event: 'after', data: { cuts } });
  }
  await activities.return();
});

test('begins with what happened last, once: not again when the stream is opened again', async () => {
  await using proxy = await openProxy();
  for (const event of ['one', 'two', 'three']) await backend.publishMessage('lobby', event);
  const activities = open(proxy).activity({ kinds: ['MESSAGE'], recent: 2 });
  for (const event of ['two', 'three'])
    expect(valueOf(await activities.next())).toMatchObject({ event, replayed: true });
  proxy.cut();
  expect(valueOf(await activities.next())).toMatchObject({ action: 'stream.resumed', replayed: false });
  expect(await firstOf(activities)).toMatchObject({ event: 'first', replayed: false });
  await activities.return();
});

test('opens the stream again when the network drops all packets', async () => {
  await using proxy = await openProxy();
  let openings = 0;
  let onSecond: () => void = () => undefined;
  const second = new Promise<void>((resolve) => (onSecond = resolve));
  const counting: typeof fetch = (...input) => {
    if (++openings === 2) onSecond();
    return fetch(...input);
  };
  const activities = open(proxy, { fetch: counting }).activity(
    { kinds: ['MESSAGE'] },
    { silenceMs: 1_000, timeoutMs: 1_000 },
  );
  await firstOf(activities);
  proxy.setBlackHole(true);
  const resumed = (async () => {
    while (valueOf(await activities.next()).kind !== 'SKIPPED');
    return openings;
  })();
  // The packets of the second opening are dropped, too.
  await second;
  proxy.setBlackHole(false);
  expect(await resumed).toBeGreaterThan(1);
  await activities.return();
});

test('throws when the API key is revoked, when nothing answers, and the reason of an aborted signal', async () => {
  const { apiKey, secret } = await backend.apiKeys.create({ scopes: ['READ'] });
  await using proxy = await openProxy();
  const activities = open(proxy, { apiKey: secret }).activity();
  await firstOf(activities);
  await backend.apiKeys.revoke(apiKey?.id ?? '');
  const rest = (async () => {
    while (!(await activities.next()).done);
  })();
  await expect(rest).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });

  const nowhere = new Signalbox(API_KEY, {
    url: `http://127.0.0.1:${await findFreePort()}`,
    random: () => 0,
  });
  await expect(nowhere.activity().next()).rejects.toMatchObject({ code: 'NETWORK_ERROR' });

  const controller = new AbortController();
  const aborted = backend.activity({}, { signal: controller.signal });
  await firstOf(aborted);
  controller.abort(new Error('enough'));
  const end = (async () => {
    while (!(await aborted.next()).done);
  })();
  await expect(end).rejects.toThrow('enough');
});

/** The number of event streams that the service has. */
async function countStreams(): Promise<number> {
  let streams = 0;
  for await (const _ of backend.listConnections({ transport: 'SSE' })) streams++;
  return streams;
}

test('closes its connection when the loop is left', async () => {
  while ((await countStreams()) > 0);
  const activities = backend.activity();
  await firstOf(activities);
  expect(await countStreams()).toBe(1);
  await activities.return();
  while ((await countStreams()) > 0);
});

test('closes its connection when the loop is left at stream.resumed', async () => {
  await using proxy = await openProxy();
  const responses: Response[] = [];
  // Kept, because fetch closes the connection of a response that the garbage collector finds.
  const keeping: typeof fetch = async (...input) => {
    const response = await fetch(...input);
    responses.push(response);
    return response;
  };
  const activities = open(proxy, { fetch: keeping }).activity({ kinds: ['MESSAGE'] });
  await firstOf(activities);
  proxy.cut();
  for await (const { action } of activities) if (action === 'stream.resumed') break;
  expect(responses).toHaveLength(2);
  while ((await countStreams()) > 0);
});
