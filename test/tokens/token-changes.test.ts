import { expect, test } from 'vitest';
import { createChannel, mint, publish, revokeToken, updateToken, sendDirect } from '../support/backend.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const EVENTS = `subscription { events {
  __typename
  ... on Connected { channels { id } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelUnavailable { channel { id } reason }
  ... on ChannelMessage { message { event channel } }
  ... on DirectMessage { message { event channel } }
  ... on TokenUpdated { token { role grants { channels actions } state connectionData expiresAt } }
  ... on Disconnecting { reason }
} }`;

/** What `events` yields next, without its envelope. */
const next = async (events: ResultQueue<any>) => (await events.next()).events;

const codeOf = (answer: { errors?: { extensions: Record<string, unknown> }[] }) =>
  answer.errors?.[0]?.extensions['code'];

/** A token in two channels, on two devices, with what was said to each of them. */
async function listen(signalbox: TestService) {
  await createChannel(signalbox, 'room:1');
  await createChannel(signalbox, 'hall');
  const token = await mint(signalbox, { channels: ['room:1', 'hall'] });
  const devices = [1, 2].map(() => queueResults(signalbox.client({ token: token.credential }), EVENTS));
  for (const device of devices) {
    expect(await next(device)).toEqual({
      __typename: 'Connected',
      channels: [{ id: 'hall' }, { id: 'room:1' }],
    });
  }
  return { ...token, devices };
}

test('a lower role silences the channels it may not hear before updateToken returns, and a higher one opens them again', async () => {
  await using signalbox = await startService();
  const { id, devices } = await listen(signalbox);
  await updateToken(signalbox, id, { role: 'GUEST' });
  expect(await publish(signalbox, 'hall', 'unheard')).toBe(0);
  expect(await sendDirect(signalbox, id, 'sentinel')).toBe(2);
  await updateToken(signalbox, id, { role: 'SUBSCRIBER' });
  expect(await publish(signalbox, 'hall', 'heard')).toBe(2);
  for (const device of devices) {
    const silenced = [await next(device), await next(device)];
    expect(silenced.map(({ channel }) => channel.id).sort()).toEqual(['hall', 'room:1']);
    expect(silenced).toMatchObject(
      Array(2).fill({ __typename: 'ChannelUnavailable', reason: 'NOT_ALLOWED' }),
    );
    expect(await next(device)).toMatchObject({ __typename: 'TokenUpdated', token: { role: 'GUEST' } });
    expect(await next(device)).toMatchObject({ message: { event: 'sentinel' } });
    const opened = [await next(device), await next(device)];
    expect(opened.map(({ channel }) => channel.id).sort()).toEqual(['hall', 'room:1']);
    expect(opened).toMatchObject(Array(2).fill({ __typename: 'ChannelAvailable' }));
    expect(await next(device)).toMatchObject({ __typename: 'TokenUpdated', token: { role: 'SUBSCRIBER' } });
    expect(await next(device)).toMatchObject({ message: { event: 'heard', channel: 'hall' } });
  }
});

test('grants silence what they leave out at once; without grants all is open again', async () => {
  await using signalbox = await startService();
  const {
    id,
    devices: [device],
  } = await listen(signalbox);
  await updateToken(signalbox, id, { grants: [{ channels: 'room:*', actions: ['SUBSCRIBE'] }] });
  expect(await publish(signalbox, 'hall', 'unheard')).toBe(0);
  expect(await publish(signalbox, 'room:1', 'heard')).toBe(2);
  await updateToken(signalbox, id, { grants: null });
  expect(await publish(signalbox, 'hall', 'heard-too')).toBe(2);
  expect(await next(device!)).toMatchObject({
    __typename: 'ChannelUnavailable',
    channel: { id: 'hall' },
    reason: 'NOT_ALLOWED',
  });
  expect(await next(device!)).toMatchObject({
    token: { grants: [{ channels: 'room:*', actions: ['SUBSCRIBE'] }] },
  });
  expect(await next(device!)).toMatchObject({ message: { event: 'heard', channel: 'room:1' } });
  expect(await next(device!)).toMatchObject({ __typename: 'ChannelAvailable', channel: { id: 'hall' } });
  expect(await next(device!)).toMatchObject({ token: { grants: null } });
  expect(await next(device!)).toMatchObject({ message: { event: 'heard-too' } });
});

test('a token speaks by what it may do now, over the socket that it has', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room:1');
  const { id, credential } = await mint(signalbox, { channels: ['room:1'] });
  const client = signalbox.client({ token: credential });
  const say = async () => {
    const said = queueResults(
      client,
      `mutation { publishMessage(channel: "room:1", event: "hi") { repeated } }`,
    );
    return said.next().then(
      () => 'said',
      async () => codeOf({ errors: (await said.ended) as [] }),
    );
  };
  expect(await say()).toBe('said');
  await updateToken(signalbox, id, { role: 'SUBSCRIBER' });
  expect(await say()).toBe('FORBIDDEN');
  await updateToken(signalbox, id, { role: 'PUBLISHER', grants: [{ channels: '*', actions: ['PUBLISH'] }] });
  expect(await say()).toBe('FORBIDDEN');
  await updateToken(signalbox, id, { grants: [{ channels: 'room:*', actions: ['PUBLISH'] }] });
  expect(await say()).toBe('said');
});

test('messages, channelState and presence end with FORBIDDEN when the token may no longer have them', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room:1');
  const { id, credential } = await mint(signalbox, { channels: ['room:1'] });
  const client = signalbox.client({ token: credential });
  const messages = queueResults(client, `subscription { messages(channel: "room:1") { event } }`);
  const presence = queueResults(client, `subscription { presence(channel: "room:1") { change } }`);
  const state = queueResults(client, `subscription { channelState(channel: "room:1") { version } }`);
  await state.next();
  await updateToken(signalbox, id, { grants: [{ channels: 'room:1', actions: ['SUBSCRIBE'] }] });
  expect(await presence.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  await publish(signalbox, 'room:1', 'still-heard');
  expect((await messages.next()).messages.event).toBe('still-heard');
  await updateToken(signalbox, id, { grants: [] });
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await state.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('updateToken changes what it names and nothing else, and only what is there to be changed', async () => {
  await using signalbox = await startService();
  const {
    id,
    devices: [device],
  } = await listen(signalbox);
  await updateToken(signalbox, id, {
    state: { seen: 1 },
    connectionData: 'Ada',
    expiresAt: '2099-01-01T00:00:00Z',
  });
  const token = {
    role: 'PUBLISHER',
    grants: null,
    state: { seen: 1 },
    connectionData: 'Ada',
    expiresAt: '2099-01-01T00:00:00.000Z',
  };
  expect(await next(device!)).toEqual({ __typename: 'TokenUpdated', token });
  await updateToken(signalbox, id, { expiresAt: null, connectionData: null, state: null });
  expect(await next(device!)).toEqual({
    __typename: 'TokenUpdated',
    token: { role: 'PUBLISHER', grants: null, state: null, connectionData: null, expiresAt: null },
  });
  const change = `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`;
  expect(codeOf(await signalbox.ask(change, { id: 'token_none', input: {} }))).toBe('NOT_FOUND');
  expect(codeOf(await signalbox.ask(change, { id, input: { expiresIn: -1 } }))).toBe('BAD_USER_INPUT');
  await revokeToken(signalbox, id);
  expect(codeOf(await signalbox.ask(change, { id, input: { role: 'MODERATOR' } }))).toBe('TOKEN_REVOKED');
});

test('a revocation ends every socket of the token with 4403, tells it why, and nobody else’s', async () => {
  await using signalbox = await startService();
  const { id, devices } = await listen(signalbox);
  const sibling = await mint(signalbox, { channels: ['hall'] });
  const other = queueResults(signalbox.client({ token: sibling.credential }), EVENTS);
  await other.next();
  const revoke = `mutation ($id: ID!) { revokeToken(id: $id) { revokedAt } }`;
  const { revokeToken: first } = await signalbox.request(revoke, { id });
  expect(await publish(signalbox, 'hall', 'afterwards')).toBe(1);
  for (const device of devices) {
    expect(await next(device)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
    expect(await device.ended).toMatchObject({ code: 4403, reason: 'RENEW' });
    expect(device.waiting).toEqual([]);
  }
  expect(await next(other)).toMatchObject({ message: { event: 'afterwards' } });
  const { revokeToken: second } = await signalbox.request(revoke, { id });
  expect(second).toEqual(first);
  expect(codeOf(await signalbox.ask(revoke, { id: 'token_none' }))).toBe('NOT_FOUND');
});

test('a revoked token opens nothing: not over HTTP, not over WebSocket, not over SSE', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  await revokeToken(signalbox, id);
  expect(codeOf(await signalbox.ask(`{ viewer { kind } }`, {}, credential))).toBe('TOKEN_REVOKED');
  expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
    code: 4403,
  });
  expect(await queueResults(sseClient(signalbox, credential), EVENTS).ended).toMatchObject([
    { extensions: { code: 'TOKEN_REVOKED' } },
  ]);
  const direct = await signalbox.ask(
    `mutation { publishDirectMessage(token: "${id}", event: "hi") { repeated } }`,
  );
  expect(codeOf(direct)).toBe('TOKEN_REVOKED');
  await createChannel(signalbox, 'hall');
  const subscribed = await signalbox.ask(
    `mutation { subscribeToken(channel: "hall", token: "${id}") { createdAt } }`,
  );
  expect(codeOf(subscribed)).toBe('TOKEN_REVOKED');
});
