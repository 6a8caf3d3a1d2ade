import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startService } from '../support/service.ts';

test('shuts down without waiting for a TCP connection that sent no request', async () => {
  const signalbox = await startService();
  const { port } = new URL(signalbox.url);
  const idle = connect(Number(port), '127.0.0.1');
  await once(idle, 'connect');
  // The service has accepted the connection once it answers a later request.
  await signalbox.request(`{ viewer { kind } }`);
  const closed = once(idle, 'close');
  idle.resume();
  await signalbox[Symbol.asyncDispose]();
  await closed;
  expect(idle.destroyed).toBe(true);
});
