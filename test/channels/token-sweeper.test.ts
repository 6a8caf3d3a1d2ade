import pg from 'pg';
import { expect, test } from 'vitest';
import { createChannel, subscribeToken } from '../support/backend.ts';
import { countWaiting } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { startServiceOnPostgres } from '../support/service.ts';

test('the token sweeper deletes nothing of a guest that createCredential extends at the same time', async (context) => {
  requirePostgres(context);
  const { createDatabase, query } = await sharedPostgres();
  const url = await createDatabase();
  await using signalbox = await startServiceOnPostgres(url);
  const { request, service } = signalbox;
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const createGuest = async (): Promise<string> => {
    const { createGuest } = await request('mutation { createGuest { token { id } } }', {}, null);
    const { id } = createGuest.token;
    await subscribeToken(signalbox, 'room', id);
    await request('mutation ($t: ID!) { ban(token: $t, channel: "room") { id } }', { t: id });
    return id as string;
  };
  const extended = await createGuest();
  await createGuest();
  await query(url, 'UPDATE tokens SET expires_at = 1, purge_after = 2');

  const holder = new pg.Client({ connectionString: url });
  await holder.connect();
  await holder.query(`BEGIN; SELECT FROM tokens WHERE id = '${extended}' FOR UPDATE`);
  const extending = request(
    'mutation ($t: ID!) { createCredential(token: $t, expiresIn: 3600) { credential } }',
    { t: extended },
  );
  await expect.poll(() => countWaiting(url)).toBe(1);
  const sweeping = service.tokenSweeper.sweep();
  await expect.poll(() => countWaiting(url)).toBe(2);
  await holder.end();
  await Promise.all([extending, sweeping]);
  expect(await query(url, 'SELECT id FROM tokens')).toEqual([{ id: extended }]);
  expect(await query(url, 'SELECT token_id FROM memberships')).toEqual([{ token_id: extended }]);
  expect(await query(url, 'SELECT subject FROM restrictions')).toEqual([{ subject: `token:${extended}` }]);
});
