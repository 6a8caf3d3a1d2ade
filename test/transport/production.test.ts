import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { createLog } from '../support/log.ts';
import { startService, type Answer } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';
import { askEachTransport } from '../support/transports.ts';

const INTROSPECTION = '{ __schema { queryType { name } } }';
const MISSPELLED = [
  { name: 'a field', query: '{ viewr { kind } }' },
  { name: 'an argument', query: '{ tokens(frist: 1) { nodes { id } } }' },
  { name: 'a type', query: '{ viewer { ...f } } fragment f on Viewr { kind }' },
  { name: 'an enum value', query: 'mutation { createToken(input: { role: GUESTS }) { credential } }' },
  {
    name: 'an enum value in a variable',
    query: 'mutation ($role: Role) { createToken(input: { role: $role }) { credential } }',
    variables: { role: 'GUESTS' },
  },
  {
    name: 'a field of a variable',
    query: 'mutation ($input: CreateTokenInput) { createToken(input: $input) { credential } }',
    variables: { input: { identiti: 'ada' } },
  },
];

const codesOf = ({ errors = [] }: Answer) => new Set(errors.map(({ extensions }) => extensions['code']));

test.each([
  { mode: 'production', introspection: 'auto', isAllowed: false },
  { mode: 'production', introspection: 'on', isAllowed: true },
  { mode: 'development', introspection: 'auto', isAllowed: true },
  { mode: 'development', introspection: 'off', isAllowed: false },
] as const)(
  'introspection $introspection in $mode mode is allowed over every transport: $isAllowed',
  async (row) => {
    const { isAllowed, ...config } = row;
    await using signalbox = await startService(config);
    for (const query of [INTROSPECTION, '{ __type(name: "Query") { name } }']) {
      for (const answer of Object.values(await askEachTransport(signalbox, signalbox.apiKey, { query }))) {
        expect(answer.data !== undefined).toBe(isAllowed);
        expect(codesOf(answer)).toEqual(new Set(isAllowed ? [] : ['GRAPHQL_VALIDATION_FAILED']));
      }
    }
    for (const answer of Object.values(
      await askEachTransport(signalbox, signalbox.apiKey, { query: '{ __typename }' }),
    )) {
      expect(answer).toEqual({ data: { __typename: 'Query' } });
    }
  },
);

test.each(MISSPELLED)(
  'suggests the name of $name in development mode, but not in production mode',
  async ({ query, variables = {} }) => {
    for (const mode of ['production', 'development'] as const) {
      await using signalbox = await startService({ mode });
      for (const { errors } of Object.values(
        await askEachTransport(signalbox, signalbox.apiKey, { query, variables }),
      )) {
        expect(errors).toHaveLength(1);
        if (mode === 'production') expect(errors?.[0]?.message).not.toContain('Did you mean');
        else expect(errors?.[0]?.message).toContain('Did you mean');
      }
    }
  },
);

test.each([
  { mode: 'production', graphiql: 'auto', isServed: false },
  { mode: 'production', graphiql: 'on', isServed: true },
  { mode: 'development', graphiql: 'auto', isServed: true },
  { mode: 'development', graphiql: 'off', isServed: false },
] as const)('GraphiQL $graphiql in $mode mode is served: $isServed', async ({ isServed, ...config }) => {
  await using signalbox = await startService(config);
  const page = await fetch(`${signalbox.url}/graphql`, { headers: { accept: 'text/html' } });
  expect([page.ok, (await page.text()).includes('<html')]).toEqual([isServed, isServed]);
  const asset = await fetch(`${signalbox.url}/graphql/assets/page.js`);
  expect(asset.status).toBe(isServed ? 200 : 404);
});

test.each([
  { mode: 'production', console: 'auto', isServed: false },
  { mode: 'production', console: 'on', isServed: true },
  { mode: 'development', console: 'auto', isServed: true },
  { mode: 'development', console: 'off', isServed: false },
] as const)('the console $console in $mode mode is served: $isServed', async ({ isServed, ...config }) => {
  await using signalbox = await startService(config);
  const [page, other] = await Promise.all(
    ['/console', '/console/'].map((path) => fetch(signalbox.url + path)),
  );
  expect([page!.status, other!.status]).toEqual(isServed ? [200, 200] : [404, 404]);
  const root = await fetch(signalbox.url);
  expect((await root.text()).includes('the console at /console')).toBe(isServed);
  if (!isServed) return;
  const html = await page!.text();
  const policy = page!.headers.get('content-security-policy')!;
  const [, nonce = ''] = /'nonce-([\w-]{22})'/.exec(policy) ?? [];
  expect(html).toContain(`nonce="${nonce}"`);
  expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(policy).not.toMatch(/unsafe|\*/);
  expect(other!.headers.get('content-security-policy')).not.toBe(policy);
  expect(page!.headers.get('cache-control')).toBe('no-store');
  const [, script = ''] = /src="(\/console\/assets\/[^"]+\.js)"/.exec(html) ?? [];
  const asset = await fetch(signalbox.url + script);
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  for (const path of ['/console/assets/../index.html', '/console/assets/%2e%2e/index.html', '/console/x'])
    expect((await fetch(signalbox.url + path)).status).toBe(404);
});

test.each([
  { path: '/console', accept: '*/*' },
  { path: '/graphql', accept: 'text/html' },
  { path: '/graphql/assets/page.js', accept: '*/*' },
  { path: '/health', accept: '*/*' },
])('HEAD of $path is answered as GET, without the body', async ({ path, accept }) => {
  await using signalbox = await startService();
  const [get, head] = await Promise.all(
    ['GET', 'HEAD'].map((method) => fetch(signalbox.url + path, { method, headers: { accept } })),
  );
  expect(head!.status).toBe(200);
  for (const name of ['content-type', 'content-length', 'cache-control'])
    expect(head!.headers.get(name), name).toBe(get!.headers.get(name));
  expect((await get!.text()).length).toBeGreaterThan(0);
  expect(await head!.text()).toBe('');
});

/** Breaks the store of a running service, as a faulty disk would. */
function breakStore(folder: string): void {
  using sqlite = open(folder);
  for (const table of ['tokens', 'messages']) sqlite.db.exec(`ALTER TABLE ${table} RENAME TO gone_${table}`);
}

function open(folder: string): Disposable & { db: Database.Database } {
  const db = new Database(`${folder}/signalbox.sqlite`);
  return { db, [Symbol.dispose]: () => db.close() };
}

/** Text that would reveal a stack trace, an SQL statement or a driver. */
const INTERNALS = /sqlite|no such table|gone_|select |insert |\.ts\b|\.js\b|node_modules|\bat /i;

test.each(['production', 'development'] as const)(
  'in %s mode, an internal error is returned with an errorId only, and logged with its cause',
  async (mode) => {
    using folder = createFolder();
    const { logger, lines } = createLog();
    await using signalbox = await startService({ data: folder.path, mode }, { logger });
    await createChannel(signalbox, 'news');
    const { credential } = await mint(signalbox);
    breakStore(folder.path);

    const requests = [
      { query: '{ tokens { nodes { id } } }', code: 'INTERNAL_SERVER_ERROR' },
      { query: 'mutation { createToken { credential } }', code: 'INTERNAL_SERVER_ERROR' },
      {
        query: 'mutation { publishMessage(channel: "news", event: "e") { connections } }',
        code: 'UNAVAILABLE',
      },
    ];
    for (const { query, code } of requests) {
      const answers = await askEachTransport(signalbox, signalbox.apiKey, { query });
      for (const [transport, answer] of Object.entries(answers)) {
        const [error] = answer.errors ?? [];
        const errorId = expect.stringMatching(/^err_\w+$/) as string;
        expect({ transport, extensions: error?.extensions }).toEqual({
          transport,
          extensions: { code, retryable: true, errorId },
        });
        expect(JSON.stringify(answer)).not.toMatch(INTERNALS);
        const logged = lines.filter((line) => line.includes(String(error?.extensions['errorId'])));
        expect(logged).toHaveLength(1);
        expect(logged[0]).toContain('no such table');
      }
    }

    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload: { token: credential } });
    expect(await socket.closed).toEqual({
      code: 4500,
      reason: 'The service failed to handle the request. Its log contains the details under the errorId.',
    });
    expect(await (await fetch(`${signalbox.url}/metrics`)).text()).toMatch(/^signalbox_faults_total 10$/m);
  },
);
