import { expect, test, type TestContext } from 'vitest';
import { openPostgres } from '../../src/store/postgres.ts';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { requirePgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { publishTo } from '../support/publish.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { startServiceOnPostgres } from '../support/service.ts';

async function createDatabase(context: TestContext) {
  requirePostgres(context);
  requirePgBouncer(context);
  const server = await sharedPostgres();
  return { server, url: await server.createDatabase() };
}

for (const mode of ['transaction', 'statement'] as const) {
  test(`a start through PgBouncer in ${mode} mode is refused with an error message, and leaves the sessions of the pool as they were`, async (context) => {
    const { server, url } = await createDatabase(context);
    await using pooler = await startPgBouncer(url, mode);
    await expect(
      openPostgres({ url: pooler.url, connections: 2, nodeId: 'node_test' }),
    ).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('names a pooler in transaction or statement mode'),
    });
    // Other programs use them, too.
    expect(await server.query(pooler.url, 'show lock_timeout')).toEqual([{ lock_timeout: '0' }]);
    expect(await server.query(url, `select from pg_tables where tablename = 'projects'`)).toEqual([]);
  });
}

test('two nodes work through PgBouncer in session mode: messages, a revocation on the other node, and time limits', async (context) => {
  const { url } = await createDatabase(context);
  await using pooler = await startPgBouncer(url, 'session');
  await using first = await startServiceOnPostgres(pooler.url);
  await using second = await startServiceOnPostgres(pooler.url);
  await createChannel(first, 'room');
  const token = await mint(first, { channels: ['room'] });
  let close: (code: number) => void = () => undefined;
  const closed = new Promise<number>((resolve) => (close = resolve));
  const client = second.client(
    { token: token.credential },
    { on: { closed: (event) => close((event as CloseEvent).code) } },
  );
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  for (const data of [1, 2, 3]) await publishTo(first, { channel: 'room' }, data);
  await inbox.until(({ messages }) => messages.length === 3);
  expect(inbox.messages.map(({ data }) => data)).toEqual([1, 2, 3]);
  await revokeToken(first, token.id);
  expect(await closed).toBe(4403);

  await using store = await openPostgres({ url: pooler.url, connections: 1, nodeId: 'node_test' });
  const [row] = await store.rows(
    `select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`,
    [],
  );
  expect(row).toEqual({ lock: '5s', statement: '10s' });
});
