import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startService } from '../support/service.ts';

test('a socket that never asked for anything does not hold up the end', async () => {
  const signalbox = await startService();
  const { port } = new URL(signalbox.url);
  const silent = connect(Number(port), '127.0.0.1');
  await once(silent, 'connect');
  // The service knows of it once it has answered someone who came later.
  await signalbox.request(`{ viewer { kind } }`);
  const closed = once(silent, 'close');
  silent.resume();
  await signalbox[Symbol.asyncDispose]();
  await closed;
  expect(silent.destroyed).toBe(true);
});
