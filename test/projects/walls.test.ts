import { expect, test } from 'vitest';
import { createChannel, mint, publish, subscribeToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

/** Two projects side by side: the default one, and `other` with a key of its own. */
async function twoProjects(signalbox: TestService) {
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

test('nothing of one project can be read, addressed or counted from another', async () => {
  await using signalbox = await startService();
  const { other } = await twoProjects(signalbox);
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
  expect(await other.request(`query ($id: ID!) { isOnline(token: $id) }`, { id: ada.id })).toEqual({
    isOnline: false,
  });
  expect(await other.request(`{ tokens { nodes { id } } channels { nodes { id } } project { id } }`)).toEqual(
    { tokens: { nodes: [] }, channels: { nodes: [] }, project: { id: 'other' } },
  );

  await publish(signalbox, 'lobby', 'sentinel');
  expect(await events.next()).toEqual({ events: { message: { event: 'sentinel' } } });
});

test('channels of the same id in two projects have nothing in common', async () => {
  await using signalbox = await startService();
  const { other, secret } = await twoProjects(signalbox);
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

test('a cursor of one project is lost in another, and says nothing about it', async () => {
  await using signalbox = await startService();
  const { other } = await twoProjects(signalbox);
  for (const project of [signalbox, other]) await createChannel(project, 'lobby', { type: 'UNPROTECTED' });
  const { cursor } = await mint(signalbox);
  const { cursor: theirs } = await mint(other);
  expect(cursor).not.toBe(theirs);
  const foreign = queueResults(
    signalbox.client({ project: 'other' }),
    `subscription ($since: Cursor) { messages(channel: "lobby", since: $since) { event } }`,
    { since: cursor },
  );
  expect(await foreign.ended).toMatchObject([{ extensions: { code: 'POSITION_LOST' } }]);
});

test('an idempotency key of one project is free in another', async () => {
  await using signalbox = await startService();
  const { other } = await twoProjects(signalbox);
  for (const project of [signalbox, other]) await createChannel(project, 'lobby');
  const say = `mutation { publishMessage(channel: "lobby", event: "e", idempotencyKey: "1") { repeated } }`;
  for (const project of [signalbox, other]) {
    expect(await project.request(say)).toEqual({ publishMessage: { repeated: false } });
  }
});

test('a token of one project is nobody’s member in another, whatever is asked with both ids', async () => {
  await using signalbox = await startService();
  const { other } = await twoProjects(signalbox);
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
])('only the operator’s key may ask %s', async (query) => {
  await using signalbox = await startService();
  const { other } = await twoProjects(signalbox);
  expect(await codeOf(other.ask(query))).toBe('FORBIDDEN');
  expect((await signalbox.ask(query)).errors).toBeUndefined();
});
