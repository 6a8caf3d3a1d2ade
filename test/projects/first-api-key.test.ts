import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createFolder } from '../support/folder.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { launchProcess, startProcess } from '../support/process.ts';

const VIEWER = `{ viewer { kind apiKey { id } } }`;
const WEAK = 'key_weak.0123456789abcdef';
const strong = () => `key_k${randomBytes(6).toString('hex')}.${randomBytes(32).toString('base64url')}`;

test('in production a weak SIGNALBOX_API_KEY ends the start without printing the key', async () => {
  await using launched = launchProcess({ env: { NODE_ENV: 'production', SIGNALBOX_API_KEY: WEAK } });
  expect(await launched.exited).toBe(1);
  expect(launched.stderr).toContain('SIGNALBOX_API_KEY can be guessed');
  expect(launched.stderr).not.toContain(WEAK.split('.')[1]);
});

test('in development a weak SIGNALBOX_API_KEY is accepted with a warning', async () => {
  await using running = await startProcess({
    env: { NODE_ENV: 'development', SIGNALBOX_API_KEY: WEAK },
  });
  expect(running.stderr).toContain('SIGNALBOX_API_KEY can be guessed');
  expect(running.stderr).not.toContain(WEAK.split('.')[1]);
  expect((await running.request(VIEWER, {}, WEAK)).viewer.apiKey.id).toBe('key_weak');
});

test('a start with a replacement key names the operator keys that are still valid, until they are revoked', async () => {
  using folder = createFolder();
  const [lost, replacement] = [strong(), strong()];
  const launch = (apiKey: string) => ({
    folder: folder.path,
    env: { SIGNALBOX_API_KEY: apiKey },
  });
  const lostId = lost.split('.')[0]!;
  {
    await using first = await startProcess(launch(lost));
    expect(first.stderr).not.toContain('revokeApiKey');
  }
  {
    await using second = await startProcess(launch(replacement));
    expect(second.stderr).toContain(`revokeApiKey(id: "${lostId}")`);
    expect((await second.request(VIEWER, {}, lost)).viewer.kind).toBe('API_KEY');
    await second.request(`mutation { revokeApiKey(id: "${lostId}") { id } }`, {}, replacement);
    expect((await second.ask(VIEWER, {}, lost)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  }
  await using third = await startProcess(launch(replacement));
  expect(third.stderr).not.toContain('revokeApiKey');
});

test('two nodes that start at the same moment on an empty database migrate it once and create one API key and one signing key', async (context) => {
  requirePostgres(context);
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  const start = () =>
    startProcess({
      env: {
        SIGNALBOX_DATABASE_URL: url,
        SIGNALBOX_MASTER_KEY: 'the-master-key-of-these-test-processes',
        SIGNALBOX_API_KEY: '',
        SIGNALBOX_LOG_LEVEL: 'warn',
      },
      stdout: 'pipe',
    });
  const [a, b] = await Promise.all([start(), start()]);
  await using _a = a;
  await using _b = b;
  const log: string[] = [];
  for (const node of [a, b]) node.stdout?.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  const shown = [a, b].flatMap(({ stderr }) => /shown this once\): (\S+)/.exec(stderr)?.[1] ?? []);
  expect(shown).toHaveLength(1);
  const mint = 'mutation { createToken { credential } }';
  const minted = await Promise.all([a, b].map((node) => node.request(mint, {}, shown[0])));
  for (const [index, { createToken }] of minted.entries())
    expect(await [b, a][index]!.request('{ viewer { kind } }', {}, createToken.credential)).toEqual({
      viewer: { kind: 'TOKEN' },
    });
  expect(await server.query(url, 'select id from api_keys')).toHaveLength(1);
  expect(await server.query(url, 'select id from signing_keys')).toHaveLength(1);
  const [migrations] = await server.query(
    url,
    'select count(*) as all, count(distinct hash) as different from drizzle.__drizzle_migrations',
  );
  expect(migrations.all).toBe(migrations.different);
  const WARNING = 40;
  const lines = log.join('').split('\n').filter(Boolean);
  expect(lines.filter((line) => (JSON.parse(line) as { level: number }).level >= WARNING)).toEqual([]);
});
