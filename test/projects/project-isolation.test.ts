import { expect, test } from 'vitest';
import { createChannel, mint, publish, subscribeToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

/** Creates the project `other` beside the default one; returns its client and its API key. */
async function createOtherProject(signalbox: TestService) {
  const { createProject } = await signalbox.request(
    `mutation { createProject(input: { id: "other" }) { secret project { id } apiKey { isOperator } } }`,
  );
  expect(createProject).toMatchObject({ project: { id: 'other' }, apiKey: { isOperator: false } });
  const other = {
    ...signalbox,
    ask: (query: string, variables?: object) => signalbox.ask(query, variables, createProject.secret),
    request: (query: string, variables?: object) => signalbox.request(query, variables, createProject.secret),
  };
  return { other, secret: createProject.secret as string };
}

const codeOf = async (answer: ReturnType<TestService['ask']>) =>
  (await answer).errors?.[0]?.extensions['code'];

test('refuses to read, address or count anything of another project', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  await createChannel(signalbox, 'lobby', { type: 'UNPROTECTED' });
  const ada = await mint(signalbox, { identity: 'ada', channels: ['lobby'] });
  const events = queueResults(
    signalbox.client({ token: ada.credential }),
    `subscription { events { ... on Connected { connection { id } } ... on ChannelMessage { message { event } } } }`,
  );
  const { id: connection } = (await events.next()).events.connection;

  const refused: [string, object][] = [
    [`query ($id: ID!) { token(id: $id) { id } }`, { id: ada.id }],
    [`query { channel(id: "lobby") { id } }`, {}],
    [`mutation ($id: ID!) { revokeToken(id: $id) { id } }`, { id: ada.id }],
    [`mutation ($id: ID!) { updateToken(id: $id, input: {}) { id } }`, { id: ada.id }],
    [`mutation ($id: ID!) { createCredential(token: $id) { credential } }`, { id: ada.id }],
    [`query ($id: ID!) { isOnline(token: $id) }`, { id: ada.id }],
    [`mutation ($id: ID!) { subscribeToken(channel: "lobby", token: $id) { createdAt } }`, { id: ada.id }],
    [`mutation ($id: ID!) { unsubscribeToken(channel: "lobby", token: $id) { createdAt } }`, { id: ada.id }],
    [`mutation { publishMessage(channel: "lobby", event: "x") { connections } }`, {}],
    [`mutation { setChannelState(channel: "lobby", state: {}) { id } }`, {}],
    [`mutation { deleteChannel(id: "lobby") { id } }`, {}],
    [`mutation ($id: ID!) { publishDirectMessage(token: $id, event: "x") { connections } }`, { id: ada.id }],
    [`mutation { publishDirectMessage(identity: "ada", event: "x") { connections } }`, {}],
    [
      `mutation ($id: ID!) { publishDirectMessage(connection: $id, event: "x") { connections } }`,
      { id: connection },
    ],
    [`mutation { revokeApiKey(id: "key_test") { id } }`, {}],
  ];
  for (const [query, variables] of refused) {
    expect([query, await codeOf(other.ask(query, variables))]).toEqual([query, 'NOT_FOUND']);
  }
  expect(await other.request(`{ tokens { nodes { id } } channels { nodes { id } } project { id } }`)).toEqual(
    { tokens: { nodes: [] }, channels: { nodes: [] }, project: { id: 'other' } },
  );

  await publish(signalbox, 'lobby', 'sentinel');
  expect(await events.next()).toEqual({ events: { message: { event: 'sentinel' } } });
});

test('delivers no message of a channel with the same id in another project', async () => {
  await using signalbox = await startService();
  const { other, secret } = await createOtherProject(signalbox);
  for (const project of [signalbox, other]) await createChannel(project, 'lobby', { type: 'UNPROTECTED' });
  const here = queueResults(signalbox.client({}), `subscription { messages(channel: "lobby") { event } }`);
  const there = queueResults(
    signalbox.client({ project: 'other' }),
    `subscription { messages(channel: "lobby") { event } }`,
  );
  const backend = signalbox.client({ apiKey: secret });
  await queueResults(backend, `{ viewer { project } }`).next();
  await publish(signalbox, 'lobby', 'before');
  while ((await publish(signalbox, 'lobby', 'here')) === 0);
  while ((await publish(other, 'lobby', 'there')) === 0);
  expect(await here.until(({ messages }) => messages.event === 'here')).toBeTruthy();
  expect(await there.next()).toEqual({ messages: { event: 'there' } });
  await publish(signalbox, 'lobby', 'sentinel');
  expect((await here.until(({ messages }) => messages.event !== 'here')).messages.event).toBe('sentinel');
});

test('refuses a cursor of another project with POSITION_LOST', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  for (const project of [signalbox, other]) await createChannel(project, 'lobby', { type: 'UNPROTECTED' });
  const { cursor } = await mint(signalbox);
  const { cursor: otherCursor } = await mint(other);
  expect(cursor).not.toBe(otherCursor);
  const messages = queueResults(
    signalbox.client({ project: 'other' }),
    `subscription ($since: Cursor) { messages(channel: "lobby", since: $since) { event } }`,
    { since: cursor },
  );
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'POSITION_LOST' } }]);
});

test('accepts an idempotency key that another project has used', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  for (const project of [signalbox, other]) await createChannel(project, 'lobby');
  const PUBLISH = `mutation { publishMessage(channel: "lobby", event: "e", idempotencyKey: "1") { repeated } }`;
  for (const project of [signalbox, other]) {
    expect(await project.request(PUBLISH)).toEqual({ publishMessage: { repeated: false } });
  }
});

test('refuses to subscribe a token of another project, and lists no member', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  for (const project of [signalbox, other]) await createChannel(project, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  await expect(subscribeToken(other, 'lobby', ada.id)).rejects.toThrow('no token');
  const { channel } = await other.request(
    `{ channel(id: "lobby") { tokens { nodes { id } } presence { count } } }`,
  );
  expect(channel).toEqual({ tokens: { nodes: [] }, presence: { count: 0 } });
});

test.each([
  [`mutation { createProject { secret } }`],
  [`mutation { rotateSigningKey(overlapSeconds: 0) }`],
  [`{ projects { nodes { id } } }`],
  [`mutation { createApiKey(project: "default") { secret } }`],
])('refuses %s with FORBIDDEN to a key that is not an operator key', async (query) => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  expect(await codeOf(other.ask(query))).toBe('FORBIDDEN');
  expect((await signalbox.ask(query)).errors).toBeUndefined();
});
