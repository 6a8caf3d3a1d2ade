import pg from 'pg';
import { expect, test } from 'vitest';
import { createChannel, mint, publish, revokeToken, subscribeToken } from '../support/backend.ts';
import { createLog } from '../support/log.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, startServiceOnPostgres } from '../support/service.ts';

const EVENTS = `subscription { events {
  __typename
  ... on Connected { channels { id } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelUnavailable { channel { id } }
  ... on ChannelMessage { message { event } }
} }`;
const bulkMutation = (
  name: string,
) => `mutation ($c: [ID!]!, $t: [ID!]!) { outcomes: ${name}(channels: $c, tokens: $t) {
  channel token membership { createdAt } error { code message retryable outcomeUnknown }
} }`;

test('reports an outcome for each pair of channel and token, and a pair that fails undoes no other', async () => {
  await using signalbox = await startService();
  for (const id of ['a', 'b']) await createChannel(signalbox, id);
  const [ada, ben] = [await mint(signalbox), await mint(signalbox)];
  await revokeToken(signalbox, ben.id);
  const tokens = [ada.id, ben.id, 'token_unknown'];
  const { outcomes } = await signalbox.request(bulkMutation('subscribeTokens'), {
    c: ['a', 'b', 'nowhere'],
    t: tokens,
  });
  const codes = outcomes.map(({ channel, token, error }: any) => [
    channel,
    tokens.indexOf(token),
    error?.code ?? 'OK',
  ]);
  expect(codes).toEqual([
    ['a', 0, 'OK'],
    ['a', 1, 'TOKEN_REVOKED'],
    ['a', 2, 'NOT_FOUND'],
    ['b', 0, 'OK'],
    ['b', 1, 'TOKEN_REVOKED'],
    ['b', 2, 'NOT_FOUND'],
    ['nowhere', 0, 'NOT_FOUND'],
    ['nowhere', 1, 'TOKEN_REVOKED'],
    ['nowhere', 2, 'NOT_FOUND'],
  ]);
  const { channel } = await signalbox.request(`{ channel(id: "b") { tokens { nodes { id } } } }`);
  expect(channel.tokens.nodes).toEqual([{ id: ada.id }]);

  const ended = (
    await signalbox.request(bulkMutation('unsubscribeTokens'), { c: ['a', 'b'], t: [ada.id, ben.id] })
  ).outcomes;
  expect(ended.map(({ membership, error }: any) => [membership !== null, error])).toEqual([
    [true, null],
    [false, null],
    [true, null],
    [false, null],
  ]);
});

test('delivers to every connection once subscribeTokens returned, and no more once unsubscribeTokens returned', async () => {
  await using signalbox = await startService();
  const channels = ['a', 'b'];
  for (const id of channels) await createChannel(signalbox, id);
  const tokens = [await mint(signalbox), await mint(signalbox)];
  const inboxes = [...tokens, ...tokens].map(({ credential }) =>
    queueResults(signalbox.client({ token: credential }), EVENTS),
  );
  for (const inbox of inboxes) await inbox.next();
  const pairs = { c: channels, t: tokens.map(({ id }) => id) };
  await signalbox.request(bulkMutation('subscribeTokens'), pairs);
  for (const id of channels) expect(await publish(signalbox, id, `in-${id}`)).toBe(4);
  await signalbox.request(bulkMutation('unsubscribeTokens'), pairs);
  for (const id of channels) expect(await publish(signalbox, id, 'undelivered')).toBe(0);
  await subscribeToken(signalbox, 'b', tokens[0]!.id);
  await subscribeToken(signalbox, 'b', tokens[1]!.id);
  await publish(signalbox, 'b', 'sentinel');
  for (const inbox of inboxes) {
    const names = [];
    for (let event; event !== 'sentinel'; names.push(event)) {
      const { events } = await inbox.next();
      event = events.message?.event ?? `${events.__typename} ${events.channel.id}`;
    }
    expect(names).toEqual([
      'ChannelAvailable a',
      'ChannelAvailable b',
      'in-a',
      'in-b',
      'ChannelUnavailable a',
      'ChannelUnavailable b',
      'ChannelAvailable b',
      'sentinel',
    ]);
  }
});

test('refuses a call that names more than 1,000 pairs, with LIMIT_EXCEEDED', async () => {
  await using signalbox = await startService();
  const ids = Array.from({ length: 40 }, (_, i) => `x${i}`);
  const response = await signalbox.ask(bulkMutation('subscribeTokens'), { c: ids, t: ids });
  expect(response.errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 1000 });
});

test('an outcome is reported as unknown, and the log has the cause, when the database is lost during a commit', async (context) => {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const log = createLog();
  await using signalbox = await startServiceOnPostgres(url, {}, { logger: log.logger });
  for (const id of ['a', 'b']) await createChannel(signalbox, id);
  const { id } = await mint(signalbox);
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  await database.query(`
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON memberships DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.channel_id = 'a') EXECUTE FUNCTION cut()`);
  await database.end();

  const { outcomes } = await signalbox.request(bulkMutation('subscribeTokens'), { c: ['a', 'b'], t: [id] });
  const error = { code: 'UNAVAILABLE', retryable: true, outcomeUnknown: true };
  expect(outcomes).toMatchObject([
    { channel: 'a', membership: null, error },
    { channel: 'b', error: null },
  ]);
  expect(log.lines.filter((line) => line.includes('terminating connection'))).not.toEqual([]);
});
