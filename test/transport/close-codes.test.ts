import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { CLOSE_CODES } from '../../src/transport/close-codes.ts';

test('every close has a code of its own and a name that fits into a close frame', () => {
  const codes = Object.values(CLOSE_CODES).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const name of Object.keys(CLOSE_CODES)) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(123);
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
