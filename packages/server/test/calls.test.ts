import { expect, expectTypeOf, test } from 'vitest';
import { createChannel } from '../../../test/support/backend.ts';
import { queueResults } from '../../../test/support/result-queue.ts';
import { API_KEY, startService } from '../../../test/support/service.ts';
import { type ErrorCode, Signalbox, type SignalboxError, type Token } from '../src/index.ts';

async function openService() {
  const service = await startService();
  return {
    service,
    signalbox: new Signalbox(API_KEY, { url: service.url }),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

async function collect<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

test('creates, reads, lists, changes and revokes tokens', async () => {
  await using opened = await openService();
  const { tokens } = opened.signalbox;
  const { token, credential, cursor } = await tokens.create({
    identity: 'ada',
    role: 'SUBSCRIBER',
    state: { seat: 1 },
  });
  expect({ credential, cursor }).toEqual({ credential: expect.any(String), cursor: expect.any(String) });
  const id = token?.id ?? '';
  expect(await tokens.get(id)).toMatchObject({ id, identity: 'ada', role: 'SUBSCRIBER', state: { seat: 1 } });
  expect(await tokens.update(id, { role: 'MODERATOR' })).toMatchObject({ id, role: 'MODERATOR' });
  expect((await tokens.createCredential({ token: id, expiresIn: 60 })).token).toMatchObject({ id });
  expect([await tokens.isOnline(id), await tokens.isOnline({ identity: 'ada' })]).toEqual([false, false]);
  expect(await tokens.revoke(id)).toMatchObject({ id, revokedAt: expect.any(String) });
  expect(await tokens.revoke(id)).toMatchObject({ id, revokedAt: expect.any(String) });
  await expect(tokens.get('token_none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('lists more tokens than a page holds, each once, in order', async () => {
  await using opened = await openService();
  const { tokens } = opened.signalbox;
  const created: string[] = [];
  for (let index = 0; index < 101; index++) {
    const { token } = await tokens.create({ identity: index === 0 ? 'ada' : 'bob' });
    created.push(token?.id ?? '');
  }
  const listed = await collect(tokens.list());
  expect(listed.map(({ id }) => id)).toEqual(created);
  expect(await collect(tokens.list({ identity: 'ada' }))).toHaveLength(1);
  expect(await collect(tokens.list({ online: true }))).toEqual([]);
});

test('creates, reads, lists, changes and deletes channels, and their state', async () => {
  await using opened = await openService();
  const { channels } = opened.signalbox;
  await channels.create({ id: 'game:1', type: 'PUBLIC', state: { round: 1 } });
  await expect(channels.create({ id: 'game:1' })).rejects.toMatchObject({ code: 'CONFLICT' });
  const { version } = await channels.get('game:1');
  expect(await channels.setState('game:1', { round: 2 }, { ifVersion: version })).toMatchObject({
    state: { round: 2 },
  });
  await expect(channels.setState('game:1', {}, { ifVersion: version })).rejects.toMatchObject({
    code: 'CONFLICT',
    version: version + 1,
  });
  expect(await channels.patchState('game:1', { score: 3 })).toMatchObject({ state: { round: 2, score: 3 } });
  expect(await channels.update('game:1', { type: 'PRIVATE' })).toMatchObject({
    type: 'PRIVATE',
    endedMemberships: 0,
  });
  expect((await collect(channels.list({ type: 'PRIVATE' }))).map(({ id }) => id)).toEqual(['game:1']);
  await channels.delete('game:1');
  await expect(channels.get('game:1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('reads the figures of the node', async () => {
  await using opened = await openService();
  await opened.signalbox.publishDirectMessage(
    { token: (await opened.signalbox.tokens.create()).token?.id ?? '' },
    'hello',
    null,
  );
  const stats = await opened.signalbox.stats({ project: 'default' });
  expect(stats).toMatchObject({ project: 'default', connections: 0, totals: { publishes: 1 }, series: [] });
  await expect(opened.signalbox.stats({ project: 'absent' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('publishes messages and reads the history in pages', async () => {
  await using opened = await openService();
  const { signalbox } = opened;
  await signalbox.channels.create({ id: 'lobby' });
  for (const event of ['one', 'two', 'three']) await signalbox.publishMessage('lobby', event);
  const newest = await signalbox.channels.history('lobby', { last: 2 });
  expect(newest).toMatchObject({ messages: [{ event: 'two' }, { event: 'three' }], hasOlder: true });
  const older = await signalbox.channels.history('lobby', { before: newest.startCursor ?? '' });
  expect(older).toMatchObject({ messages: [{ event: 'one' }], hasOlder: false });
  const newer = await signalbox.channels.history('lobby', { after: older.endCursor ?? '', first: 1 });
  expect(newer).toMatchObject({ messages: [{ event: 'two' }], hasNewer: true });
  const options = { idempotencyKey: 'order:7' };
  const first = await signalbox.publishMessage('lobby', 'order', 7, options);
  const again = await signalbox.publishMessage('lobby', 'order', 7, options);
  expect([again.repeated, again.message.id]).toEqual([true, first.message.id]);
  await expect(signalbox.publishMessage('lobby', 'order', 8, options)).rejects.toMatchObject({
    code: 'CONFLICT',
  });
});

test('subscribes tokens live, publishes to them directly, moderates and disconnects them', async () => {
  await using opened = await openService();
  const { service, signalbox } = opened;
  await signalbox.channels.create({ id: 'lobby' });
  const { token, credential, cursor } = await signalbox.tokens.create({ identity: 'ada' });
  const id = token?.id ?? '';
  const inbox = queueResults(
    service.client({ token: credential }),
    `subscription { events { __typename ... on Connected { connection { id } } ... on ChannelMessage { message { event } } ... on DirectMessage { message { event } } ... on Restricted { restriction { reason } } ... on Disconnecting { reason } } }`,
  );
  const next = async () => (await inbox.next()).events;
  const { connection } = await next();
  expect(await signalbox.tokens.isOnline({ identity: 'ada' })).toBe(true);
  await signalbox.publishMessage('lobby', 'past');
  expect(await signalbox.channels.subscribeToken('lobby', id, { since: cursor })).toEqual({
    createdAt: expect.any(String),
  });
  expect(await next()).toMatchObject({ __typename: 'ChannelAvailable' });
  await signalbox.publishMessage('lobby', 'now');
  for (const to of [{ token: id }, { identity: 'ada' }, { connection: connection.id as string }])
    expect(await signalbox.publishDirectMessage(to, 'direct', to)).toMatchObject({ connections: 1 });
  const events: unknown[] = [];
  while (events.length < 4) {
    const { __typename, message } = await next();
    if (message) events.push([__typename, message.event]);
  }
  expect(events.at(-1)).toEqual(['DirectMessage', 'direct']);

  expect(
    await signalbox.mute({ identity: 'ada', until: new Date(Date.now() + 60_000), reason: 'flood' }),
  ).toMatchObject({
    kind: 'MUTE',
    channel: null,
  });
  expect(await signalbox.unmute({ identity: 'ada' })).toMatchObject({ reason: 'flood' });
  expect(await signalbox.unmute({ identity: 'ada' })).toBeNull();
  expect(await signalbox.ban({ token: id, channel: 'lobby' })).toMatchObject({
    kind: 'BAN',
    channel: 'lobby',
  });
  expect(await signalbox.unban({ token: id, channel: 'lobby' })).toMatchObject({ kind: 'BAN' });
  const outcomes = await signalbox.channels.subscribeTokens(['lobby', 'none'], [id]);
  expect(outcomes).toMatchObject([
    { channel: 'lobby', error: null },
    { channel: 'none', error: { code: 'NOT_FOUND' } },
  ]);
  expect(await signalbox.channels.unsubscribeTokens(['lobby'], [id])).toMatchObject([{ error: null }]);
  expect(await signalbox.channels.unsubscribeToken('lobby', id)).toBeNull();
  expect(await signalbox.disconnect({ identity: 'ada', reason: 'maintenance' })).toBe(1);
});

test('signs a credential that opens a connection, and revokes and restores it', async () => {
  await using opened = await openService();
  const { service, signalbox } = opened;
  await createChannel(service, 'room:7');
  const credential = await signalbox.sign('ada', {
    channels: ['room:7'],
    role: 'SUBSCRIBER',
    grants: [{ channels: 'room:*', actions: ['SUBSCRIBE'], expiresAt: new Date(Date.now() + 60_000) }],
    connectionData: 'seat 7',
    expiresIn: 120,
  });
  const ask = () =>
    service.ask(
      `{ viewer { token { identity connectionData } channels { nodes { id } } allowedActions(channel: "room:7") } }`,
      {},
      credential,
    );
  const { data } = await ask();
  expect(data.viewer).toEqual({
    token: { identity: 'ada', connectionData: 'seat 7' },
    channels: { nodes: [{ id: 'room:7' }] },
    allowedActions: ['SUBSCRIBE'],
  });
  expect((await signalbox.revokeTokens({ identity: 'ada' })).revocation).toMatchObject({
    scope: 'IDENTITY',
  });
  expect((await ask()).errors?.[0]?.extensions['code']).toBe('TOKEN_REVOKED');
  expect(await signalbox.restoreTokens({ identity: 'ada' })).toMatchObject({ scope: 'IDENTITY' });
  expect((await ask()).errors).toBeUndefined();
  await expect(signalbox.sign('')).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'identity' });
  await expect(signalbox.sign('ada', { expiresIn: 0.5 })).rejects.toMatchObject({ field: 'expiresIn' });
});

test('reads who is in a channel, explains permissions, and lists restrictions and revocations', async () => {
  await using opened = await openService();
  const { service, signalbox } = opened;
  await signalbox.channels.create({ id: 'lobby' });
  const { token, credential } = await signalbox.tokens.create({ identity: 'ada', channels: ['lobby'] });
  const id = token?.id ?? '';
  const inbox = queueResults(service.client({ token: credential }), `subscription { events { __typename } }`);
  expect(await inbox.next()).toMatchObject({ events: { __typename: 'Connected' } });
  expect(await signalbox.channels.countMembers('lobby')).toBe(1);
  expect(await collect(signalbox.channels.members('lobby'))).toMatchObject([{ token: id, identity: 'ada' }]);
  expect(await collect(signalbox.channels.tokens('lobby'))).toMatchObject([{ id, isOnline: true }]);
  await expect(signalbox.channels.countMembers('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });

  const question = { token: id, channel: 'lobby', action: 'PUBLISH' } as const;
  expect(await signalbox.explainPermission(question)).toMatchObject({ allowed: true, rule: 'ALLOWED' });
  await signalbox.mute({ token: id, channel: 'lobby', reason: 'flood' });
  expect(await signalbox.explainPermission(question)).toMatchObject({ allowed: false, rule: 'MUTED' });
  expect(await signalbox.explainPermission({ channel: 'lobby', action: 'PUBLISH' })).toMatchObject({
    allowed: false,
  });
  expect(await collect(signalbox.listRestrictions())).toMatchObject([{ reason: 'flood', token: id }]);
  expect(await collect(signalbox.listRestrictions({ identity: 'bob' }))).toEqual([]);
  expect(await collect(signalbox.listRevocations())).toEqual([]);
  await signalbox.revokeTokens({ identity: 'ada' });
  expect(await collect(signalbox.listRevocations())).toMatchObject([{ identity: 'ada' }]);
});

test('manages issuers, API keys and the settings of the project', async () => {
  await using opened = await openService();
  const { issuers, apiKeys, project } = opened.signalbox;
  const key = { id: 'stream-key', secret: 'the secret of a Stream app' };
  const issuer = await issuers.create({ kind: 'STREAM', key });
  expect(await issuers.update(issuer.id, { name: 'Our app' })).toMatchObject({ name: 'Our app' });
  await issuers.addKey(issuer.id, { id: 'second', secret: 'another secret' });
  const left = await issuers.removeKey(issuer.id, 'stream-key', { overlapSeconds: 60 });
  expect(Object.fromEntries(left.keys.map(({ id, expiresAt }) => [id, expiresAt]))).toEqual({
    'stream-key': expect.any(String),
    second: null,
  });
  expect(JSON.stringify(await issuers.list())).not.toContain('secret');
  await issuers.remove(issuer.id);
  expect(await issuers.list()).toEqual([]);

  const { apiKey, secret } = await apiKeys.create({ name: 'reports' });
  expect(secret.split('.')[0]).toBe(apiKey?.id);
  const successor = await apiKeys.rotate(apiKey?.id ?? '', { overlapSeconds: 0 });
  expect(await apiKeys.revoke(successor.apiKey?.id ?? '')).toMatchObject({ revokedAt: expect.any(String) });
  expect((await collect(apiKeys.list())).map(({ name }) => name)).toContain('reports');

  expect(await project.update({ guests: true })).toMatchObject({ settings: { guests: true } });
  expect((await project.get()).id).toBe('default');
});

test('passes a document of the caller on', async () => {
  await using opened = await openService();
  const { viewer } = await opened.signalbox.graphql<{ viewer: { kind: string } }>(`{ viewer { kind } }`);
  expect(viewer.kind).toBe('API_KEY');
});

test('types name what is required, and results are typed by the schema', () => {
  type Calls = Signalbox;
  expectTypeOf<Calls['publishMessage']>().parameter(0).toBeString();
  expectTypeOf<Awaited<ReturnType<Calls['tokens']['get']>>>().toEqualTypeOf<Token>();
  expectTypeOf<Token['role']>().toEqualTypeOf<'GUEST' | 'MODERATOR' | 'PUBLISHER' | 'SUBSCRIBER'>();
  expectTypeOf<{ token: string; identity: string }>().not.toExtend<
    Parameters<Calls['publishDirectMessage']>[0]
  >();
  expectTypeOf<{ identity: string }>().not.toExtend<Parameters<Calls['ban']>[0]>();
  expectTypeOf<SignalboxError['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<SignalboxError['retryAfterSeconds']>().toEqualTypeOf<number | undefined>();
});
