import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { createLog } from '../support/log.ts';
import { startService, type Answer } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';
import { askEachTransport } from '../support/transports.ts';

const INTROSPECTION = '{ __schema { queryType { name } } }';
const SUGGESTING = [
  { what: 'a field', query: '{ viewr { kind } }' },
  { what: 'an argument', query: '{ tokens(frist: 1) { nodes { id } } }' },
  { what: 'a type', query: '{ viewer { ...f } } fragment f on Viewr { kind }' },
  { what: 'an enum value', query: 'mutation { createToken(input: { role: GUESTS }) { credential } }' },
  {
    what: 'an enum value in a variable',
    query: 'mutation ($role: Role) { createToken(input: { role: $role }) { credential } }',
    variables: { role: 'GUESTS' },
  },
  {
    what: 'a field of a variable',
    query: 'mutation ($input: CreateTokenInput) { createToken(input: $input) { credential } }',
    variables: { input: { identiti: 'ada' } },
  },
];

const codesOf = ({ errors = [] }: Answer) => new Set(errors.map(({ extensions }) => extensions['code']));

test.each([
  { mode: 'production', introspection: 'auto', isShown: false },
  { mode: 'production', introspection: 'on', isShown: true },
  { mode: 'development', introspection: 'auto', isShown: true },
  { mode: 'development', introspection: 'off', isShown: false },
] as const)('introspection $introspection in $mode: shown $isShown, through every door', async (row) => {
  const { isShown, ...config } = row;
  await using signalbox = await startService(config);
  for (const query of [INTROSPECTION, '{ __type(name: "Query") { name } }']) {
    for (const answer of Object.values(await askEachTransport(signalbox, signalbox.apiKey, { query }))) {
      expect(answer.data !== undefined).toBe(isShown);
      expect(codesOf(answer)).toEqual(new Set(isShown ? [] : ['GRAPHQL_VALIDATION_FAILED']));
    }
  }
  for (const answer of Object.values(
    await askEachTransport(signalbox, signalbox.apiKey, { query: '{ __typename }' }),
  )) {
    expect(answer).toEqual({ data: { __typename: 'Query' } });
  }
});

test.each(SUGGESTING)(
  'the name of $what that was meant is not given away',
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
] as const)('GraphiQL $graphiql in $mode: served $isServed', async ({ isServed, ...config }) => {
  await using signalbox = await startService(config);
  const page = await fetch(`${signalbox.url}/graphql`, { headers: { accept: 'text/html' } });
  expect([page.ok, (await page.text()).includes('<html')]).toEqual([isServed, isServed]);
  const asset = await fetch(`${signalbox.url}/graphql/assets/page.js`);
  expect(asset.status).toBe(isServed ? 200 : 404);
});

/** Breaks the store under a running service, as a full or faulty disk would. */
function breakStore(folder: string): void {
  using sqlite = open(folder);
  for (const table of ['tokens', 'messages']) sqlite.db.exec(`ALTER TABLE ${table} RENAME TO gone_${table}`);
}

function open(folder: string): Disposable & { db: Database.Database } {
  const db = new Database(`${folder}/signalbox.sqlite`);
  return { db, [Symbol.dispose]: () => db.close() };
}

/** All that a stack trace, a statement or a driver would give away. */
const INNARDS = /sqlite|no such table|gone_|select |insert |\.ts\b|\.js\b|node_modules|\bat /i;

test.each(['production', 'development'] as const)(
  'in %s a fault of ours is told by a number and logged',
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
      for (const [door, answer] of Object.entries(answers)) {
        const [error] = answer.errors ?? [];
        const errorId = expect.stringMatching(/^err_\w+$/) as string;
        expect({ door, extensions: error?.extensions }).toEqual({
          door,
          extensions: { code, retryable: true, errorId },
        });
        expect(JSON.stringify(answer)).not.toMatch(INNARDS);
        const logged = lines.filter((line) => line.includes(String(error?.extensions['errorId'])));
        expect(logged).toHaveLength(1);
        expect(logged[0]).toContain('no such table');
      }
    }

    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload: { token: credential } });
    expect(await socket.closed).toEqual({ code: 4500, reason: 'FAULT' });
    expect(await (await fetch(`${signalbox.url}/metrics`)).text()).toMatch(/^signalbox_faults_total 10$/m);
  },
);
