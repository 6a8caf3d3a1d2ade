import { expect, test, type TestContext } from 'vitest';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { countWaiting, lockTable } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { codeOf } from '../support/projects.ts';
import { publishRequest } from '../support/publish.ts';
import { startServiceOnPostgres } from '../support/service.ts';

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
  const answers = [signalbox.ask(query, variables, credential), signalbox.ask(read, {}, credential)];
  await expect.poll(() => countWaiting(url)).toBe(2);
  await revokeToken(signalbox, id);
  await unlock();
  expect((await Promise.all(answers)).map(codeOf)).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
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
