import pg from 'pg';
import { expect, test, type TestContext } from 'vitest';
import { createChannel, mint, subscribeToken, unsubscribeToken } from '../support/backend.ts';
import { sign, signingKeyOf, tokenOf } from '../support/external-credentials.ts';
import { countWaiting } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { API_KEY, startServiceOnPostgres } from '../support/service.ts';

/** Two nodes on a new database, and a session that holds locks. */
async function startTwoNodes(context: TestContext) {
  requirePostgres(context);
  const { createDatabase, query } = await sharedPostgres();
  const url = await createDatabase();
  const [first, second] = [await startServiceOnPostgres(url), await startServiceOnPostgres(url)];
  return {
    url,
    first,
    second,
    query: (sql: string) => query(url, sql),
    /** Locks the rows that a statement selects. Resolves to the function that ends the lock. */
    async hold(select: string): Promise<() => Promise<void>> {
      const holder = new pg.Client({ connectionString: url });
      await holder.connect();
      await holder.query(`BEGIN; ${select} FOR UPDATE`);
      return () => holder.end();
    },
    waiting: (count: number) => expect.poll(() => countWaiting(url)).toBe(count),
    async [Symbol.asyncDispose]() {
      await second[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
    },
  };
}

/** A credential of one token that was issued so many seconds ago. */
const credentialOf = (secondsAgo: number, channels: string[]) =>
  sign(signingKeyOf(API_KEY), { sub: 'ada', iat: Math.floor(Date.now() / 1000) - secondsAgo, channels });

test.for([true, false])(
  'a credential that was issued before unsubscribeToken of another node does not subscribe the token after it (the token was subscribed: %s)',
  async (isMember, context) => {
    await using nodes = await startTwoNodes(context);
    const { first, second, hold, waiting, query } = nodes;
    for (const id of ['room', 'lobby']) await createChannel(first, id);
    const { id } = await tokenOf(first, await credentialOf(20, []));
    if (isMember) await subscribeToken(first, 'room', id);
    const unshown = await credentialOf(10, ['room', 'lobby']);

    const release = await hold(`SELECT FROM tokens WHERE id = '${id}'`);
    const unsubscribing = unsubscribeToken(second, 'room', id);
    await waiting(1);
    const presenting = tokenOf(first, unshown);
    await waiting(2);
    await release();
    await Promise.all([unsubscribing, presenting]);
    expect(await query('SELECT channel_id FROM memberships')).toEqual([{ channel_id: 'lobby' }]);
  },
);

test('a credential does not subscribe the token after another node has stored the rights of a newer one', async (context) => {
  await using nodes = await startTwoNodes(context);
  const { first, second, hold, waiting, query } = nodes;
  await createChannel(first, 'room');
  const { id } = await tokenOf(first, await credentialOf(20, []));

  const release = await hold(`SELECT FROM tokens WHERE id = '${id}'`);
  const newer = tokenOf(second, await credentialOf(5, []));
  await waiting(1);
  const older = tokenOf(first, await credentialOf(10, ['room']));
  await waiting(2);
  await release();
  await Promise.all([newer, older]);
  expect(await query('SELECT channel_id FROM memberships')).toEqual([]);
});

test('createToken subscribes to no channel that another node creates with the id of a deleted one meanwhile', async (context) => {
  await using nodes = await startTwoNodes(context);
  const { first, second, hold, waiting, query } = nodes;
  for (const id of ['a-room', 'b-lobby']) await createChannel(first, id, { type: 'PUBLIC' });
  // The transaction stops when it has subscribed the token to the first channel.
  await query(
    `CREATE TABLE gates (id text); INSERT INTO gates VALUES ('b-lobby');
     CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       PERFORM FROM gates WHERE id = NEW.channel_id FOR UPDATE;
       RETURN NEW;
     END $$;
     CREATE TRIGGER stop BEFORE INSERT ON memberships FOR EACH ROW EXECUTE FUNCTION stop()`,
  );

  const release = await hold('SELECT FROM gates');
  const creating = mint(second, { channels: ['b-lobby', 'a-room'] });
  await waiting(1);
  const replacing = first
    .request('mutation { deleteChannel(id: "a-room") { id } }')
    .then(() => createChannel(first, 'a-room'));
  await Promise.race([replacing, waiting(2)]);
  await release();
  const [{ id }] = await Promise.all([creating, replacing]);
  expect(await query('SELECT channel_id, token_id FROM memberships')).toEqual([
    { channel_id: 'b-lobby', token_id: id },
  ]);
});

test('createToken subscribes to no deleted channel when another node deletes it first', async (context) => {
  await using nodes = await startTwoNodes(context);
  const { first, second, hold, waiting, query } = nodes;
  await createChannel(first, 'room');
  const release = await hold(`SELECT FROM channels`);
  const deleting = first.request('mutation { deleteChannel(id: "room") { id } }');
  await waiting(1);
  const creating = mint(second, { channels: ['room'] });
  await waiting(2);
  await release();
  await Promise.all([creating, deleting]);
  expect(await query('SELECT channel_id FROM memberships')).toEqual([]);
});

test('two nodes create tokens with the same channels in another order at the same time', async (context) => {
  await using nodes = await startTwoNodes(context);
  const { first, second, hold, waiting, query } = nodes;
  for (const id of ['a-room', 'b-lobby']) await createChannel(first, id);
  const release = await hold(`SELECT FROM channels WHERE id = 'a-room'`);
  const forwards = mint(first, { channels: ['a-room', 'b-lobby'] });
  await waiting(1);
  const backwards = mint(second, { channels: ['b-lobby', 'a-room'] });
  await waiting(2);
  await release();
  await Promise.all([forwards, backwards]);
  expect(await query('SELECT FROM memberships')).toHaveLength(4);
});
