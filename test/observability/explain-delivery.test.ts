import { expect, test } from 'vitest';
import { createDeliveryRecords, MAX_ENDED, MAX_MESSAGES } from '../../src/observability/delivery-records.ts';
import { createDeliveryReports } from '../../src/observability/delivery-report.ts';
import { createChannel, mint, sendDirect, subscribeToken } from '../support/backend.ts';
import { tokenCaller } from '../support/callers.ts';
import { createManualClock } from '../support/clock.ts';
import { draft } from '../support/drafts.ts';
import { createProject } from '../support/projects.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';

const EXPLAIN = `query ($message: ID!, $token: ID!) {
  explainDelivery(message: $message, token: $token) { outcome rule because deliveries { connection replayed at } isRetained }
}`;
const explain = async ({ request }: ServiceClient, message: string, token: string) =>
  (await request(EXPLAIN, { message, token })).explainDelivery;
const PUBLISH = `mutation ($ephemeral: Boolean) { publishMessage(channel: "lobby", event: "said", ephemeral: $ephemeral) { message { id } } }`;
const publish = async ({ request }: ServiceClient, ephemeral = false): Promise<string> =>
  (await request(PUBLISH, { ephemeral })).publishMessage.message.id;

const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename ... on Connected { connection { id } } ... on ChannelMessage { message { id } } ... on DirectMessage { message { id } }
} }`;

/** Connects a token and opens its inbox. */
async function connect(signalbox: TestService, credential: string, since?: string) {
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS, { since });
  const { connection } = (await events.next()).events;
  const close = async () => {
    await client.dispose();
    while ((await signalbox.request('{ connections { nodes { node } } }')).connections.nodes.length > 0);
  };
  return { id: connection.id as string, events, close };
}

async function openLobby(): Promise<TestService> {
  const signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  return signalbox;
}

test('names the connections that received a message when it was published, also after they have ended', async () => {
  await using signalbox = await openLobby();
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const { id, close } = await connect(signalbox, ada.credential);
  const [logged, ephemeral] = [await publish(signalbox), await publish(signalbox, true)];
  const deliveries = [{ connection: id, replayed: false, at: expect.any(String) }];
  const expected = { outcome: 'DELIVERED', rule: null, deliveries };
  const explainBoth = async () => [
    await explain(signalbox, logged, ada.id),
    await explain(signalbox, ephemeral, ada.id),
  ];
  const outcome = [
    { ...expected, isRetained: true },
    { ...expected, isRetained: false },
  ];
  expect(await explainBoth()).toMatchObject(outcome);
  await close();
  expect(await explainBoth()).toMatchObject(outcome);
  const later = await publish(signalbox);
  expect(await explain(signalbox, later, ada.id)).toMatchObject({
    outcome: 'NOT_DELIVERED',
    rule: 'OFFLINE',
    isRetained: true,
    deliveries: [],
  });
});

test('distinguishes a replayed message from one that was published before the subscription began', async () => {
  await using signalbox = await openLobby();
  const [ada, ben] = [
    await mint(signalbox, { channels: ['lobby'] }),
    await mint(signalbox, { channels: ['lobby'] }),
  ];
  const message = await publish(signalbox);
  for (const { id } of [ada, ben])
    expect(await explain(signalbox, message, id)).toMatchObject({ rule: 'OFFLINE' });
  const resumed = await connect(signalbox, ada.credential, ada.cursor);
  expect((await resumed.events.next()).events.message.id).toBe(message);
  await connect(signalbox, ben.credential);
  expect(await explain(signalbox, message, ada.id)).toMatchObject({
    outcome: 'DELIVERED',
    deliveries: [{ connection: resumed.id, replayed: true, at: null }],
  });
  expect(await explain(signalbox, message, ben.id)).toMatchObject({
    outcome: 'NOT_DELIVERED',
    rule: 'BEFORE_START',
  });
});

test('explains by whether the token was subscribed when the message was published', async () => {
  await using signalbox = await openLobby();
  const ada = await mint(signalbox, { identity: 'ada' });
  const { events } = await connect(signalbox, ada.credential, ada.cursor);
  const before = await publish(signalbox);
  expect(await explain(signalbox, before, ada.id)).toMatchObject({ rule: 'NOT_SUBSCRIBED' });
  await subscribeToken(signalbox, 'lobby', ada.id);
  const during = await publish(signalbox);
  await events.until(({ events }) => events.message?.id === during);
  await signalbox.request('mutation { ban(identity: "ada", channel: "lobby") { id } }');
  const banned = await publish(signalbox);
  await signalbox.request('mutation { unban(identity: "ada", channel: "lobby") { id } }');
  const after = await publish(signalbox);
  await signalbox.request(
    'mutation ($t: ID!) { unsubscribeToken(channel: "lobby", token: $t) { createdAt } }',
    { t: ada.id },
  );
  const left = await publish(signalbox);
  const rules: unknown[] = [];
  for (const message of [before, during, banned, after, left]) {
    const { outcome, rule } = await explain(signalbox, message, ada.id);
    rules.push(rule ?? outcome);
  }
  // The first one is from before the membership, which the subscription has had; now it has none.
  expect(rules).toEqual(['HIDDEN', 'DELIVERED', 'BEFORE_START', 'DELIVERED', 'NOT_SUBSCRIBED']);
});

test('names the ban, the filter of event names and another recipient', async () => {
  await using signalbox = await openLobby();
  const [ada, ben] = [await mint(signalbox, { channels: ['lobby'] }), await mint(signalbox)];
  await signalbox.request('mutation ($t: ID!) { ban(token: $t, channel: "lobby") { id } }', { t: ada.id });
  const { id, events } = await connect(signalbox, ada.credential);
  const banned = await publish(signalbox);
  expect(await explain(signalbox, banned, ada.id)).toMatchObject({ rule: 'BANNED' });
  await subscribeToken(signalbox, 'lobby', ben.id);
  const filtering = signalbox.client({ token: ben.credential });
  const shouts = queueResults(
    filtering,
    'subscription { messages(channel: "lobby", events: ["shouted"]) { id } }',
  );
  await queueResults(filtering, '{ viewer { kind } }').next();
  const filtered = await publish(signalbox);
  expect(await explain(signalbox, filtered, ben.id)).toMatchObject({ rule: 'FILTERED' });
  shouts.stop();
  await sendDirect(signalbox, ada.id, 'psst');
  const direct = (await events.next()).events.message.id;
  expect(await explain(signalbox, direct, ada.id)).toMatchObject({ deliveries: [{ connection: id }] });
  expect(await explain(signalbox, direct, ben.id)).toMatchObject({ rule: 'NOT_ADDRESSED' });
});

test('answers UNKNOWN for messages without a record, and for those of another project', async () => {
  await using signalbox = await openLobby();
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const { id } = await connect(signalbox, ada.credential);
  const { publishDirectMessage } = await signalbox.request(
    'mutation ($c: ID!) { publishDirectMessage(connection: $c, event: "psst") { message { id } } }',
    { c: id },
  );
  const other = await createProject(signalbox, 'other');
  const eve = await mint(other);
  const message = await publish(signalbox);
  const unknown = { outcome: 'UNKNOWN', rule: null, isRetained: null };
  expect(await explain(signalbox, publishDirectMessage.message.id, ada.id)).toMatchObject(unknown);
  expect(await explain(signalbox, 'msg_absent', ada.id)).toMatchObject(unknown);
  expect(await explain(other, message, eve.id)).toMatchObject(unknown);
  expect((await other.ask(EXPLAIN, { message, token: ada.id })).errors).toMatchObject([
    { extensions: { code: 'NOT_FOUND' } },
  ]);
});

const NOBODY = { kind: 'API_KEY', tokenId: null, identity: null, connectionData: null };

test('keeps a bounded number of messages, subscriptions and connections, and reports which records are incomplete', () => {
  const records = createDeliveryRecords(createManualClock());
  const message = (id: number, batch: number) => {
    const fields = {
      projectId: 'p',
      id: `msg_${id}`,
      address: 'channel:c',
      event: 'e',
      logged: null,
      sender: NOBODY,
    };
    records.recorder.delivered([fields as never], batch);
  };
  message(0, 1);
  message(1, 1);
  const first = records.message('p', 'msg_1')!;
  const span = {
    floor: 0,
    after: 0,
    position: 0,
    lastBatch: 0,
    added: undefined,
    liveAfterBatch: 0,
    eventNames: undefined,
  };
  const connection = { id: 'conn_1', caller: { kind: 'TOKEN', token: { id: 'token_1' } } };
  const end = (endedInBatch: number) =>
    records.recorder.ended(connection as never, 'channel:c', { ...span, endedInBatch });
  for (let count = 0; count < MAX_ENDED; count++) end(1);
  expect(records.endedSpans('token_1', 'channel:c')).toHaveLength(MAX_ENDED);
  expect(records.isIncompleteSince(first)).toBe(false);
  end(1);
  expect(records.endedSpans('token_1', 'channel:c')).toHaveLength(MAX_ENDED / 2 + 1);
  expect(records.isIncompleteSince(first)).toBe(true);
  for (let count = 2; count <= MAX_MESSAGES; count++) message(count, 2);
  expect(records.message('p', 'msg_0')).toBeUndefined();
  expect(records.message('p', 'msg_1')).toBeDefined();
  expect(records.isIncompleteSince(records.message('p', 'msg_2')!)).toBe(false);
});

test('tells a delivery that the node has forgotten from a replay by whether the connection was open', async () => {
  const clock = createManualClock();
  const records = createDeliveryRecords(clock);
  const report = createDeliveryReports({ records, connections: { ofToken: () => [] } });
  const message = { ...draft(), publishedAt: clock.now(), logged: null };
  const facts = { ...message, sequence: 1, deliveredAt: clock.now() };
  const span = { floor: 0, after: 0, position: 1, lastBatch: 1, added: undefined, eventNames: undefined };
  const ended = (id: string, liveAfterBatch: number) =>
    records.recorder.ended({ id, caller: tokenCaller(), openedAt: clock.now() } as never, message.address, {
      ...{ ...span, liveAfterBatch, endedInBatch: 2 },
    });
  ended('conn_live', 0);
  await clock.advance(1000);
  ended('conn_later', 1);
  const reportDeliveries = () =>
    report(facts, tokenCaller().token.id).deliveries.map(({ connectionId, isReplay, at }) => [
      connectionId,
      isReplay,
      at,
    ]);
  // What the node has not forgotten, it has not delivered.
  expect(reportDeliveries()).toEqual([
    ['conn_live', true, null],
    ['conn_later', true, null],
  ]);
  for (let count = 0; count < MAX_MESSAGES; count++) records.recorder.delivered([draft() as never], 3);
  expect(reportDeliveries()).toEqual([
    ['conn_live', false, facts.deliveredAt],
    ['conn_later', true, null],
  ]);
});
