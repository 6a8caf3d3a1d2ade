import { expect, test } from 'vitest';
import { type ClientStorage } from '../src/index.ts';
import { connectClient, eventually, type TestClient } from './support/client.ts';
import {
  connectedWith,
  startScriptedService,
  type ScriptedService,
  type Script,
} from './support/scripted-service.ts';

const CREDENTIAL = 'eyJ.fixed.credential';
const UNREACHABLE = 'http://127.0.0.1:1';

/** A storage as a page has it, and the number of characters that were written to it. */
function createStorage(values = new Map<string, string>()): ClientStorage & {
  readonly values: Map<string, string>;
  written: number;
} {
  const storage = {
    ...{ values, written: 0 },
    getItem: (key: string) => values.get(key) ?? null,
    setItem(key: string, value: string) {
      storage.written += value.length;
      values.set(key, value);
    },
    removeItem: (key: string) => void values.delete(key),
  };
  return storage;
}

/** What a page that was offline has left in its storage. */
const storedOffline = (...texts: string[]) => storedOfflineWith({}, ...texts);

async function storedOfflineWith(
  { values, identity }: { values?: Map<string, string>; identity?: string },
  ...texts: string[]
): Promise<Map<string, string>> {
  const storage = createStorage(values);
  await using client = connectClient({
    ...{ url: UNREACHABLE, credential: CREDENTIAL, storage, ...(identity && { identity }) },
  });
  for (const text of texts) void client.channel('lobby').publish('message', { text });
  await eventually(() => texts.every((text) => [...storage.values.values()].join().includes(text)));
  return new Map(storage.values);
}

/** What a page of the token has left in its storage: messages that waited when it connected, which the service did not keep. */
async function storedBy(token: string, ...texts: string[]): Promise<Map<string, string>> {
  const service = await startScriptedService((request, session) => {
    if (request.kind === 'publish') session.socket.terminate();
    return request.kind === 'publish' || asToken(token)(request, session);
  });
  const storage = createStorage();
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, storage });
  for (const text of texts) void client.channel('lobby').publish('message', { text });
  await eventually(() => service.of('publish').length > 0);
  return new Map(storage.values);
}

const asToken =
  (id: string, identity: string | null = null): Script =>
  (request, { next }) => {
    if (request.kind !== 'events') return false;
    next(request.id, connectedWith({ token: { id, identity } }));
    return true;
  };

const published = (service: ScriptedService) =>
  service.of('publish').map(({ payload }) => payload.variables.data.text);

/** The texts of the messages that a channel shows as failed. */
function failedOf(client: TestClient): string[] {
  const failed = client
    .channel('lobby')
    .getSnapshot()
    .messages.filter(({ state }) => state === 'failed');
  return failed.flatMap(({ data }) => ('text' in data ? data.text : []));
}

test.each(['null', '7', '{"key":"k"}', '{"key":', '"text"', '[]'])(
  'publishes the other stored messages, in their order, when one of them is %s',
  async (damaged) => {
    const values = await storedOfflineWith({ identity: 'ada' }, 'one', 'two', 'three', 'four');
    const [key] = [...values].find(([, value]) => value.includes('two'))!;
    values.set(key, damaged);
    const service = await startScriptedService(asToken('token_1', 'ada'));
    const storage = createStorage(values);
    await using client = connectClient({ url: service.url, credential: CREDENTIAL, storage });
    client.connect();
    await eventually(() => service.of('publish').length >= 3);
    expect(service.of('publish').map(({ payload }) => payload.variables.data.text)).toEqual([
      'one',
      'three',
      'four',
    ]);
    await eventually(() => ![...values.values()].some((value) => value.includes('message')));
  },
);

test.each(['null', '[]', '[1,-1]', '[0,1e999]', '[{"key":"k"}]', '7', 'of another version'])(
  'publishes and stores when the stored range of the queue is %s',
  async (range) => {
    const service = await startScriptedService();
    const storage = createStorage(new Map([['signalbox:outbox', range]]));
    await using client = connectClient({ url: service.url, credential: CREDENTIAL, storage });
    await client.channel('lobby').publish('message', { text: 'works' });
    expect(service.of('publish')).toHaveLength(1);
  },
);

test('writes as much for a message behind 5,000 that wait as for the first', async () => {
  const storage = createStorage();
  const options = { url: UNREACHABLE, credential: CREDENTIAL, storage, outboxLimit: 10_000 };
  await using client = connectClient(options);
  const lobby = client.channel('lobby');
  const publish = () => void lobby.publish('message', { text: 'waits' });
  publish();
  await eventually(() => storage.written > 0);
  for (let i = 0; i < 5_000; i++) publish();
  storage.written = 0;
  publish();
  expect(storage.written).toBeGreaterThan(0);
  expect(storage.written).toBeLessThan(400);
});

test('leaves nothing in the storage when every message is published, and stores the next ones', async () => {
  const service = await startScriptedService();
  const storage = createStorage();
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, storage });
  for (let round = 0; round < 3; round++) {
    const texts = ['a', 'b', 'c'].map((text) => `${text}${round}`);
    await Promise.all(texts.map((text, i) => client.channel(`channel ${i}`).publish('message', { text })));
    expect([...storage.values.keys()]).toEqual(['signalbox:cursor']);
  }
});

test('publishes nothing of what was written under another login', async () => {
  const values = await storedBy('token_ada', 'one', 'two');
  const service = await startScriptedService(asToken('token_bob'));
  await using client = connectClient({
    ...{ url: service.url, credential: CREDENTIAL, storage: createStorage(values) },
  });
  const lobby = client.channel('lobby');
  client.connect();
  await eventually(() => failedOf(client).length === 2);
  await lobby.publish('message', { text: 'of bob' });
  expect(published(service)).toEqual(['of bob']);
});

test('publishes after a reload every message that waited when the page connected for the first time', async () => {
  const values = await storedBy('token_ada', 'one', 'two');
  const service = await startScriptedService(asToken('token_ada'));
  await using client = connectClient({
    ...{ url: service.url, credential: CREDENTIAL, storage: createStorage(values) },
  });
  client.connect();
  await eventually(() => published(service).length === 2);
  expect(published(service)).toEqual(['one', 'two']);
});

test('publishes what the page queued before it connected when another login has left messages in the storage', async () => {
  const values = await storedBy('token_ada', 'of ada');
  const service = await startScriptedService(asToken('token_bob'));
  const storage = createStorage(values);
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, storage });
  await client.channel('lobby').publish('message', { text: 'of bob' });
  expect(published(service)).toEqual(['of bob']);
  expect(failedOf(client)).toEqual(['of ada']);
  expect([...values.keys()]).toEqual(['signalbox:cursor']);
});

test('publishes under no other login what a page queued that never connected beside messages of that login', async () => {
  const stored = await storedBy('token_ada', 'of ada');
  const values = await storedOfflineWith({ values: stored }, 'of bob');
  const service = await startScriptedService(asToken('token_ada'));
  await using client = connectClient({
    ...{ url: service.url, credential: CREDENTIAL, storage: createStorage(values) },
  });
  await client.channel('lobby').publish('message', { text: 'later' });
  expect(published(service)).toEqual(['of ada', 'later']);
  expect(failedOf(client)).toEqual(['of bob']);
});

test.each([
  ['a token', asToken('token_bob')],
  ['an anonymous caller', () => false],
])(
  'fails what a page queued that never connected, and publishes it when %s of the next page retries it',
  async (_, script) => {
    const service = await startScriptedService(script);
    const storage = createStorage(await storedOffline('unknown'));
    await using client = connectClient({ url: service.url, credential: CREDENTIAL, storage });
    const lobby = client.channel('lobby');
    client.connect();
    await eventually(() => failedOf(client).length === 1);
    expect(lobby.getSnapshot().messages[0]).toMatchObject({ error: { code: 'FORBIDDEN', retryable: false } });
    expect(service.of('publish')).toEqual([]);
    lobby.getSnapshot().messages[0]!.retry();
    await eventually(() => published(service).length === 1);
    expect(published(service)).toEqual(['unknown']);
  },
);

test.each([
  ['publishes', 'ada', ['offline', 'later']],
  ['does not publish', 'bob', ['later']],
])('%s what a page with the identity ada queued that never connected as %s', async (_, identity, texts) => {
  const values = await storedOfflineWith({ identity: 'ada' }, 'offline');
  const service = await startScriptedService(asToken('token_1', identity));
  await using client = connectClient({
    ...{ url: service.url, credential: CREDENTIAL, storage: createStorage(values) },
  });
  await client.channel('lobby').publish('message', { text: 'later' });
  expect(published(service)).toEqual(texts);
});

test('publishes what is queued while a client that was closed connects under another login', async () => {
  const service = await startScriptedService((request, session) =>
    asToken(session.number === 1 ? 'token_guest' : 'token_ada')(request, session),
  );
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  await client.channel('lobby').publish('message', { text: 'of the guest' });
  await client.close();
  client.connect();
  await client.channel('lobby').publish('message', { text: 'of ada' });
  expect(client.viewer?.token).toBe('token_ada');
  expect(published(service)).toEqual(['of the guest', 'of ada']);
});

test('fails what is queued after a cut when the next connection has another login', async () => {
  const service = await startScriptedService((request, session) =>
    asToken(session.number === 1 ? 'token_guest' : 'token_ada')(request, session),
  );
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const lobby = client.channel('lobby');
  await lobby.publish('message', { text: 'before' });
  for (const { socket } of service.sessions) socket.terminate();
  await eventually(() => client.status.state === 'waiting');
  const waiting = lobby.publish('message', { text: 'during' });
  await expect(waiting).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await lobby.publish('message', { text: 'after' });
  expect(published(service)).toEqual(['before', 'after']);
});

test('publishes a message whose key the service has forgotten when the user retries it', async () => {
  let later = 0;
  const service = await startScriptedService(({ kind, id }, { next, socket, number }) => {
    if (kind === 'events') next(id, connectedWith({ at: new Date(Date.now() + later).toISOString() }));
    if (kind === 'publish' && number === 1) {
      later = 24 * 3_600_000;
      socket.terminate();
    }
    return kind === 'events' || (kind === 'publish' && number === 1);
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const lobby = client.channel('lobby');
  const published = lobby.publish('message', { text: 'late' });
  await expect(published).rejects.toMatchObject({ code: 'OUTBOX_EXPIRED' });
  lobby.getSnapshot().messages[0]!.retry();
  await eventually(() => service.of('publish').length === 2);
  await eventually(() => lobby.getSnapshot().messages.every(({ state }) => state === 'published'));
  const keys = service.of('publish').map(({ payload }) => payload.variables.idempotencyKey);
  expect(new Set(keys).size).toBe(2);
});

test('refuses a message when as many wait as the option says, and takes the next one when they are published', async () => {
  const service = await startScriptedService();
  await using offline = connectClient({ url: UNREACHABLE, credential: CREDENTIAL, outboxLimit: 2 });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, outboxLimit: 2 });
  const publish = (to: typeof client, text: string) => to.channel('lobby').publish('message', { text });
  for (const text of ['one', 'two']) void publish(offline, text);
  await expect(publish(offline, 'three')).rejects.toMatchObject({ code: 'OUTBOX_FULL', retryable: true });
  await Promise.all(['one', 'two'].map((text) => publish(client, text)));
  await Promise.all(['three', 'four'].map((text) => publish(client, text)));
  expect(service.of('publish')).toHaveLength(4);
});
