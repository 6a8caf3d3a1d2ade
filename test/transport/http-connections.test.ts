import { once } from 'node:events';
import { expect, test } from 'vitest';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket, openTcp, type Tcp } from '../support/socket.ts';
import { fetchStream, readStream } from '../support/sse.ts';

/** A connection that reads what it receives. */
interface Client extends Tcp {
  text: string;
  readonly closed: Promise<unknown>;
}

async function openClient(signalbox: TestService): Promise<Client> {
  const tcp = await openTcp(signalbox);
  const client: Client = { ...tcp, text: '', closed: once(tcp.socket, 'close') };
  tcp.socket.setEncoding('utf8').on('data', (text: string) => (client.text += text));
  return client;
}

const HEALTH = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Sends a request on a kept-alive connection. Resolves to the answer. */
async function ask(client: Client, request = HEALTH): Promise<string> {
  client.text = '';
  client.socket.write(request);
  await expect.poll(() => client.text).toMatch(/^HTTP.*\r\n\r\n./s);
  return client.text;
}

/** Sends a request whose body does not end. Resolves when the service has received its head. */
async function sendSlowly(client: Client, headers = ''): Promise<void> {
  const head = `POST /graphql HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Type: application/json`;
  client.socket.write(`${head}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n`);
  await expect.poll(() => client.text).toContain('100 Continue');
}

test('a connection beyond SIGNALBOX_MAX_CONNECTIONS_PER_ADDRESS takes the place of the one idle for longest', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 3 });
  const clients = [];
  for (let i = 0; i < 3; i++) clients.push(await openClient(signalbox));
  const [first, second, third] = clients as [Client, Client, Client];
  for (const client of [first, second, third, first]) expect(await ask(client)).toContain('200 OK');
  using fourth = await openClient(signalbox);
  expect(await ask(fourth)).toContain('200 OK');
  await second.closed;
  for (const client of [first, third]) expect(await ask(client)).toContain('200 OK');
  for (const client of clients) client.socket.destroy();
});

test('a connection is answered with 503 while all others of its address send requests', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 2 });
  using first = await openClient(signalbox);
  using second = await openClient(signalbox);
  for (const client of [first, second]) await sendSlowly(client);
  using third = await openClient(signalbox);
  await third.closed;
  expect(third.text).toMatch(/^HTTP\/1.1 503 .*Retry-After: 1\r\n.*too many connections/s);
  first.socket.destroy();
  let answer = '';
  while (!answer.includes('200 OK')) {
    using next = await openClient(signalbox);
    answer = await ask(next).catch(() => '');
  }
});

test('slow requests do not keep others out: beyond SIGNALBOX_MAX_CONNECTIONS the slowest makes room', async () => {
  await using signalbox = await startService({ maxConnections: 2 });
  using first = await openClient(signalbox);
  using second = await openClient(signalbox);
  for (const client of [first, second]) await sendSlowly(client);
  using third = await openClient(signalbox);
  expect(await ask(third)).toContain('200 OK');
  await first.closed;
  expect(second.socket.destroyed).toBe(false);
});

test('WebSockets and event streams do not take the places of HTTP connections, nor the other way round', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 2 });
  using _socket = await connectSocket(signalbox);
  const stream = readStream(await fetchStream(signalbox, 'subscription { events { __typename } }', API_KEY));
  expect(await stream.next()).toMatchObject({ value: { name: 'next' } });
  using first = await openClient(signalbox);
  using second = await openClient(signalbox);
  for (let i = 0; i < 2; i++)
    for (const client of [first, second]) expect(await ask(client)).toContain('200 OK');
  await stream.return(undefined);
});

test('behind trusted proxies, the open requests of an address are limited instead of its connections', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 2, trustedProxies: 1 });
  const from = (address: string) => `X-Forwarded-For: ${address}\r\n`;
  const clients: Client[] = [];
  for (let i = 0; i < 5; i++) clients.push(await openClient(signalbox));
  for (const client of clients.slice(0, 2)) await sendSlowly(client, from('192.0.2.1'));
  const request = (address: string) => HEALTH.replace('\r\n\r\n', `\r\n${from(address)}\r\n`);
  expect(await ask(clients[2]!, request('192.0.2.1'))).toMatch(/^HTTP\/1.1 503 .*UNAVAILABLE/s);
  expect(await ask(clients[3]!, request('192.0.2.2'))).toContain('200 OK');
  clients[0]!.socket.destroy();
  let answer = '';
  while (!answer.includes('200 OK')) {
    using next = await openClient(signalbox);
    answer = await ask(next, request('192.0.2.1'));
  }
  for (const client of clients) client.socket.destroy();
});

test('behind trusted proxies, event streams do not take the places of the open requests of their address', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 2, trustedProxies: 1 });
  const from = 'X-Forwarded-For: 192.0.2.1\r\n';
  const query = encodeURIComponent('subscription { events { __typename } }');
  const stream = `GET /graphql?query=${query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${API_KEY}\r\n${from}Accept: text/event-stream\r\n\r\n`;
  using first = await openClient(signalbox);
  using second = await openClient(signalbox);
  for (const client of [first, second]) {
    client.socket.write(stream);
    await expect.poll(() => client.text).toContain('Connected');
  }
  const request = HEALTH.replace('\r\n\r\n', `\r\n${from}\r\n`);
  for (let i = 0; i < 3; i++) {
    using client = await openClient(signalbox);
    expect(await ask(client, request)).toContain('200 OK');
  }
});
