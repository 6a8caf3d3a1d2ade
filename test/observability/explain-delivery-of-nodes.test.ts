import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { runProgram } from '../support/command-line-program.ts';
import { hasPostgres, sharedPostgres } from '../support/postgres.ts';
import { queueResults } from '../support/result-queue.ts';
import { startServiceOnPostgres, type ServiceClient, type TestService } from '../support/service.ts';

const EXPLAIN = `query ($message: ID!, $token: ID!) {
  explainDelivery(message: $message, token: $token) {
    outcome rule because deliveries { connection node replayed at } isRetained unansweredNodes endedNodes
  }
}`;
const explain = async ({ request }: ServiceClient, message: string, token: string) =>
  (await request(EXPLAIN, { message, token })).explainDelivery;

const PUBLISH = `mutation ($ephemeral: Boolean) { publishMessage(channel: "lobby", event: "said", ephemeral: $ephemeral) { message { id } } }`;
const say = async ({ request }: ServiceClient, ephemeral = false): Promise<string> =>
  (await request(PUBLISH, { ephemeral })).publishMessage.message.id;

const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename ... on Connected { connection { id } } ... on ChannelMessage { message { id } }
} }`;

/** Connects a token to a node and opens its inbox. */
async function connect(node: ServiceClient, credential: string, since?: string) {
  const client = node.client({ token: credential });
  const events = queueResults(client, EVENTS, { since });
  const { connection } = (await events.next()).events;
  const received = (message: string) => events.until(({ events }) => events.message?.id === message);
  const { nodes } = (await node.request('{ connections { nodes { node connection { id } } } }')).connections;
  const { node: nodeId } = nodes.find(({ connection: { id } }: any) => id === connection.id);
  async function close(): Promise<void> {
    await client.dispose();
    const isOpen = async () =>
      (await node.request('{ connections { nodes { connection { id } } } }')).connections.nodes.some(
        (one: any) => one.connection.id === connection.id,
      );
    while (await isOpen());
  }
  return { id: connection.id as string, nodeId: nodeId as string, received, close };
}

/** Creates a project with the channel `lobby`. Returns what calls each node with its API key, and that key. */
async function createProject(id: string, nodes: readonly ServiceClient[]) {
  const [first] = nodes;
  const { createProject } = await first!.request(
    'mutation ($id: ID!) { createProject(input: { id: $id }) { secret } }',
    { id },
  );
  const secret: string = createProject.secret;
  const clients = nodes.map((node) => ({
    ...node,
    request: (text: string, variables?: object) => node.request(text, variables, secret),
  }));
  await createChannel(clients[0]!, 'lobby');
  return { secret, clients };
}

const isWhole = { unansweredNodes: [], endedNodes: [] };

describe.skipIf(!hasPostgres)('explainDelivery on several nodes', () => {
  let url: string;
  let query: (sql: string) => Promise<any[]>;
  let a: TestService;
  let b: TestService;

  beforeAll(async () => {
    const server = await sharedPostgres();
    url = await server.createDatabase();
    query = (sql) => server.query(url, sql);
    a = await startServiceOnPostgres(url);
    b = await startServiceOnPostgres(url);
    await createChannel(a, 'lobby');
  });
  afterAll(async () => {
    for (const node of [a, b]) await node[Symbol.asyncDispose]();
  });

  test('names the connections of all nodes that received a message, whichever node is asked', async () => {
    const ada = await mint(a, { channels: ['lobby'] });
    const [atA, atB] = [await connect(a, ada.credential), await connect(b, ada.credential)];
    expect(atA.nodeId).not.toBe(atB.nodeId);
    // One after the other, because an ephemeral message may overtake one of another node.
    const logged = await say(a);
    for (const { received } of [atA, atB]) await received(logged);
    const ephemeral = await say(b, true);
    for (const { received } of [atA, atB]) await received(ephemeral);
    const delivery = ({ id, nodeId }: typeof atA) => ({
      ...{ connection: id, node: nodeId },
      ...{ replayed: false, at: expect.any(String) },
    });
    const check = async () => {
      for (const [node, first, second] of [
        [a, atA, atB],
        [b, atB, atA],
      ] as const)
        for (const message of [logged, ephemeral])
          expect(await explain(node, message, ada.id)).toMatchObject({
            outcome: 'DELIVERED',
            isRetained: message === logged,
            deliveries: [delivery(first), delivery(second)],
            ...isWhole,
          });
    };
    await check();
    await atB.close();
    await check();
    await atA.close();
  });

  test('finds a message that the node does not remember, and tells apart what was replayed on another one', async () => {
    const [c, atB] = (await createProject('replays', [a, b])).clients as [ServiceClient, ServiceClient];
    const [ada, ben, eve] = [
      await mint(c, { channels: ['lobby'] }),
      await mint(c, { channels: ['lobby'] }),
      await mint(c),
    ];
    // The other node has no connection of the project and therefore receives none of its messages.
    const message = await say(c);
    const earlier = await say(c, true);
    for (const one of [message, earlier])
      for (const node of [c, atB])
        expect(await explain(node, one, ada.id)).toMatchObject({
          ...{ outcome: 'NOT_DELIVERED', rule: 'OFFLINE', deliveries: [] },
          ...{ isRetained: one === message, ...isWhole },
        });
    const replayed = await connect(atB, ada.credential, ada.cursor);
    await replayed.received(message);
    const later = await connect(atB, ben.credential);
    const outside = await connect(atB, eve.credential);
    for (const node of [c, atB]) {
      expect(await explain(node, message, ada.id)).toMatchObject({
        outcome: 'DELIVERED',
        deliveries: [{ connection: replayed.id, node: replayed.nodeId, replayed: true, at: null }],
      });
      expect(await explain(node, message, ben.id)).toMatchObject({ rule: 'BEFORE_START' });
    }
    const next = await say(c);
    await later.received(next);
    expect(await explain(c, next, eve.id)).toMatchObject({ rule: 'NOT_SUBSCRIBED', ...isWhole });
    await later.close();
    const missed = await say(c);
    await replayed.received(missed);
    expect(await explain(c, missed, ben.id)).toMatchObject({ rule: 'OFFLINE' });
    await replayed.close();
    await outside.close();
    // Nobody follows the project on the other node any more, and its ended subscriptions were before the message.
    const last = await say(c);
    for (const { id } of [ada, ben]) expect(await explain(atB, last, id)).toMatchObject({ rule: 'OFFLINE' });
    expect(await explain(atB, last, eve.id)).toMatchObject({ rule: 'OFFLINE', ...isWhole });
  });

  test('answers a limited API key only about its channels, and finds nothing of another project', async () => {
    const ada = await mint(a, { channels: ['lobby'] });
    const { secret, clients } = await createProject('foreign', [a]);
    const c = clients[0]!;
    const eve = await mint(c);
    const foreign = await say(c);
    const { createApiKey } = await a.request(
      'mutation { createApiKey(scopes: [READ], channels: "attic") { secret } }',
    );
    const message = await say(a);
    const ask = async (token: string, bearer: string, id: string) =>
      (await b.ask(EXPLAIN, { message: id, token }, bearer)).errors?.[0]?.extensions['code'];
    expect(await ask(ada.id, createApiKey.secret, message)).toBe('FORBIDDEN');
    expect(await ask(ada.id, createApiKey.secret, 'msg_none')).toBe('FORBIDDEN');
    expect(await ask(ada.id, ada.credential, message)).toBe('FORBIDDEN');
    expect(await ask(ada.id, secret, foreign)).toBe('NOT_FOUND');
    expect(await explain(b, foreign, ada.id)).toMatchObject({ outcome: 'UNKNOWN', isRetained: null });
    expect((await b.request(EXPLAIN, { message, token: eve.id }, secret)).explainDelivery).toMatchObject({
      outcome: 'UNKNOWN',
    });
  });

  test('a node that does not answer, and one that has ended, are named, and make UNKNOWN what they may have delivered', async () => {
    const [ada, ben] = [await mint(a, { channels: ['lobby'] }), await mint(a, { channels: ['lobby'] })];
    const atA = await connect(a, ada.credential);
    const d = await startServiceOnPostgres(url);
    const atD = await connect(d, ben.credential);
    const message = await say(a);
    await Promise.all([atA.received(message), atD.received(message)]);
    expect(await explain(a, message, ben.id)).toMatchObject({
      deliveries: [{ node: atD.nodeId }],
      ...isWhole,
    });
    await d[Symbol.asyncDispose]();
    const ended = { unansweredNodes: [], endedNodes: [atD.nodeId] };
    expect(await explain(a, message, ben.id)).toMatchObject({
      ...{ outcome: 'UNKNOWN', rule: null, because: expect.stringContaining(atD.nodeId), ...ended },
    });
    expect(await explain(b, message, ada.id)).toMatchObject({ outcome: 'DELIVERED', ...ended });
    expect(await runProgram(a, ['explain', '--message', message, '--token', ben.id])).toMatchObject({
      code: 1,
      lines: [
        expect.stringMatching(/^Unknown: the node /),
        `Without the node ${atD.nodeId}, which has ended since.`,
      ],
    });
    // A registered node that hangs, or of a version that does not know the question.
    await query(`INSERT INTO nodes (id, lease_until, signals_through, version)
      VALUES ('node_silent.1', clock_timestamp() + interval '1 minute', 1000000, 'test')`);
    const startedAt = performance.now();
    expect(await explain(a, message, ben.id)).toMatchObject({
      ...{ outcome: 'UNKNOWN', because: expect.stringContaining('node_silent') },
      ...{ unansweredNodes: ['node_silent'], endedNodes: [atD.nodeId] },
    });
    expect(performance.now() - startedAt).toBeGreaterThan(1900);
    await query(`DELETE FROM nodes WHERE id = 'node_silent.1'`);
    await publish(a, 'lobby', 'end');
    await atA.close();
  });
});
