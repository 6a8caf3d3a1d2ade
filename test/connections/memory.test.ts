import { expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { referencedHeapBytes } from '../support/heap.ts';
import { startService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const SOCKETS = 300;
const LIMITS = {
  maxConnectionsPerToken: 10_000,
  maxConnectionsPerAddress: 10_000,
  connectsPerSecond: 10_000,
};

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
  const others: string[] = [];
  for (let count = 0; count < SOCKETS; count++) others.push((await mint(signalbox)).credential);
  // Code that runs for the first time takes memory, too.
  await open(Array<string>(50).fill(one.credential));
  const own = await open(others);
  const shared = await open(Array<string>(SOCKETS).fill(one.credential));
  expect(sockets).toHaveLength(2 * SOCKETS + 50);
  expect(shared).toBeLessThan(own * 1.05);
});
