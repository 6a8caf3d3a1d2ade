import { expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { referencedHeapBytes } from '../support/heap.ts';
import { startService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const SOCKETS = 80;
const ROUNDS = 5;
const LIMITS = {
  maxConnectionsPerToken: 10_000,
  maxConnectionsPerAddress: 10_000,
  connectsPerSecond: 10_000,
};

/** What is kept beside the connections makes a round larger by much, what is freed makes one smaller. */
const lowerQuartile = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 2]!;

test('many connections of one token take no more memory each than connections of a token each', async () => {
  await using signalbox = await startService(LIMITS);
  // Held, so that none is collected; they close with the service.
  const sockets: unknown[] = [];
  const open = async (credentials: readonly string[]) => {
    const before = referencedHeapBytes();
    for (const token of credentials) sockets.push(await connectSocket(signalbox, { token }));
    return (referencedHeapBytes() - before) / credentials.length;
  };
  const one = await mint(signalbox);
  const openShared = (count: number) => open(Array<string>(count).fill(one.credential));
  const openOwn = async (count: number) => {
    const credentials: string[] = [];
    for (let minted = 0; minted < count; minted++) credentials.push((await mint(signalbox)).credential);
    return open(credentials);
  };
  // Code that runs for the first time takes memory, too.
  await openOwn(SOCKETS);
  await openShared(SOCKETS);
  // In turns, because what else is freed or kept meanwhile is counted as well.
  const [own, shared]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await openOwn(SOCKETS));
    shared.push(await openShared(SOCKETS));
  }
  expect(sockets).toHaveLength(2 * SOCKETS * (1 + ROUNDS));
  expect(lowerQuartile(shared)).toBeLessThan(1.15 * lowerQuartile(own));
}, 120_000);
