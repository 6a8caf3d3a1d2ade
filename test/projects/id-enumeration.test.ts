import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { API_KEY, startService, type Answer } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

/** An id that does not exist: the given one with other last characters. */
const absentIdLike = (id: string) => id.slice(0, -4) + (id.endsWith('0000') ? '1111' : '0000');

const OPERATIONS = {
  token: [
    'query ($id: ID!) { token(id: $id) { id } }',
    'query ($id: ID!) { isOnline(token: $id) }',
    'mutation ($id: ID!) { updateToken(id: $id, input: {}) { id } }',
    'mutation ($id: ID!) { revokeToken(id: $id) { id } }',
    'mutation ($id: ID!) { createCredential(token: $id) { credential } }',
    'mutation ($id: ID!) { publishDirectMessage(token: $id, event: "e") { connections } }',
    'mutation ($id: ID!) { subscribeToken(channel: "own", token: $id) { createdAt } }',
    'mutation ($id: ID!) { subscribeTokens(channels: ["own"], tokens: [$id]) { error { code message } } }',
    'mutation ($id: ID!) { unsubscribeToken(channel: "own", token: $id) { createdAt } }',
  ],
  channel: [
    'query ($id: ID!) { channel(id: $id) { id } }',
    'query ($id: ID!) { viewer { allowedActions(channel: $id) } }',
    'mutation ($id: ID!) { updateChannel(id: $id, input: {}) { id } }',
    'mutation ($id: ID!) { deleteChannel(id: $id) { id } }',
    'mutation ($id: ID!) { setChannelState(channel: $id, state: 1) { id } }',
    'mutation ($id: ID!) { patchChannelState(channel: $id, patch: 1) { id } }',
    'mutation ($id: ID!) { publishMessage(channel: $id, event: "e") { connections } }',
    'mutation ($id: ID!) { createToken(input: { channels: [$id] }) { token { id } } }',
    'subscription ($id: ID!) { messages(channel: $id) { id } }',
    'subscription ($id: ID!) { presence(channel: $id) { at } }',
    'subscription ($id: ID!) { channelState(channel: $id) { id } }',
  ],
  identity: [
    'mutation ($id: String!) { publishDirectMessage(identity: $id, event: "e") { connections } }',
    'query ($id: String!) { tokens(identity: $id) { nodes { id } } }',
  ],
  connection: ['mutation ($id: ID!) { publishDirectMessage(connection: $id, event: "e") { connections } }'],
  apiKey: [
    'mutation ($id: ID!) { revokeApiKey(id: $id) { id } }',
    'mutation ($id: ID!) { rotateApiKey(id: $id) { secret } }',
  ],
  project: ['mutation ($id: ID!) { createApiKey(project: $id) { secret } }'],
} as const;

test('returns the same response for an id of another project and for an id that does not exist', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'foreign', { type: 'UNPROTECTED' });
  const ada = await mint(signalbox, { identity: 'ada', channels: ['foreign'] });
  const events = queueResults(
    signalbox.client({ token: ada.credential }),
    'subscription { events { __typename ... on Connected { connection { id } } } }',
  );
  const { connection } = (await events.next()).events;
  const { createProject } = await signalbox.request(
    'mutation { createProject(input: { id: "other" }) { secret } }',
  );
  const foreignIds = {
    token: ada.id,
    channel: 'foreign',
    identity: 'ada',
    connection: connection.id,
    apiKey: 'key_test',
    project: 'default',
  };
  await signalbox.request(
    'mutation { createChannel(input: { id: "own" }) { id } }',
    {},
    createProject.secret,
  );
  const { createToken } = await signalbox.request(
    'mutation { createToken { credential } }',
    {},
    createProject.secret,
  );

  for (const bearer of [createProject.secret, createToken.credential, undefined]) {
    // Anonymous callers name their project in a header.
    const ask = async (query: string, id: string): Promise<Answer> => {
      const headers = {
        'content-type': 'application/json',
        ...(bearer === undefined ? { project: 'other' } : { authorization: `Bearer ${bearer}` }),
      };
      const httpResponse = await fetch(`${signalbox.url}/graphql`, {
        method: 'POST',
        headers: {
          ...headers,
          accept: query.startsWith('subscription') ? 'text/event-stream' : 'application/json',
        },
        body: JSON.stringify({ query, variables: { id } }),
      });
      return JSON.parse(
        (await httpResponse.text())
          .replaceAll(/^(:|event: .*|data:)$/gm, '')
          .replace('data: ', '')
          .trim()
          .replaceAll(id, 'ID'),
      );
    };
    for (const [kind, queries] of Object.entries(OPERATIONS)) {
      const id = foreignIds[kind as keyof typeof OPERATIONS];
      for (const query of queries) {
        const response = await ask(query, id);
        expect({ query, response }).toEqual({ query, response: await ask(query, absentIdLike(id)) });
        expect(JSON.stringify(response)).not.toContain('ada');
      }
    }
  }

  // The sentinel is the next event, so no operation above had an effect on this connection.
  await signalbox.request(
    'mutation { publishMessage(channel: "foreign", event: "sentinel") { connections } }',
  );
  expect((await events.next()).events.__typename).toBe('ChannelMessage');
});

test('delivers no presence of a channel with the same id in another project', async () => {
  await using signalbox = await startService();
  const { createProject } = await signalbox.request(
    'mutation { createProject(input: { id: "other" }) { secret } }',
  );
  const CREATE =
    'mutation { createChannel(input: { id: "lobby", type: PUBLIC }) { id } createToken { token { id } credential } }';
  const ownToken = (await signalbox.request(CREATE)).createToken;
  const otherToken = (await signalbox.request(CREATE, {}, createProject.secret)).createToken;
  const presence = queueResults(
    signalbox.client({ apiKey: createProject.secret }),
    'subscription { presence(channel: "lobby") { change member { token } } }',
  );
  const query = 'subscription { messages(channel: "lobby") { id } }';
  const subscribe = { id: '1', type: 'subscribe', payload: { query } };
  using ownSocket = await connectSocket(signalbox, { token: ownToken.credential });
  using otherSocket = await connectSocket(signalbox, { token: otherToken.credential });
  const count = async (bearer: string) =>
    (await signalbox.request('{ channel(id: "lobby") { presence { count } } }', {}, bearer)).channel.presence
      .count;
  ownSocket.send(subscribe);
  while ((await count(API_KEY)) === 0);
  otherSocket.send(subscribe);
  expect(await presence.next()).toEqual({
    presence: { change: 'JOINED', member: { token: otherToken.token.id } },
  });
  expect([await count(API_KEY), await count(createProject.secret)]).toEqual([1, 1]);
  expect(presence.waiting).toEqual([]);
});

test('refuses an unknown key, a wrong secret and a revoked key with the same response', async () => {
  await using signalbox = await startService();
  const { createApiKey } = await signalbox.request('mutation { createApiKey { apiKey { id } secret } }');
  await signalbox.request('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', {
    id: createApiKey.apiKey.id,
  });
  const responses = [];
  for (const key of ['key_absent.0123456789abcdef0123456789', `${API_KEY}x`, createApiKey.secret]) {
    responses.push(await signalbox.ask('{ viewer { kind } }', {}, key));
  }
  expect(responses[0]?.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(new Set(responses.map((response) => JSON.stringify(response))).size).toBe(1);
});
