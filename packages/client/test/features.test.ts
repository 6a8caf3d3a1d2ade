import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeSettings } from '../../../test/support/projects.ts';
import { createProxy, type Proxy } from '../../../test/support/proxy.ts';
import { startService, type TestService } from '../../../test/support/service.ts';
import { type Runtime } from '../src/index.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';
import { startScriptedService } from './support/scripted-service.ts';

/** What the guide promises of single functions, where no other test shows it. */
const CREDENTIAL = 'eyJ.fixed.credential';
let service: TestService;
let proxy: Proxy;

beforeAll(async () => {
  service = await startService();
  proxy = await createProxy(Number(new URL(service.url).port));
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

test('delivers direct messages by their event, each once, also those of a time without a connection', async () => {
  const { token, credential } = await createMember(service, 'direct', []);
  await using client = connectClient({ url: `http://127.0.0.1:${proxy.port}`, credential });
  const levels: number[] = [];
  const all: string[] = [];
  client.direct.on('notice', ({ data }) => levels.push(data.level));
  client.direct.on('*', ({ event }) => all.push(event));
  const publish = (event: string, level: number) =>
    service.request(
      'mutation ($token: ID!, $event: String!, $data: JSON) { publishDirectMessage(token: $token, event: $event, data: $data) { repeated } }',
      { token, event, data: { level } },
    );
  await eventually(() => client.viewer);
  await publish('notice', 1);
  await eventually(() => levels.length === 1);
  proxy.cut();
  await publish('other', 2);
  await publish('notice', 3);
  await eventually(() => levels.length === 2 && all.length === 3);
  expect({ levels, all }).toEqual({ levels: [1, 3], all: ['notice', 'other', 'notice'] });
});

test('loads older pages up to the first message, without a gap or a message twice', async () => {
  await createChannel(service, 'long');
  const { credential } = await createMember(service, 'reader', ['long']);
  const texts = Array.from({ length: 130 }, (_, i) => `${i}`);
  for (const part of [texts.slice(0, 65), texts.slice(65)])
    await service.request(
      'mutation ($messages: [PublishMessageInput!]!) { publishMessages(messages: $messages) { error { code } } }',
      { messages: part.map((text) => ({ channel: 'long', event: 'message', data: { text } })) },
    );
  await using client = connectClient({ url: service.url, credential });
  const long = client.channel('long');
  const shown = () => long.getSnapshot().messages.map(({ data }) => (data as { text: string }).text);
  const stop = long.subscribe(() => undefined, { history: 50 });
  await eventually(() => shown().length === 50);
  const sizes: number[] = [];
  while (long.getSnapshot().hasOlder) {
    await long.loadOlder();
    sizes.push(shown().length);
  }
  expect(sizes).toEqual([100, 130]);
  await long.loadOlder();
  expect(shown()).toEqual(texts);
  stop();
});

test('sets the presence state again after a reconnect', async () => {
  await createChannel(service, 'moods');
  const [ada, bob] = [
    await createMember(service, 'ada', ['moods']),
    await createMember(service, 'bob', ['moods']),
  ];
  await using client = connectClient({ url: `http://127.0.0.1:${proxy.port}`, credential: ada.credential });
  await using other = connectClient({ url: service.url, credential: bob.credential });
  const stop = other.channel('moods').subscribe(() => undefined);
  const shown = () => other.channel('moods').presence.members.find(({ key }) => key === 'ada');
  client.channel('moods').presence.set({ mood: 'fine' });
  await eventually(() => Boolean(shown()?.state));
  const before = client.viewer?.connection;
  proxy.cut();
  await eventually(() => client.viewer?.connection !== before);
  await eventually(() => {
    const ids = shown()?.connections.map(({ id }) => id);
    return ids?.join() === client.viewer?.connection && Boolean(shown()?.state);
  });
  expect(shown()?.state).toEqual({ mood: 'fine' });
  stop();
});

test('keeps the guest of the page before, and connects with a development credential', async () => {
  await changeSettings(service, { developmentTokens: true });
  const values = new Map<string, string>();
  const storage = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => values.set(key, value),
    removeItem: (key: string) => values.delete(key),
  };
  const viewerOf = async (options: object) => {
    await using client = connectClient({
      url: service.url,
      credential: { guest: { name: 'eve' } },
      ...options,
    });
    client.connect();
    return (await eventually(() => client.viewer)).identity;
  };
  const first = await viewerOf({ storage });
  expect(first).toMatch(/^guest:.+:eve$/);
  expect(await viewerOf({ storage })).toBe(first);
  expect(await viewerOf({})).not.toBe(first);
  expect(await viewerOf({ credential: { development: 'ada' } })).toBe('ada');
});

test('publishes that the user types every 3 s at most, and the end of it 6 s after the last key', async () => {
  const scripted = await startScriptedService();
  let passed = 0;
  const ends: (() => void)[] = [];
  await using client = connectClient({
    ...{ url: scripted.url, credential: CREDENTIAL },
    runtime: {
      now: () => Date.now() + passed,
      setTimer: (action, ms) => (ms === 6_000 ? ends.push(action) : setTimeout(action, ms)),
    },
  });
  client.connect();
  await eventually(() => client.viewer);
  const { typing } = client.channel('lobby');
  for (let i = 0; i < 10; i++) typing.start();
  passed = 3_000;
  for (let i = 0; i < 10; i++) typing.start();
  ends.at(-1)!();
  typing.start();
  await client.channel('lobby').publish('message', { text: 'hello' });
  ends.at(-1)!();
  await client.channel('lobby').publish('message', { text: 'end' });
  const published = scripted.of('publish').map(({ payload: { variables } }) => variables);
  // The published message ends typing, so the last timer has nothing to do.
  expect(published.map(({ ephemeral, data }) => (ephemeral ? data : data.text))).toEqual([
    ...[true, true, false, true],
    ...['hello', 'end'],
  ]);
});

test('publishes again with the same key when the time that the service asks for has passed', async () => {
  const waits: number[] = [];
  const setTimer: Runtime['setTimer'] = (action, ms) => (
    waits.push(ms),
    setTimeout(action, ms === 77_000 ? 1 : ms)
  );
  const scripted = await startScriptedService(({ kind, id }, { send }) => {
    if (kind !== 'publish' || scripted.of('publish').length > 1) return false;
    const extensions = { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 77 };
    send({ type: 'error', id, payload: [{ message: 'Too many.', extensions }] });
    return true;
  });
  await using client = connectClient({ url: scripted.url, credential: CREDENTIAL, runtime: { setTimer } });
  await client.channel('lobby').publish('message', { text: 'patient' });
  expect(waits).toContain(77_000);
  const keys = scripted.of('publish').map(({ payload }) => payload.variables.idempotencyKey);
  expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
});

test('counts its operations from 1 on each connection, so that clients share the frames of the service', async () => {
  const scripted = await startScriptedService();
  for (let i = 0; i < 2; i++) {
    await using client = connectClient({ url: scripted.url, credential: CREDENTIAL });
    await client.channel('lobby').history();
    await client.channel('lobby').history();
  }
  const ids = scripted.requests.filter(({ type }) => type === 'subscribe').map(({ id }) => id);
  expect(ids).toEqual(['1', '2', '3', '1', '2', '3']);
});
