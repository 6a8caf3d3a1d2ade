import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type TestService } from '../../../test/support/service.ts';
import { type ClientStorage } from '../src/index.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';

let service: TestService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const fail = (): never => {
  throw new Error('QuotaExceededError');
};

test.each<[string, () => ClientStorage]>([
  ['is full', () => ({ getItem: () => null, setItem: fail, removeItem: fail })],
  ['cannot be read', () => ({ getItem: fail, setItem: fail, removeItem: fail })],
  ['is forbidden', fail],
])('a guest connects at the first attempt on a page whose storage %s', async (_, storage) => {
  await using client = connectClient({ url: service.url, credential: { guest: {} }, storage });
  const states: string[] = [];
  client.on('status', ({ state }) => states.push(state));
  client.connect();
  await eventually(() => client.viewer);
  expect(states).toEqual(['connecting', 'connected']);
});

test('refuses data that is not JSON, and publishes a copy of the rest', async () => {
  await createChannel(service);
  const { credential } = await createMember(service, 'ada');
  await using client = connectClient({ url: service.url, credential });
  const lobby = client.channel('lobby');
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  for (const data of [{ text: 1n }, circular])
    await expect(lobby.publish('message', data as never)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  const data = { text: 'as it was' };
  const published = lobby.publish('message', data);
  data.text = 'changed';
  expect(await published).toMatchObject({ data: { text: 'as it was' } });
});

test('a sink or listener that throws does not keep the others from being told of the end of the client', async () => {
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  const thrown: unknown[] = [];
  process.on('unhandledRejection', (error: Error) => thrown.push(error.message));
  try {
    await using client = connectClient({ url: service.url, credential: 'anonymous' });
    const ends: string[] = [];
    const boom = (name: string) => () => {
      throw new Error(name);
    };
    client.on('status', ({ state }) => boom(state)());
    client.on('status', ({ state }) => ends.push(state));
    const document = 'subscription { events { __typename } }';
    client.subscribe(document, {}, { next: boom('next'), error: boom('error'), complete: boom('complete') });
    client.subscribe(
      document,
      {},
      {
        ...{ next: () => undefined, error: () => undefined },
        complete: () => ends.push('completed'),
      },
    );
    await eventually(() => client.viewer && thrown.includes('next'));
    await client.close();
    expect(ends).toEqual(['connecting', 'connected', 'completed', 'ended']);
    await eventually(() => thrown.includes('ended') && thrown.includes('complete'));
    expect(new Set(thrown)).toEqual(new Set(['connecting', 'connected', 'next', 'complete', 'ended']));
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  }
});

test('connects, listens and publishes from within its own credential function', async () => {
  await createChannel(service, 'attic');
  const { credential } = await createMember(service, 'bob', ['attic']);
  const seen: string[] = [];
  await using client = connectClient({
    url: service.url,
    async credential() {
      client.connect();
      client.channel('attic').on('message', ({ data }) => seen.push(data.text));
      void client.channel('attic').publish('message', { text: 'early' });
      return credential;
    },
  });
  const states: string[] = [];
  client.on('status', ({ state }) => states.push(state));
  client.connect();
  await eventually(() => seen.length >= 1);
  expect(seen).toEqual(['early']);
  expect(states).toEqual(['connecting', 'connected']);
});

test('a status listener that closes the client while it connects leaves it closed, and is told each state once', async () => {
  let calls = 0;
  await using client = connectClient({ url: service.url, credential: () => (calls++, 'eyJ.none.at-all') });
  const states: string[] = [];
  client.on('status', ({ state }) => {
    states.push(state);
    if (state === 'connecting') void client.close();
  });
  client.connect();
  await eventually(() => client.status.state === 'ended');
  expect({ states, calls }).toEqual({ states: ['connecting', 'ended'], calls: 0 });
});
