import { expect, test, type TestContext } from 'vitest';
import { createChannel, mint, revokeToken, updateToken } from '../support/backend.ts';
import { countWaiting, lockTable } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { codeOf } from '../support/projects.ts';
import { publishRequest } from '../support/publish.ts';
import { startServiceOnPostgres, type Answer } from '../support/service.ts';

async function startOnNewDatabase(context: TestContext) {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  return { url, signalbox: await startServiceOnPostgres(url) };
}

test('a request whose token is revoked while it is authenticated does nothing', async (context) => {
  const { url, signalbox } = await startOnNewDatabase(context);
  await using _ = signalbox;
  await createChannel(signalbox, 'room');
  const { id, credential } = await mint(signalbox, { channels: ['room'] });
  const { query, variables } = publishRequest({ channel: 'room' }, 'too late');
  const read = '{ channel(id: "room") { id } }';
  // The second request finds the rows of the token in the caches, and waits for its restrictions.
  await signalbox.request(read, {}, credential);
  const unlock = await lockTable(url, 'restrictions');
  const answers = [
    signalbox.ask(query, variables, credential),
    signalbox.ask(read, {}, credential),
    // The other operation of a document must not decide how the query is executed.
    fetch(`${signalbox.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${credential}` },
      body: JSON.stringify({
        query: `query Read ${read} mutation Create { createChannel(input: {}) { id } }`,
        operationName: 'Read',
      }),
    }).then(async (response) => (await response.json()) as Answer),
  ];
  await expect.poll(() => countWaiting(url)).toBe(3);
  await revokeToken(signalbox, id);
  await unlock();
  expect((await Promise.all(answers)).map(codeOf)).toEqual(answers.map(() => 'TOKEN_REVOKED'));
  const sent = '{ channel(id: "room") { messages { nodes { data } } } }';
  expect((await signalbox.request(sent)).channel.messages.nodes).toEqual([]);
});

test('the mutations of a request that have not begun when its API key is revoked do nothing', async (context) => {
  const { url, signalbox } = await startOnNewDatabase(context);
  await using _ = signalbox;
  await createChannel(signalbox, 'room');
  const { createApiKey } = await signalbox.request('mutation { createApiKey { secret apiKey { id } } }');
  const unlock = await lockTable(url, 'messages');
  const answer = signalbox.ask(
    `mutation {
      publishMessages(messages: [{ channel: "room", event: "said" }]) { error { code } }
      createToken(input: { identity: "mallory" }) { credential }
    }`,
    {},
    createApiKey.secret,
  );
  await expect.poll(() => countWaiting(url)).toBe(1);
  await signalbox.request('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', {
    id: createApiKey.apiKey.id,
  });
  await unlock();
  expect(codeOf(await answer)).toBe('UNAUTHENTICATED');
  expect((await signalbox.request('{ tokens(identity: "mallory") { nodes { id } } }')).tokens.nodes).toEqual(
    [],
  );
});

test('the result of a mutation has nothing that its token may not read since an earlier mutation of the request', async (context) => {
  const { url, signalbox } = await startOnNewDatabase(context);
  await using _ = signalbox;
  await createChannel(signalbox, 'room');
  const grant = (actions: string[]) => [{ channels: 'room', actions }];
  const { id, credential } = await mint(signalbox, {
    channels: ['room'],
    role: 'MODERATOR',
    grants: grant(['SUBSCRIBE', 'PUBLISH', 'MODERATE']),
  });
  const unlock = await lockTable(url, 'messages');
  const answer = signalbox.ask(
    `mutation {
      publishMessages(messages: [{ channel: "room", event: "said" }]) { error { code } }
      setChannelState(channel: "room", state: "later") { state messages { nodes { event } } }
    }`,
    {},
    credential,
  );
  await expect.poll(() => countWaiting(url)).toBe(1);
  await updateToken(signalbox, id, { grants: grant(['MODERATE']) });
  await unlock();
  const { data, errors } = await answer;
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(data?.setChannelState?.messages).toBeUndefined();
  expect((await signalbox.request('{ channel(id: "room") { state } }')).channel.state).toBe('later');
});
