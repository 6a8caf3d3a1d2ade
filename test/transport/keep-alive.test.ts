import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startService } from '../support/service.ts';
import { openTcp } from '../support/socket.ts';

const REQUEST = 'GET /health HTTP/1.1\r\nHost: signalbox\r\n\r\n';

test.each([
  [{}, 75],
  [{ keepAliveMs: 120_000 }, 120],
])('with %j an idle HTTP connection is kept for %d seconds', async (config, seconds) => {
  await using signalbox = await startService(config);
  using tcp = await openTcp(signalbox);
  tcp.socket.write(REQUEST);
  const [head] = await once(tcp.socket, 'data');
  expect(String(head)).toMatch(new RegExp(`keep-alive: timeout=${seconds}\r\n`, 'i'));
});

test('an HTTP connection that is idle for longer than keepAliveMs is closed', async () => {
  await using signalbox = await startService({ keepAliveMs: 1000 });
  using tcp = await openTcp(signalbox);
  tcp.socket.write(REQUEST);
  tcp.socket.resume();
  await once(tcp.socket, 'close');
});
