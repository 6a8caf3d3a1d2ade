import pg from 'pg';
import { expect, test } from 'vitest';
import { createChannel, mint, revokeToken, unsubscribeToken } from '../support/backend.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { countWaiting, lockTable } from '../support/locked-table.ts';
import { createProxy } from '../support/proxy.ts';
import { numbers, publishRequest, publishTo } from '../support/publish.ts';
import { codeOf } from '../support/projects.ts';
import { queueResults } from '../support/result-queue.ts';
import { subscribeResuming } from '../support/resuming-subscription.ts';
import { startServiceOnPostgres, type ServiceClient } from '../support/service.ts';

/** A new database of the server that the files of this worker share. */
const createDatabase = async () => (await sharedPostgres()).createDatabase();

async function countChannels(url: string): Promise<number> {
  const postgres = await sharedPostgres();
  return (await postgres.query(url, 'select count(*)::int as count from channels'))[0].count as number;
}

const PUBLISH_ALL = `mutation ($messages: [PublishMessageInput!]!) {
  publishMessages(messages: $messages) { receipt { message { data } } error { code message outcomeUnknown } }
}`;

async function publishAll({ request }: ServiceClient, messages: readonly object[]): Promise<any[]> {
  return (await request(PUBLISH_ALL, { messages })).publishMessages;
}

/** `Connected` with a field that is read from the rows of presence. */
const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { cursor channels { id presence { count } } }
  ... on ChannelMessage { message { id cursor previous channel event data } }
} }`;

test('a replay waits for a Connected event whose fields are read slowly, and the connection stays open', async (context) => {
  requirePostgres(context);
  const url = await createDatabase();
  await using signalbox = await startServiceOnPostgres(url, { publishesPerSecondPerKey: 100_000 });
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const count = 1500;
  for (let from = 0; from < count; from += 100)
    await publishAll(
      signalbox,
      numbers(100, from).map((data) => ({ channel: 'room', event: 'said', data })),
    );

  const unlock = await lockTable(url, 'entered');
  const closed: number[] = [];
  const client = signalbox.client(
    { token: token.credential },
    { on: { closed: (event) => closed.push((event as CloseEvent).code) } },
  );
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  // A replay that did not wait would read all its pages meanwhile.
  for (const data of numbers(40, count)) await publishTo(signalbox, { channel: 'room' }, data);
  await unlock();
  await inbox.until(({ messages }) => messages.length === count + 40);
  expect(inbox.messages.map(({ data }) => data)).toEqual(numbers(count + 40));
  expect(closed).toEqual([]);
});

test('when the log refuses a later part of a batch, publishMessages names the messages that were not published', async (context) => {
  requirePostgres(context);
  const url = await createDatabase();
  await using signalbox = await startServiceOnPostgres(url);
  await createChannel(signalbox, 'room');
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  await database.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.event = 'refused') EXECUTE FUNCTION refuse()`);
  await database.end();
  const kept = { channel: 'room', event: 'kept', data: 1, idempotencyKey: 'key' };
  const refused = { channel: 'room', event: 'refused' };

  // The second use of a key waits for another transaction.
  const outcomes = await publishAll(signalbox, [kept, kept, refused]);
  const error = {
    code: 'UNAVAILABLE',
    message: 'The message log cannot be written. The message was not published; try again.',
    outcomeUnknown: false,
  };
  expect(outcomes).toEqual([
    { receipt: { message: { data: 1 } }, error: null },
    { receipt: null, error },
    { receipt: null, error },
  ]);
  const { data, errors } = await signalbox.ask(PUBLISH_ALL, { messages: [refused] });
  expect([data, errors?.[0]?.extensions['code']]).toEqual([null, 'UNAVAILABLE']);
});

test('a message that waits while another node deletes its channel and creates it again is refused, and is not in the new channel', async (context) => {
  requirePostgres(context);
  const url = await createDatabase();
  await using proxy = await createProxy((await sharedPostgres()).port);
  await using first = await startServiceOnPostgres(
    Object.assign(new URL(url), { port: String(proxy.port) }).href,
  );
  await using second = await startServiceOnPostgres(url);
  await createChannel(first, 'room');
  await publishTo(first, { channel: 'room' }, 'before');
  // An append holds the lock of the log before it reads its lane.
  const unlock = await lockTable(url, 'lanes');
  const inFlight = publishTo(first, { channel: 'room' }, 'in flight');
  await expect.poll(() => countWaiting(url, 'SELECT append_messages')).toBe(1);
  const publish = publishRequest({ channel: 'room' }, 'too late');
  const tooLate = first.ask(publish.query, publish.variables);
  const replacing = second
    .request('mutation { deleteChannel(id: "room") { id } }')
    .then(() => createChannel(second, 'room'));
  await expect.poll(() => countWaiting(url, 'delete from "channels"')).toBe(1);
  // Otherwise the next append of the node could take the lock of the log before the deletion, which waits for it, wakes up.
  const release = proxy.hold();
  await unlock();
  await expect.poll(() => countChannels(url)).toBe(0);
  release();
  await inFlight;
  expect((await tooLate).errors?.[0]?.extensions['code']).toBe('NOT_FOUND');
  await replacing;
  const history = '{ channel(id: "room") { messages { nodes { data } } } }';
  expect((await first.request(history)).channel.messages.nodes).toEqual([]);
});

test('when a mute is answered, what its token published before is in the log, and what waited is refused', async (context) => {
  requirePostgres(context);
  const url = await createDatabase();
  await using first = await startServiceOnPostgres(url);
  await using second = await startServiceOnPostgres(url);
  await createChannel(first, 'room');
  const { id, credential } = await mint(first, { channels: ['room'] });
  const publish = (data: string) => {
    const { query, variables } = publishRequest({ channel: 'room' }, data);
    return first.ask(query, variables, credential);
  };
  const inbox = queueResults(first.client({ token: credential }), 'subscription { events { __typename } }');
  await inbox.next();
  const other = queueResults(
    second.client({ token: (await mint(second)).credential }),
    'subscription { events { __typename ... on Connected { connection { id } } } }',
  );
  const { connection } = (await other.next()).events;
  await publish('before');
  const unlock = await lockTable(url, 'lanes');
  const inFlight = publish('in flight');
  await expect.poll(() => countWaiting(url, 'SELECT append_messages')).toBe(1);
  const waiting = publish('waiting');
  // Requests that arrive later and read the same rows: when they are answered, the message waits.
  for (const _ of ['once', 'twice', 'again']) await first.ask('{ viewer { kind } }', {}, credential);
  let isUnlocked = false;
  const muted = second
    .request('mutation ($t: ID!) { mute(token: $t, channel: "room") { id } }', { t: id })
    .then(() => isUnlocked);
  // The node of the publisher has applied the mute.
  await inbox.until(({ events }) => events.__typename === 'Restricted');
  // A confirmation would arrive at the second node before this message, and the mute would be answered.
  await first.request(
    'mutation ($c: ID!) { publishDirectMessage(connection: $c, event: "said") { connections } }',
    { c: connection.id },
  );
  await other.until(({ events }) => events.__typename === 'DirectMessage');
  await second.request('{ viewer { kind } }');
  isUnlocked = true;
  await unlock();
  expect(codeOf(await waiting)).toBe('FORBIDDEN');
  expect(codeOf(await inFlight)).toBeUndefined();
  expect(await muted).toBe(true);
  const history = '{ channel(id: "room") { messages { nodes { data } } } }';
  expect((await first.request(history)).channel.messages.nodes).toEqual([
    { data: 'before' },
    { data: 'in flight' },
  ]);
});

test('a message whose append takes longer than a mute waits for it is refused when it comes to its turn', async (context) => {
  requirePostgres(context);
  const url = await createDatabase();
  await using signalbox = await startServiceOnPostgres(url);
  await createChannel(signalbox, 'room');
  const [muted, other] = [
    await mint(signalbox, { channels: ['room'] }),
    await mint(signalbox, { channels: ['room'] }),
  ];
  await publishTo(signalbox, { channel: 'room' }, 'before');
  const unlock = await lockTable(url, 'lanes');
  const publish = publishRequest({ channel: 'room' }, 'too late');
  const tooLate = signalbox.ask(publish.query, publish.variables, muted.credential);
  const allowed = publishTo(signalbox, { channel: 'room' }, 'allowed', {}, other.credential);
  await expect.poll(() => countWaiting(url, 'SELECT append_messages')).toBe(1);
  await signalbox.request('mutation ($t: ID!) { mute(token: $t, channel: "room") { id } }', { t: muted.id });
  await unlock();
  expect(codeOf(await tooLate)).toBe('FORBIDDEN');
  await allowed;
  const history = '{ channel(id: "room") { messages { nodes { data } } } }';
  expect((await signalbox.request(history)).channel.messages.nodes).toEqual([
    { data: 'before' },
    { data: 'allowed' },
  ]);
});

test('a direct message that waits while its API key is revoked is refused', async (context) => {
  requirePostgres(context);
  const url = await createDatabase();
  await using signalbox = await startServiceOnPostgres(url);
  const { createApiKey } = await signalbox.request('mutation { createApiKey { secret apiKey { id } } }');
  const { secret, apiKey } = createApiKey;
  const { id, credential } = await mint(signalbox, { identity: 'ada' });
  const holder = queueResults(signalbox.client({ apiKey: secret }), 'subscription { events { __typename } }');
  await holder.next();
  const inbox = queueResults(
    signalbox.client({ token: credential }),
    'subscription { events { __typename ... on Connected { connection { id } } ... on DirectMessage { message { data } } } }',
  );
  const { connection } = (await inbox.next()).events;
  // Where a publish reads whether the connection is live, and where an append reads its lane.
  const unlock = await lockTable(url, 'present, lanes');
  const inFlight = publishTo(signalbox, { token: id }, 'in flight');
  await expect.poll(() => countWaiting(url, 'SELECT append_messages')).toBe(1);
  const waiting = [{ token: id }, { identity: 'ada' }, { connection: connection.id as string }].map((to) => {
    const { query, variables } = publishRequest(to, 'waiting');
    return signalbox.ask(query, variables, secret);
  });
  // Requests that arrive later and read the same rows: when they are answered, the messages wait.
  for (const _ of ['once', 'twice', 'again'])
    await signalbox.request(
      'query ($id: ID!) { token(id: $id) { id } tokens(identity: "ada") { nodes { id } } }',
      { id },
      secret,
    );
  await expect.poll(() => countWaiting(url, 'SELECT member')).toBe(1);
  const revoked = signalbox.request('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', {
    id: apiKey.id,
  });
  expect(await holder.ended).toMatchObject({ code: 4403 });
  await unlock();
  await revoked;
  await inFlight;
  expect((await Promise.all(waiting)).map(codeOf)).toEqual(waiting.map(() => 'UNAUTHENTICATED'));
  await publishTo(signalbox, { connection: connection.id }, 'last');
  expect((await inbox.next()).events.message).toEqual({ data: 'in flight' });
  expect((await inbox.next()).events.message).toEqual({ data: 'last' });
  const sent = '{ viewer { directMessages { nodes { data } } } }';
  expect((await signalbox.request(sent, {}, credential)).viewer.directMessages.nodes).toEqual([
    { data: 'in flight' },
  ]);
});

test('a query whose caller loses a right while it reads is answered by the new rights', async (context) => {
  requirePostgres(context);
  const url = await createDatabase();
  await using signalbox = await startServiceOnPostgres(url);
  await createChannel(signalbox, 'room');
  const read = '{ channel(id: "room") { messages { nodes { data } } } }';
  const losses: Record<string, (token: string) => Promise<unknown>> = {
    TOKEN_REVOKED: (token) => revokeToken(signalbox, token),
    FORBIDDEN: (token) => unsubscribeToken(signalbox, 'room', token),
  };
  for (const [code, loseRight] of Object.entries(losses)) {
    const { id, credential } = await mint(signalbox, { channels: ['room'] });
    await publishTo(signalbox, { channel: 'room' }, 'secret');
    expect((await signalbox.request(read, {}, credential)).channel.messages.nodes).toEqual([
      { data: 'secret' },
    ]);
    const unlock = await lockTable(url, 'messages');
    const answer = signalbox.ask(read, {}, credential);
    await expect.poll(() => countWaiting(url)).toBe(1);
    await loseRight(id);
    await unlock();
    expect((await answer).errors?.[0]?.extensions['code']).toBe(code);
    expect((await answer).data?.channel ?? null).toBeNull();
  }
});
