import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createLog } from '../support/log.ts';
import { startService, type TestService } from '../support/service.ts';
import { openSocket, openTcp, upgrade } from '../support/socket.ts';

const APP = 'https://app.example';
const EVIL = 'https://evil.example';

const QUERY = JSON.stringify({ query: '{ viewer { kind } }' });

function post({ url }: TestService, headers: Record<string, string>, path = '/graphql'): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: QUERY,
  });
}

test.each([
  { requester: 'a program without an origin', origin: undefined, list: [], isAllowed: true },
  { requester: 'a foreign page', origin: EVIL, list: [], isAllowed: false },
  { requester: 'a foreign page when another origin is listed', origin: EVIL, list: [APP], isAllowed: false },
  { requester: 'a page with the origin null', origin: 'null', list: [], isAllowed: false },
  {
    requester: 'a page with the origin null when null is listed',
    origin: 'null',
    list: ['null'],
    isAllowed: true,
  },
  { requester: 'a listed page', origin: APP, list: ['https://other.example', APP], isAllowed: true },
  {
    requester: 'a listed host with another scheme',
    origin: 'http://app.example',
    list: [APP],
    isAllowed: false,
  },
  { requester: 'a listed host with another port', origin: `${APP}:8443`, list: [APP], isAllowed: false },
  {
    requester: 'a host that begins with a listed one',
    origin: `${APP}.evil.example`,
    list: [APP],
    isAllowed: false,
  },
  {
    requester: 'a host that ends with a listed one',
    origin: 'https://evilapp.example',
    list: [APP],
    isAllowed: false,
  },
  {
    requester: 'a subdomain of a listed host',
    origin: 'https://sub.app.example',
    list: [APP],
    isAllowed: false,
  },
  { requester: 'a listed host in upper case', origin: 'https://APP.example', list: [APP], isAllowed: false },
  { requester: 'a listed origin with a path', origin: `${APP}/`, list: [APP], isAllowed: false },
  { requester: 'any page when * is listed', origin: EVIL, list: ['*'], isAllowed: true },
])(
  '$requester is allowed or refused equally over WebSocket and HTTP',
  async ({ origin, list, isAllowed }) => {
    await using signalbox = await startService({ origins: list });
    const headers = origin === undefined ? {} : { origin };
    expect((await upgrade(signalbox, { headers })).status).toBe(isAllowed ? 101 : 403);

    const allowed = origin !== undefined && isAllowed ? origin : null;
    for (const accept of ['application/json', 'text/event-stream']) {
      const response = await post(signalbox, { ...headers, accept });
      expect(response.status).toBe(isAllowed ? 200 : 403);
      expect(response.headers.get('access-control-allow-origin')).toBe(allowed);
      const text = await response.text();
      expect(text).toContain(isAllowed ? 'ANONYMOUS' : 'FORBIDDEN');
    }
    const preflight = await fetch(`${signalbox.url}/graphql`, {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe(allowed);
  },
);

test('allows the origin of the service itself', async () => {
  await using signalbox = await startService();
  const headers = { origin: signalbox.url };
  expect((await upgrade(signalbox, { headers })).status).toBe(101);
  expect((await post(signalbox, headers)).status).toBe(200);
});

test.each(['token', 'apiKey', 'api_key', 'key', 'access_token', 'Authorization', 'CREDENTIAL', 'secret'])(
  'refuses a credential in the URL parameter %s and does not quote it',
  async (name) => {
    await using signalbox = await startService();
    const path = `/graphql?project=default&${name}=${signalbox.apiKey}`;
    const overWebSocket = await upgrade(signalbox, { path });
    const overHttp = await post(signalbox, {}, path);
    const bodies = overWebSocket.body + (await overHttp.text());
    expect([overWebSocket.status, overHttp.status]).toEqual([400, 400]);
    expect(bodies).toMatch(/connection_init.*BAD_USER_INPUT/s);
    expect(bodies).not.toContain(signalbox.apiKey);
    expect((await upgrade(signalbox, { path: '/graphql?project=default' })).status).toBe(101);
  },
);

test.each([
  { offered: ['graphql-ws'], status: 400 },
  { offered: [], status: 400 },
  { offered: ['graphql-transport-ws-2'], status: 400 },
  { offered: ['graphql-ws', 'graphql-transport-ws'], status: 101 },
])('answers an upgrade with the sub-protocols $offered with $status', async ({ offered, status }) => {
  await using signalbox = await startService();
  const answer = await upgrade(signalbox, { protocols: offered });
  expect(answer.status).toBe(status);
  expect(answer.headers['sec-websocket-protocol']).toBe(status === 101 ? 'graphql-transport-ws' : undefined);
});

test('does not compress messages when the client offers permessage-deflate', async () => {
  await using signalbox = await startService();
  using socket = await openSocket(signalbox, { perMessageDeflate: true });
  expect(socket.ws.extensions).toBe('');
});

test.each(['/', '/graphql/', '/graphqlx', '//', '//evil.example/graphql', '/%'])(
  'answers an upgrade at %s with 404, and other sockets stay open',
  async (path) => {
    await using signalbox = await startService();
    using other = await openSocket(signalbox);
    expect((await upgrade(signalbox, { path })).status).toBe(404);
    other.send({ type: 'ping' });
    expect(await other.next()).toEqual({ type: 'pong' });
  },
);

const HANDSHAKE = [
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

test.each(['http://[', '*', 'https://'])('refuses a request for the invalid target %s', async (target) => {
  await using signalbox = await startService();
  for (const [headers, status] of [
    [HANDSHAKE, '404'],
    [['Host: localhost', 'Connection: close'], '400'],
  ] as const) {
    using tcp = await openTcp(signalbox);
    tcp.socket.write([`GET ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n'));
    const [answer] = (await once(tcp.socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  }
});

test('closes the socket of a refused upgrade even if the peer does not close it', async () => {
  await using signalbox = await startService();
  using tcp = await openTcp(signalbox, { allowHalfOpen: true });
  tcp.socket.write(['GET /elsewhere HTTP/1.1', ...HANDSHAKE, '', ''].join('\r\n'));
  tcp.socket.resume();
  await once(tcp.socket, 'end');
  // Draining waits for every open socket.
  await signalbox.service[Symbol.asyncDispose]();
});

test('a refusal names the origin and the setting, in its body and in the log', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  const sentence = `The origin “${EVIL}” is not allowed. Add it to SIGNALBOX_ORIGINS.`;
  expect(await upgrade(signalbox, { headers: { origin: EVIL } })).toMatchObject({
    status: 403,
    body: sentence,
  });
  expect(await (await post(signalbox, { origin: EVIL })).json()).toMatchObject({
    errors: [{ message: sentence }],
  });
  const refusal = { action: 'refused', code: 'FORBIDDEN', message: sentence };
  expect(log.audited()).toMatchObject([refusal, refusal]);
  const odd = await post(signalbox, { origin: 'x'.repeat(300) });
  expect(await odd.json()).toMatchObject({
    errors: [{ message: 'This origin is not allowed. Add it to SIGNALBOX_ORIGINS.' }],
  });
});

test.each([
  ['http://localhost:3000', true],
  ['https://localhost', true],
  ['http://app.localhost:5173', true],
  ['http://127.0.0.1:8080', true],
  ['http://[::1]:8080', true],
  ['http://localhost.evil.example', false],
  ['http://evillocalhost:3000', false],
  ['http://127.0.0.1.evil.example', false],
  ['http://192.168.0.2:3000', false],
  ['null', false],
])(
  'in development the origin %s is allowed: %s, and otherwise it must be listed',
  async (origin, isAllowed) => {
    for (const mode of ['development', 'production'] as const) {
      await using signalbox = await startService({ mode });
      const expected = mode === 'development' && isAllowed ? 101 : 403;
      expect((await upgrade(signalbox, { headers: { origin } })).status).toBe(expected);
      expect((await post(signalbox, { origin })).status).toBe(expected === 101 ? 200 : 403);
    }
  },
);
