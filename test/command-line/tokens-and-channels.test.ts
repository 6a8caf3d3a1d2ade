import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLineRunner } from '../support/command-line-program.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const { run, json, one } = createLineRunner(() => service);

test('creates, lists, shows, renews and revokes tokens', async () => {
  await run('channel create tokens:1');
  const created = await one(
    'token create --identity ada --channel tokens:1 --expires-in 12h --role subscriber --state {"seat":1}',
  );
  expect(created).toMatchObject({ token: { identity: 'ada', role: 'SUBSCRIBER', state: { seat: 1 } } });
  const seconds = (Date.parse(created.token.expiresAt) - Date.parse(created.token.createdAt)) / 1_000;
  expect(Math.round(seconds)).toBe(12 * 3_600);
  const id = created.token.id as string;
  expect(await json('token list --identity ada --offline')).toMatchObject([{ id }]);
  expect(await json('token list --identity ada --online')).toEqual([]);
  expect((await run('token list --identity ada')).lines).toEqual([
    expect.stringMatching(/^ID +IDENTITY +ROLE +ONLINE +EXPIRES$/),
    expect.stringMatching(new RegExp(`^${id} +ada +SUBSCRIBER +no +2`)),
  ]);
  const renewed = await one(`token renew ${id} --expires-in 30d`);
  expect(Date.parse(renewed.token.expiresAt)).toBeGreaterThan(Date.parse(created.token.expiresAt));
  expect(await one('token renew --identity ada')).toMatchObject({ token: { id } });
  expect(await run(`token revoke ${id}`)).toMatchObject({ code: 0, lines: [`Revoked ${id}.`] });
  expect((await run(`token show ${id}`)).lines).toContainEqual(expect.stringMatching(/^EXPIRES +revoked$/));
});

test('creates, lists, shows and deletes channels, and sets their state', async () => {
  expect(await one('channel create game:1 --type public --state {"round":1}')).toMatchObject({
    type: 'PUBLIC',
  });
  expect(await json('channel list --type public')).toMatchObject([{ id: 'game:1' }]);
  expect(await run('channel state game:1 {"round":2,"open":true} --if-version 1')).toMatchObject({
    lines: ['game:1 is at version 2.'],
  });
  expect(await run('channel state game:1 {} --if-version 1')).toMatchObject({ code: 1 });
  await run('channel state game:1 - --patch', { input: '{"open":null}\n' });
  expect((await run('channel state game:1')).lines).toEqual(['{"round":2}']);
  expect(await run('channel delete game:1')).toMatchObject({ lines: ['Deleted game:1.'] });
  expect(await run('channel show game:1')).toEqual({
    code: 4,
    lines: [],
    notes: ['There is no channel “game:1” in this project.'],
  });
});

test('subscribes tokens, publishes to them, shows them online, moderates and disconnects them', async () => {
  await run('channel create room:1');
  const { token, credential } = await one('token create --identity bob');
  const id = token.id as string;
  expect(await run('online --identity bob')).toMatchObject({ code: 1, lines: ['Offline.'] });
  const inbox = queueResults(
    service.client({ token: credential }),
    `subscription { events { __typename ... on ChannelMessage { message { event data } } ... on DirectMessage { message { event data } } ... on Restricted { restriction { reason } } ... on Disconnecting { note } } }`,
  );
  const next = async () => (await inbox.next()).events;
  expect(await next()).toMatchObject({ __typename: 'Connected' });
  expect(await run(`online --token ${id}`)).toMatchObject({ code: 0, lines: ['Online.'] });
  expect(await run(`subscribe room:1 ${id}`)).toMatchObject({ lines: [`${id} is subscribed to room:1.`] });
  expect(await next()).toMatchObject({ __typename: 'ChannelAvailable' });
  expect(await json('presence room:1')).toMatchObject([{ identity: 'bob', token: id }]);

  expect((await run('publish room:1 said {"text":"hi"}')).lines).toEqual([
    expect.stringMatching(/^Published msg_\w+ to 1 live connection\.$/),
  ]);
  expect(await next()).toMatchObject({ message: { event: 'said', data: { text: 'hi' } } });
  const message = (await json(`publish room:1 said`))[0].message.id as string;
  expect((await run(`explain --message ${message} --token ${id}`)).lines).toEqual([
    expect.stringMatching(/^Delivered: .* conn_\w+ at 2/),
  ]);
  expect(await run(`explain --message msg_none --token ${id}`)).toMatchObject({ code: 1 });
  expect(await run(`explain --message ${message}`)).toMatchObject({ code: 2 });
  await next();
  await run(`direct note "psst" --identity bob`);
  expect(await next()).toMatchObject({ __typename: 'DirectMessage', message: { data: 'psst' } });

  const explain = `explain --token ${id} --channel room:1 --action publish`;
  expect(await run(explain)).toMatchObject({
    code: 0,
    lines: [expect.stringMatching(/^Allowed \(ALLOWED\): /)],
  });
  expect(await one(`mute --token ${id} --channel room:1 --for 10m --reason flood`)).toMatchObject({
    kind: 'MUTE',
  });
  expect(await next()).toMatchObject({ restriction: { reason: 'flood' } });
  expect(await run(explain)).toMatchObject({
    code: 1,
    lines: [expect.stringMatching(/^Not allowed \(MUTED\): /)],
  });
  expect((await run(`unmute --token ${id} --channel room:1`)).lines).toEqual(['The mute is lifted.']);
  expect(await one(`ban --token ${id} --channel room:1 --until 2090-01-31T12:00:00Z`)).toMatchObject({
    kind: 'BAN',
  });
  expect((await run(`unban --token ${id} --channel room:1`)).lines).toEqual(['The ban is lifted.']);
  expect((await run(`unsubscribe room:1 ${id}`)).lines).toEqual([`${id} is no longer subscribed to room:1.`]);
  expect((await run('disconnect --identity bob --reason enough')).lines).toEqual(['Closed 1 connection.']);
});

test('an identity in place of the id of a token is named as such', async () => {
  await run('channel create guests');
  expect(await run('subscribe guests ada')).toEqual({
    code: 4,
    lines: [],
    notes: [
      'There is no token “ada” in this project. Pass the id of a token, which begins with “token_”, not an identity.',
    ],
  });
  expect((await run('subscribe guests token_none')).notes).toEqual([
    'There is no token “token_none” in this project.',
  ]);
});

test('creates a token with grants and an expiry, and changes or takes away each of its properties', async () => {
  const expires = '2090-01-31T12:00:00.000Z';
  const { token } = await one(
    `token create --grant room:*=subscribe,publish --grant lobby=presence@2080-01-31T12:00:00Z --expires ${expires} --connection-data seat`,
  );
  const grants = [
    { channels: 'room:*', actions: ['SUBSCRIBE', 'PUBLISH'], expiresAt: null },
    { channels: 'lobby', actions: ['PRESENCE'], expiresAt: '2080-01-31T12:00:00.000Z' },
  ];
  expect(token).toMatchObject({ grants, expiresAt: expires, connectionData: 'seat' });
  const update = `token update ${token.id}`;
  expect(await one(`${update} --role moderator --state {"seat":2}`)).toMatchObject({
    ...{ role: 'MODERATOR', state: { seat: 2 }, grants },
    ...{ expiresAt: expires, connectionData: 'seat' },
  });
  expect(await one(`${update} --grant lobby=moderate --expires-in 1h`)).toMatchObject({
    grants: [{ channels: 'lobby', actions: ['MODERATE'] }],
  });
  expect(await one(`${update} --no-grant --no-expires --no-connection-data`)).toMatchObject({
    ...{ role: 'MODERATOR', grants: null, expiresAt: null, connectionData: null },
  });
});

test('creates channels with a kind and a history, and changes them', async () => {
  await run(
    'project settings {"permissions":{"kinds":[{"name":"stage","type":"PUBLIC"}]},"expiryGraceSeconds":5}',
  );
  expect((await run('project settings')).lines.join()).toContain('"expiryGraceSeconds":5');
  expect(await one('channel create scene --kind stage --history-messages 7 --history-for 2h')).toMatchObject({
    ...{ kind: 'stage', type: 'PUBLIC', history: { messages: 7, seconds: 7_200 } },
  });
  expect(await one('channel update scene --history-messages max')).toMatchObject({
    ...{ kind: 'stage', history: { messages: null, seconds: 7_200 } },
  });
  expect(await one('channel update scene --history-for 0s --type private --keep-memberships')).toMatchObject({
    ...{ kind: null, type: 'PRIVATE', history: { messages: null, seconds: 0 } },
  });
  expect(await one('channel create')).toMatchObject({ type: 'PRIVATE', history: { messages: null } });
});

test('lists connections and restrictions, and revokes the credentials of an identity until that is undone', async () => {
  await run('channel create hall');
  await run('publish hall said 1');
  const { token, credential, cursor } = await one('token create --identity carol');
  const since = await one('token create');
  await run('publish hall said 2');
  await run(`subscribe hall ${token.id} --since ${since.cursor}`);
  const resumed = service.client({ token: credential });
  const inbox = queueResults(
    resumed,
    `subscription ($since: Cursor) { events(since: $since) { __typename ... on ChannelMessage { message { data } } } }`,
    { since: cursor },
  );
  expect((await inbox.next()).events).toMatchObject({ __typename: 'Connected' });
  expect((await inbox.next()).events).toMatchObject({ message: { data: 2 } });
  expect(await json('connections --identity carol --channel hall')).toMatchObject([
    { connection: { token: token.id }, channels: ['hall'] },
  ]);
  expect(await json('connections --identity carol --channel lobby')).toEqual([]);
  await run(`mute --identity carol --channel hall --reason loud`);
  expect(await json('restrictions --channel hall')).toMatchObject([{ kind: 'MUTE', reason: 'loud' }]);
  expect((await run('revocation create --identity carol')).lines).toEqual(['Revoked; closed 1 connection.']);
  expect(await json('revocation list')).toMatchObject([{ scope: 'IDENTITY', identity: 'carol' }]);
  expect(await run('issuer test -', { input: credential })).toMatchObject({ code: 3 });
  expect((await run('revocation undo --identity carol')).lines).toEqual(['The revocation is undone.']);
  expect(await run('issuer test -', { input: credential })).toMatchObject({ code: 0 });
  expect((await run('revocation undo --identity carol')).lines).toEqual(['There was no revocation.']);
});
