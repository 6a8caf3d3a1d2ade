import { request } from 'node:http';
import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import { startService, type TestService } from '../support/service.ts';
import { upgrade } from '../support/socket.ts';

/** Sends a request with a Host header, as a browser does after the name was rebound. Resolves to its status and body. */
function askAs(
  { url }: TestService,
  host: string,
  { path = '/graphql', origin }: { path?: string; origin?: string } = {},
): Promise<{ status: number; body: string }> {
  const body = path === '/graphql' ? JSON.stringify({ query: '{ viewer { kind } }' }) : undefined;
  const headers = { host, 'content-type': 'application/json', ...(origin !== undefined && { origin }) };
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method: body ? 'POST' : 'GET', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('error', reject).end(body);
  });
}

const EVIL = 'rebound.evil.example:4000';

test.each(['development', 'test'] as const)(
  'in %s mode a rebound name is refused on every path but /health and /ready, and the sentence names the setting',
  async (mode) => {
    await using signalbox = await startService({ mode });
    const sentence =
      'The service is not known under the name “rebound.evil.example”. Add it to SIGNALBOX_HOSTS.';
    for (const origin of [undefined, `http://${EVIL}`]) {
      const options = origin === undefined ? {} : { origin };
      const answer = await askAs(signalbox, EVIL, options);
      expect(answer).toEqual({ status: 421, body: expect.stringContaining(sentence) as string });
      expect(JSON.parse(answer.body)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
      const headers = { host: EVIL, ...options };
      expect(await upgrade(signalbox, { headers })).toMatchObject({ status: 421, body: sentence });
    }
    for (const path of ['/metrics', '/graphql?query={viewer{kind}}', '/graphql/assets/x.js', '/'])
      expect((await askAs(signalbox, EVIL, { path })).status).toBe(421);
    for (const path of ['/health', '/ready'])
      expect((await askAs(signalbox, EVIL, { path })).status).toBe(200);
  },
);

test.each([
  'localhost',
  'LOCALHOST:1',
  'localhost.',
  'app.localhost:4000',
  '127.0.0.1:9999',
  '10.1.2.3',
  '[::1]:4000',
  '[2001:db8::1]',
  'signalbox:4000',
  'app.example',
  'app.example:8443',
  'box.example.',
  'xn--bcher-kva.example',
])('the name %s is known', async (host) => {
  const hosts = ['box.example', 'xn--bcher-kva.example'];
  await using signalbox = await startService({
    mode: 'development',
    hosts,
    origins: ['https://app.example'],
  });
  expect((await askAs(signalbox, host)).status).toBe(200);
  expect((await askAs(signalbox, host, { path: '/metrics' })).status).toBe(200);
  expect((await upgrade(signalbox, { headers: { host } })).status).toBe(101);
});

test.each([
  'localhost.evil.example',
  'evil.localhost.example',
  '127.0.0.1.evil.example',
  'box.example.evil.example',
  'xbox.example',
  'sub.box.example',
  'box.example@evil.example',
  'evil.example#.localhost',
  'evil.example?localhost',
  'a b',
])('the name %s is not known', async (host) => {
  await using signalbox = await startService({ mode: 'production', hosts: ['box.example'] });
  expect((await askAs(signalbox, host)).status).toBe(421);
  expect((await upgrade(signalbox, { headers: { host } })).status).toBe(421);
});

test('in production, without listed names, every name is answered and makes no page the service’s own', async () => {
  await using signalbox = await startService({ mode: 'production' });
  expect((await askAs(signalbox, 'box.example')).status).toBe(200);
  expect((await askAs(signalbox, 'box.example', { path: '/metrics' })).status).toBe(200);
  const origin = 'https://box.example';
  expect((await askAs(signalbox, 'box.example', { origin })).status).toBe(403);
  expect((await upgrade(signalbox, { headers: { host: 'box.example', origin } })).status).toBe(403);
});

test.each([
  { hosts: ['box.example'] },
  { hosts: ['*'] },
  { origins: ['https://other.example', 'https://box.example'] },
])('in production, a page of the same host is the service’s own with %j', async (config) => {
  await using signalbox = await startService({ mode: 'production', ...config });
  const origin = 'https://box.example';
  expect((await askAs(signalbox, 'box.example', { origin })).status).toBe(200);
  expect((await upgrade(signalbox, { headers: { host: 'box.example', origin } })).status).toBe(101);
});

test('SIGNALBOX_HOSTS corrects spellings and refuses what is no name', () => {
  const hostsOf = (value: string) => readConfig({ SIGNALBOX_HOSTS: value }).config.hosts;
  expect(hostsOf('Box.Example, "b.example", bücher.example, c.example:8443, [::1], *')).toEqual([
    'box.example',
    'b.example',
    'xn--bcher-kva.example',
    'c.example',
    '[::1]',
    '*',
  ]);
  for (const value of ['https://box.example', 'box.example/path', '*.example', 'a b', 'x@y'])
    expect(() => hostsOf(value)).toThrow(ConfigError);
});
