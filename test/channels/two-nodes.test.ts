import pg from 'pg';
import { expect, test } from 'vitest';
import { createChannel, mint, subscribeToken } from '../support/backend.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { numbers, publishTo } from '../support/publish.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { startServiceOnPostgres, type ServiceClient } from '../support/service.ts';

/** Without locks, nine rounds of ten failed. */
const ROUNDS = 3;

const deleteChannel = ({ request }: ServiceClient, channel: string) =>
  request('mutation ($c: ID!) { deleteChannel(id: $c) { id } }', { c: channel });
const makePrivate = ({ request }: ServiceClient, channel: string) =>
  request('mutation ($c: ID!) { updateChannel(id: $c, input: { type: PRIVATE }) { id } }', { c: channel });
const subscribeItself = ({ request }: ServiceClient, channel: string, token: string, credential: string) =>
  request(
    'mutation ($c: ID!, $t: ID!) { subscribeToken(channel: $c, token: $t) { createdAt } }',
    { c: channel, t: token },
    credential,
  );
const unsubscribe = ({ request }: ServiceClient, channel: string, token: string) =>
  request('mutation ($c: ID!, $t: ID!) { unsubscribeToken(channel: $c, token: $t) { createdAt } }', {
    c: channel,
    t: token,
  });

/** The number of members of the channel in the database, and of connections of the node that receive its messages. */
async function membersOf(node: ServiceClient, channel: string) {
  const query = 'query ($c: ID!) { channel(id: $c) { tokens { nodes { id } } } }';
  const { nodes } = (await node.request(query, { c: channel })).channel.tokens;
  const { connections } = await publishTo(node, { channel }, 'who?');
  return { members: nodes.length as number, connections };
}

test('what a deleted channel left behind is removed, and nothing of a channel that another node creates with its id meanwhile', async (context) => {
  requirePostgres(context);
  const { query, createDatabase } = await sharedPostgres();
  const url = await createDatabase();
  await using first = await startServiceOnPostgres(url);
  await using second = await startServiceOnPostgres(url);
  const [old, current, banned] = [await mint(first), await mint(first), await mint(first)];
  await createChannel(first, 'room');
  await subscribeToken(first, 'room', old.id);
  // The deletion stops when it has removed the membership, before it looks for more.
  await query(
    url,
    `CREATE TABLE stops (applies boolean); INSERT INTO stops VALUES (true);
     CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF (SELECT applies FROM stops) THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
       RETURN NULL;
     END $$;
     CREATE TRIGGER stop BEFORE DELETE ON restrictions FOR EACH STATEMENT EXECUTE FUNCTION stop()`,
  );
  const holder = new pg.Client({ connectionString: url });
  await holder.connect();
  await holder.query('SELECT pg_advisory_lock(1)');
  const deleting = deleteChannel(first, 'room');
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(() => query(url, waiting)).toHaveLength(1);
  await query(url, 'UPDATE stops SET applies = false');
  await createChannel(second, 'room');
  await subscribeToken(second, 'room', current.id);
  await second.request('mutation ($t: ID!) { ban(token: $t, channel: "room") { id } }', { t: banned.id });
  await holder.end();
  await deleting;
  expect(await query(url, 'SELECT token_id FROM memberships')).toEqual([{ token_id: current.id }]);
  expect(await query(url, 'SELECT subject FROM restrictions')).toHaveLength(1);
});

test('connections follow the memberships while one node subscribes a token and another deletes the channel, makes it PRIVATE or unsubscribes the token', async (context) => {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  await using first = await startServiceOnPostgres(url);
  await using second = await startServiceOnPostgres(url, { changesPerSecondPerToken: 1000 });
  const token = await mint(first);
  const inbox = subscribeResuming(second.client({ token: token.credential }), EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  // A subscription that comes too late is refused.
  const subscribe = (channel: string) => subscribeToken(second, channel, token.id).catch(() => undefined);

  for (const number of numbers(ROUNDS)) {
    const deleted = `deleted-${number}`;
    await createChannel(first, deleted);
    // The node caches the channel.
    await publishTo(second, { channel: deleted }, 'before');
    await Promise.all([deleteChannel(first, deleted), subscribe(deleted)]);
    await createChannel(first, deleted);
    expect(await membersOf(second, deleted)).toEqual({ members: 0, connections: 0 });

    const closed = `closed-${number}`;
    await createChannel(first, closed, { type: 'PUBLIC' });
    await publishTo(second, { channel: closed }, 'before');
    await Promise.all([
      makePrivate(first, closed),
      subscribeItself(second, closed, token.id, token.credential).catch(() => undefined),
    ]);
    expect(await membersOf(second, closed)).toEqual({ members: 0, connections: 0 });

    const left = `left-${number}`;
    await createChannel(first, left);
    await Promise.all([unsubscribe(first, left, token.id), subscribe(left)]);
    const { members, connections } = await membersOf(second, left);
    expect(connections).toBe(members);
  }
});
