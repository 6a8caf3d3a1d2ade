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

test('an id that is used again while what it began is in the making begins nothing uncounted', async () => {
  await using signalbox = await startService({ maxOperationsPerConnection: LIMIT });
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  using socket = await connectSocket(signalbox, {});
  const { _socket: wire } = socket.ws as unknown as { _socket: Socket };
  for (let round = 0; round < ROUNDS; round++) {
    // In one segment, so that they come in one turn.
    wire.cork();
    for (const message of [SUBSCRIBE, { id: '1', type: 'complete' }, SUBSCRIBE]) socket.send(message);
    wire.uncork();
    socket.send({ type: 'ping' });
    while ((await socket.next()).type !== 'pong');
    socket.send({ id: '1', type: 'complete' });
  }
  socket.send({ type: 'ping' });
  while ((await socket.next()).type !== 'pong');
  await publish(signalbox, 'square', 'sentinel');
  socket.send({ type: 'ping' });
  let heard = 0;
  for (let message = await socket.next(); message.type !== 'pong'; message = await socket.next()) {
    if (message.type === 'next') heard++;
  }
  expect(heard).toBeLessThanOrEqual(LIMIT);
});
