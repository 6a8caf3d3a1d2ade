import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { API_KEY, startService, type Answer } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

/** Of an id another one that names nothing: the last characters are others. */
const unlike = (id: string) => id.slice(0, -4) + (id.endsWith('0000') ? '1111' : '0000');

const questions = {
  token: [
    'query ($id: ID!) { token(id: $id) { id } }',
    'query ($id: ID!) { isOnline(token: $id) }',
    'mutation ($id: ID!) { updateToken(id: $id, input: {}) { id } }',
    'mutation ($id: ID!) { revokeToken(id: $id) { id } }',
    'mutation ($id: ID!) { createCredential(token: $id) { credential } }',
    'mutation ($id: ID!) { publishDirectMessage(token: $id, event: "e") { connections } }',
    'mutation ($id: ID!) { subscribeToken(channel: "ours", token: $id) { createdAt } }',
    'mutation ($id: ID!) { subscribeTokens(channels: ["ours"], tokens: [$id]) { error { code message } } }',
    'mutation ($id: ID!) { unsubscribeToken(channel: "ours", token: $id) { createdAt } }',
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

test('whether something is in another project cannot be told from whether it is anywhere', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'theirs', { type: 'UNPROTECTED' });
  const ada = await mint(signalbox, { identity: 'ada', channels: ['theirs'] });
  const events = queueResults(
    signalbox.client({ token: ada.credential }),
    'subscription { events { __typename ... on Connected { connection { id } } } }',
  );
  const { connection } = (await events.next()).events;
  const { createProject } = await signalbox.request(
    'mutation { createProject(input: { id: "other" }) { secret } }',
  );
  const theirs = {
    token: ada.id,
    channel: 'theirs',
    identity: 'ada',
    connection: connection.id,
    apiKey: 'key_test',
    project: 'default',
  };
  await signalbox.request(
    'mutation { createChannel(input: { id: "ours" }) { id } }',
    {},
    createProject.secret,
  );
  const { createToken } = await signalbox.request(
    'mutation { createToken { credential } }',
    {},
    createProject.secret,
  );

  for (const bearer of [createProject.secret, createToken.credential, undefined]) {
    // Anonymous callers say by a header which project they mean.
    const ask = async (query: string, id: string): Promise<Answer> => {
      const headers = {
        'content-type': 'application/json',
        ...(bearer === undefined ? { project: 'other' } : { authorization: `Bearer ${bearer}` }),
      };
      const response = await fetch(`${signalbox.url}/graphql`, {
        method: 'POST',
        headers: {
          ...headers,
          accept: query.startsWith('subscription') ? 'text/event-stream' : 'application/json',
        },
        body: JSON.stringify({ query, variables: { id } }),
      });
      return JSON.parse(
        (await response.text())
          .replaceAll(/^(:|event: .*|data:)$/gm, '')
          .replace('data: ', '')
          .trim()
          .replaceAll(id, 'ID'),
      );
    };
    for (const [kind, queries] of Object.entries(questions)) {
      const id = theirs[kind as keyof typeof questions];
      for (const query of queries) {
        const answer = await ask(query, id);
        expect({ query, answer }).toEqual({ query, answer: await ask(query, unlike(id)) });
        expect(JSON.stringify(answer)).not.toContain('ada');
      }
    }
  }

  // Nothing of all that was felt.
  await signalbox.request(
    'mutation { publishMessage(channel: "theirs", event: "sentinel") { connections } }',
  );
  expect((await events.next()).events.__typename).toBe('ChannelMessage');
});

test('presence in a channel of the same name in another project is not seen', async () => {
  await using signalbox = await startService();
  const { createProject } = await signalbox.request(
    'mutation { createProject(input: { id: "other" }) { secret } }',
  );
  const make =
    'mutation { createChannel(input: { id: "lobby", type: PUBLIC }) { id } createToken { token { id } credential } }';
  const here = (await signalbox.request(make)).createToken;
  const there = (await signalbox.request(make, {}, createProject.secret)).createToken;
  const seen = queueResults(
    signalbox.client({ apiKey: createProject.secret }),
    'subscription { presence(channel: "lobby") { change member { token } } }',
  );
  const query = 'subscription { messages(channel: "lobby") { id } }';
  const join = { id: '1', type: 'subscribe', payload: { query } };
  using ours = await connectSocket(signalbox, { token: here.credential });
  using theirs = await connectSocket(signalbox, { token: there.credential });
  const count = async (bearer: string) =>
    (await signalbox.request('{ channel(id: "lobby") { presence { count } } }', {}, bearer)).channel.presence
      .count;
  ours.send(join);
  while ((await count(API_KEY)) === 0);
  theirs.send(join);
  expect(await seen.next()).toEqual({ presence: { change: 'JOINED', member: { token: there.token.id } } });
  expect([await count(API_KEY), await count(createProject.secret)]).toEqual([1, 1]);
  expect(seen.waiting).toEqual([]);
});

test('an unknown key, a wrong secret and a key that has ended are refused in the same words', async () => {
  await using signalbox = await startService();
  const { createApiKey } = await signalbox.request('mutation { createApiKey { apiKey { id } secret } }');
  await signalbox.request('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', {
    id: createApiKey.apiKey.id,
  });
  const answers = [];
  for (const key of ['key_nobody.0123456789abcdef0123456789', `${API_KEY}x`, createApiKey.secret]) {
    answers.push(await signalbox.ask('{ viewer { kind } }', {}, key));
  }
  expect(answers[0]?.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});
