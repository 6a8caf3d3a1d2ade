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
}, 60_000);
