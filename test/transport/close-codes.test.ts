import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { CLOSE_CODES, toCloseReason } from '../../src/transport/close-codes.ts';

test('every close has a code of its own and a reason that fits into a close frame', () => {
  const codes = Object.values(CLOSE_CODES).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const { reason } of Object.values(CLOSE_CODES)) expect(toCloseReason(reason)).toBe(reason);
});

test.each([
  { sentence: 'x'.repeat(123), bytes: 123 },
  { sentence: 'x'.repeat(124), bytes: 123 },
  { sentence: `${'x'.repeat(122)}é`, bytes: 122 },
  { sentence: '€'.repeat(50), bytes: 123 },
  { sentence: `x${'🚂'.repeat(40)}`, bytes: 121 },
])('cuts a reason of many bytes at a character: $bytes bytes of $sentence', ({ sentence, bytes }) => {
  const reason = toCloseReason(sentence);
  expect(Buffer.byteLength(reason)).toBe(bytes);
  expect(sentence.startsWith(reason)).toBe(true);
});

test.each(Object.values(CLOSE_CODES))(
  'an unpatched graphql-ws client reconnects after $code: $reconnects',
  async ({ code, reconnects, meaning }) => {
    const server = createServer();
    const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
    let connections = 0;
    sockets.on('connection', (ws) => {
      connections++;
      ws.close(code, meaning.slice(0, 40));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => {
      createClient({
        url: `ws://127.0.0.1:${port}`,
        webSocketImpl: WebSocket,
        lazy: false,
        retryAttempts: 1,
        retryWait: () => Promise.resolve(),
        onNonLazyError: resolve,
      });
    });
    expect(connections).toBe(reconnects ? 2 : 1);
    sockets.close();
    server.close();
  },
);
