import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type TestService } from '../../../test/support/service.ts';
import { type ClientStorage } from '../src/index.ts';
import { connectClient, eventually } from './support/client.ts';

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
