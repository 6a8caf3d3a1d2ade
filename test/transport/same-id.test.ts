import { type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createChannel, publish } from '../support/backend.ts';
import { startService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const LIMIT = 3;
const ROUNDS = 50;
const SUBSCRIBE = {
  id: '1',
  type: 'subscribe',
  payload: { query: 'subscription { messages(channel: "square") { event } }' },
};

test('counts a subscription whose id is reused while the previous one is still starting (50 rounds)', async () => {
  await using signalbox = await startService({ maxOperationsPerConnection: LIMIT });
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  using socket = await connectSocket(signalbox, {});
  const { _socket: tcp } = socket.ws as unknown as { _socket: Socket };
  for (let round = 0; round < ROUNDS; round++) {
    // One TCP segment, so that the service receives all messages in one turn.
    tcp.cork();
    for (const message of [SUBSCRIBE, { id: '1', type: 'complete' }, SUBSCRIBE]) socket.send(message);
    tcp.uncork();
    socket.send({ type: 'ping' });
    while ((await socket.next()).type !== 'pong');
    socket.send({ id: '1', type: 'complete' });
  }
  socket.send({ type: 'ping' });
  while ((await socket.next()).type !== 'pong');
  await publish(signalbox, 'square', 'sentinel');
  socket.send({ type: 'ping' });
  let received = 0;
  for (let message = await socket.next(); message.type !== 'pong'; message = await socket.next()) {
    if (message.type === 'next') received++;
  }
  expect(received).toBeLessThanOrEqual(LIMIT);
});
