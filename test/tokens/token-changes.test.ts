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

/** The next result of `events`, without its envelope. */
const next = async (events: ResultQueue<any>) => (await events.next()).events;

const codeOf = (answer: { errors?: { extensions: Record<string, unknown> }[] }) =>
  answer.errors?.[0]?.extensions['code'];

/** A token in two channels with two live subscriptions, each past its Connected event. */
async function subscribeTwice(signalbox: TestService) {
  await createChannel(signalbox, 'room:1');
  await createChannel(signalbox, 'hall');
  const token = await mint(signalbox, { channels: ['room:1', 'hall'] });
  const subscriptions = [1, 2].map(() => queueResults(signalbox.client({ token: token.credential }), EVENTS));
  for (const events of subscriptions) {
    expect(await next(events)).toEqual({
      __typename: 'Connected',
      channels: [{ id: 'hall' }, { id: 'room:1' }],
    });
  }
  return { ...token, subscriptions };
}

test('stops delivery of the channels that a lower role does not allow before updateToken returns, and resumes with a higher role', async () => {
  await using signalbox = await startService();
  const { id, subscriptions } = await subscribeTwice(signalbox);
  await updateToken(signalbox, id, { role: 'GUEST' });
  expect(await publish(signalbox, 'hall', 'not-delivered')).toBe(0);
  expect(await sendDirect(signalbox, id, 'sentinel')).toBe(2);
  await updateToken(signalbox, id, { role: 'SUBSCRIBER' });
  expect(await publish(signalbox, 'hall', 'delivered')).toBe(2);
  for (const events of subscriptions) {
    const unavailable = [await next(events), await next(events)];
    expect(unavailable.map(({ channel }) => channel.id).sort()).toEqual(['hall', 'room:1']);
    expect(unavailable).toMatchObject(
      Array(2).fill({ __typename: 'ChannelUnavailable', reason: 'NOT_ALLOWED' }),
    );
    expect(await next(events)).toMatchObject({ __typename: 'TokenUpdated', token: { role: 'GUEST' } });
    expect(await next(events)).toMatchObject({ message: { event: 'sentinel' } });
    const available = [await next(events), await next(events)];
    expect(available.map(({ channel }) => channel.id).sort()).toEqual(['hall', 'room:1']);
    expect(available).toMatchObject(Array(2).fill({ __typename: 'ChannelAvailable' }));
    expect(await next(events)).toMatchObject({ __typename: 'TokenUpdated', token: { role: 'SUBSCRIBER' } });
    expect(await next(events)).toMatchObject({ message: { event: 'delivered', channel: 'hall' } });
  }
});

test('stops delivery of the channels that new grants leave out before updateToken returns, and resumes without grants', async () => {
  await using signalbox = await startService();
  const {
    id,
    subscriptions: [events],
  } = await subscribeTwice(signalbox);
  await updateToken(signalbox, id, { grants: [{ channels: 'room:*', actions: ['SUBSCRIBE'] }] });
  expect(await publish(signalbox, 'hall', 'not-delivered')).toBe(0);
  expect(await publish(signalbox, 'room:1', 'delivered')).toBe(2);
  await updateToken(signalbox, id, { grants: null });
  expect(await publish(signalbox, 'hall', 'delivered-again')).toBe(2);
  expect(await next(events!)).toMatchObject({
    __typename: 'ChannelUnavailable',
    channel: { id: 'hall' },
    reason: 'NOT_ALLOWED',
  });
  expect(await next(events!)).toMatchObject({
    token: { grants: [{ channels: 'room:*', actions: ['SUBSCRIBE'] }] },
  });
  expect(await next(events!)).toMatchObject({ message: { event: 'delivered', channel: 'room:1' } });
  expect(await next(events!)).toMatchObject({ __typename: 'ChannelAvailable', channel: { id: 'hall' } });
  expect(await next(events!)).toMatchObject({ token: { grants: null } });
  expect(await next(events!)).toMatchObject({ message: { event: 'delivered-again' } });
});

test('publishMessage over an open socket follows the current role and grants of the token', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room:1');
  const { id, credential } = await mint(signalbox, { channels: ['room:1'] });
  const client = signalbox.client({ token: credential });
  const tryPublish = async () => {
    const published = queueResults(
      client,
      `mutation { publishMessage(channel: "room:1", event: "hi") { repeated } }`,
    );
    return published.next().then(
      () => 'published',
      async () => codeOf({ errors: (await published.ended) as [] }),
    );
  };
  expect(await tryPublish()).toBe('published');
  await updateToken(signalbox, id, { role: 'SUBSCRIBER' });
  expect(await tryPublish()).toBe('FORBIDDEN');
  await updateToken(signalbox, id, { role: 'PUBLISHER', grants: [{ channels: '*', actions: ['PUBLISH'] }] });
  expect(await tryPublish()).toBe('FORBIDDEN');
  await updateToken(signalbox, id, { grants: [{ channels: 'room:*', actions: ['PUBLISH'] }] });
  expect(await tryPublish()).toBe('published');
});

test('messages, channelState and presence end with FORBIDDEN when updateToken takes their permission away', async () => {
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
  await publish(signalbox, 'room:1', 'still-delivered');
  expect((await messages.next()).messages.event).toBe('still-delivered');
  await updateToken(signalbox, id, { grants: [] });
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await state.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('updateToken changes the named fields only, and refuses missing and revoked tokens', async () => {
  await using signalbox = await startService();
  const {
    id,
    subscriptions: [events],
  } = await subscribeTwice(signalbox);
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
  expect(await next(events!)).toEqual({ __typename: 'TokenUpdated', token });
  await updateToken(signalbox, id, { expiresAt: null, connectionData: null, state: null });
  expect(await next(events!)).toEqual({
    __typename: 'TokenUpdated',
    token: { role: 'PUBLISHER', grants: null, state: null, connectionData: null, expiresAt: null },
  });
  const update = `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`;
  expect(codeOf(await signalbox.ask(update, { id: 'token_none', input: {} }))).toBe('NOT_FOUND');
  expect(codeOf(await signalbox.ask(update, { id, input: { expiresIn: -1 } }))).toBe('BAD_USER_INPUT');
  await revokeToken(signalbox, id);
  expect(codeOf(await signalbox.ask(update, { id, input: { role: 'MODERATOR' } }))).toBe('TOKEN_REVOKED');
});

test('revokeToken closes every socket of the token with 4403 after a Disconnecting event, and no other socket', async () => {
  await using signalbox = await startService();
  const { id, subscriptions } = await subscribeTwice(signalbox);
  const sibling = await mint(signalbox, { channels: ['hall'] });
  const other = queueResults(signalbox.client({ token: sibling.credential }), EVENTS);
  await other.next();
  const revoke = `mutation ($id: ID!) { revokeToken(id: $id) { revokedAt } }`;
  const { revokeToken: first } = await signalbox.request(revoke, { id });
  expect(await publish(signalbox, 'hall', 'afterwards')).toBe(1);
  for (const events of subscriptions) {
    expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
    expect(await events.ended).toMatchObject({ code: 4403, reason: 'The token was revoked.' });
    expect(events.waiting).toEqual([]);
  }
  expect(await next(other)).toMatchObject({ message: { event: 'afterwards' } });
  const { revokeToken: second } = await signalbox.request(revoke, { id });
  expect(second).toEqual(first);
  expect(codeOf(await signalbox.ask(revoke, { id: 'token_none' }))).toBe('NOT_FOUND');
});

test('refuses a revoked token with TOKEN_REVOKED over HTTP, WebSocket and SSE, and as the target of mutations', async () => {
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
