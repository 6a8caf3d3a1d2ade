import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { createClient, type Client } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createChannel, mint, publish } from '../support/backend.ts';
import { DOCUMENTED_ADDRESS, namedBlock } from '../support/code-blocks.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { createFolder } from '../support/folder.ts';
import { findFreePort } from '../support/free-port.ts';
import { CERTIFICATE, requireNginx, startNginx } from '../support/nginx.ts';
import { startProcess } from '../support/process.ts';
import { API_KEY } from '../support/service.ts';

const GUIDE = 'docs/guides/in-production.md';

/** The configuration of the guide, with the addresses and the certificate of the test. */
function site(proxyPort: number, service: string): string {
  return [
    ['listen 443 ssl', `listen 127.0.0.1:${proxyPort} ssl`],
    [DOCUMENTED_ADDRESS, service],
    ['/etc/ssl/signalbox/fullchain.pem', 'certificate.pem'],
    ['/etc/ssl/signalbox/privkey.pem', 'key.pem'],
  ].reduce(
    (text, [documented = '', actual = '']) => {
      expect(text).toContain(documented);
      return text.replaceAll(documented, actual);
    },
    namedBlock(GUIDE, 'signalbox.conf'),
  );
}

/** What a client on the other side of the proxy does. */
function throughProxy(port: number) {
  async function send(path: string, options: RequestOptions = {}, body = ''): Promise<IncomingMessage> {
    const sent = request({ host: 'localhost', family: 4, port, path, ca: CERTIFICATE, ...options });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  }

  return {
    send,
    post: (body: object, headers: Record<string, string> = {}) =>
      send(
        '/graphql',
        { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
        JSON.stringify(body),
      ),
    client(credential: string, options: RequestOptions = {}): Client {
      class ProxiedWebSocket extends WebSocket {
        constructor(url: string, protocols: string) {
          super(url, protocols, { ca: CERTIFICATE, ...options });
        }
      }
      return createClient({
        url: `wss://localhost:${port}/graphql`,
        webSocketImpl: ProxiedWebSocket,
        connectionParams: { token: credential },
        retryAttempts: 1000,
        retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
        shouldRetry: () => true,
      });
    },
  };
}

const textOf = async (response: IncomingMessage) => (await response.setEncoding('utf8').toArray()).join('');

test('the nginx configuration of the guide passes HTTP, WebSockets and SSE on, and an upgrade loses nothing', async (scope) => {
  requireNginx(scope);
  using folder = createFolder();
  const [servicePort, proxyPort] = [await findFreePort(), await findFreePort()];
  const launch = { folder: folder.path, env: { PORT: String(servicePort), SIGNALBOX_TRUSTED_PROXIES: '1' } };
  await using first = await startProcess(launch);
  await using _ = await startNginx(site(proxyPort, `127.0.0.1:${servicePort}`), proxyPort);
  const { send, post, client: openClient } = throughProxy(proxyPort);
  await createChannel(first, 'lobby');
  const token = await mint(first, { channels: ['lobby'] });

  const query = { query: '{ viewer { kind } }' };
  const response = await post(query, { authorization: `Bearer ${API_KEY}` });
  expect(JSON.parse(await textOf(response))).toEqual({ data: { viewer: { kind: 'API_KEY' } } });
  const statusFrom = async (origin: string) => (await post(query, { origin })).resume().statusCode;
  expect(await statusFrom(`https://localhost:${proxyPort}`)).toBe(200);
  expect(await statusFrom('https://elsewhere.example')).toBe(403);
  for (const path of ['/metrics', '/ready', '/'])
    expect((await send(path)).resume().statusCode, path).toBe(404);
  expect(await textOf(await send('/health'))).toBe('ok');

  const client = openClient(token.credential);
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await inbox.until(({ events }) => events.length > 0);
  const stream = await post(
    { query: 'subscription { messages(channel: "lobby") { event } }' },
    { accept: 'text/event-stream', authorization: `Bearer ${token.credential}` },
  );
  while ((await publish(first, 'lobby', 'both')) < 2);
  let streamed = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    streamed += String(chunk);
    if (streamed.includes('"both"')) break;
  }
  await inbox.until(({ messages }) => messages.length > 0);

  first.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  await using second = await startProcess(launch);
  await publish(second, 'lobby', 'after-the-upgrade');
  await inbox.until(({ messages }) => messages.at(-1)?.event === 'after-the-upgrade');
  await client.dispose();
});

test('behind the proxy of the guide, clients are limited by their own address, which they cannot choose', async (scope) => {
  requireNginx(scope);
  const proxyPort = await findFreePort();
  await using service = await startProcess({
    env: { SIGNALBOX_TRUSTED_PROXIES: '1', SIGNALBOX_MAX_CONNECTIONS_PER_ADDRESS: '1' },
  });
  await using _ = await startNginx(site(proxyPort, new URL(service.url).host), proxyPort);
  const { client } = throughProxy(proxyPort);
  const { id, credential } = await mint(service);
  const open = async (options: RequestOptions) => {
    const opened = client(credential, options);
    const inbox = subscribeResuming(opened, EVENTS);
    await inbox.until(({ events }) => events.length > 0);
    return opened;
  };
  const here = await open({});
  const there = await open({ localAddress: '127.0.0.2' });
  const spoofed = await statusOfUpgrade(proxyPort, { 'x-forwarded-for': '192.0.2.1' });
  expect(spoofed).toBe(503);
  const { publishDirectMessage } = await service.request(
    `mutation ($token: ID!) { publishDirectMessage(token: $token, event: "both") { connections } }`,
    { token: id },
  );
  expect(publishDirectMessage).toEqual({ connections: 2 });
  await Promise.all([here.dispose(), there.dispose()]);
});

/** The status with which an upgrade to WebSocket is refused. */
async function statusOfUpgrade(port: number, headers: Record<string, string>): Promise<number | undefined> {
  const socket = new WebSocket(`wss://localhost:${port}/graphql`, 'graphql-transport-ws', {
    ca: CERTIFICATE,
    headers,
  });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  socket.terminate();
  return response.statusCode;
}
