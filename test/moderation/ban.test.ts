import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip, subscribeToken, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import {
  tryModerate,
  moderate,
  openInbox,
  outcomeOf,
  outcomeOn,
  signWithApiKey,
  publishMutation,
} from '../support/moderation.ts';
import { startService, type TestService } from '../support/service.ts';

const FORBIDDEN = [{ extensions: { code: 'FORBIDDEN', retryable: false } }];

/** Creates two channels and a token that is subscribed to both. */
async function createMember(signalbox: TestService) {
  for (const id of ['hall', 'room']) await createChannel(signalbox, id);
  return mint(signalbox, { identity: 'ada', channels: ['hall', 'room'] });
}

test('a ban yields Restricted, then ChannelUnavailable, and ends the streams of that channel only', async () => {
  await using signalbox = await startService();
  const ada = await createMember(signalbox);
  const { client, next } = await openInbox(signalbox, ada.credential);
  const streams = ['messages', 'presence', 'channelState'].map((field) =>
    queueResults(client, `subscription { ${field}(channel: "hall") { __typename } }`),
  );
  const elsewhere = queueResults(client, `subscription { messages(channel: "room") { event } }`);
  await roundTrip(client);

  const restriction = await moderate(signalbox, 'ban', { token: ada.id, channel: 'hall', reason: 'enough' });
  expect(restriction).toEqual({
    kind: 'BAN',
    token: ada.id,
    identity: null,
    channel: 'hall',
    reason: 'enough',
    until: null,
  });
  expect(await publish(signalbox, 'hall', 'not-delivered')).toBe(0);
  await publish(signalbox, 'room', 'sentinel');
  expect(await next()).toEqual({ __typename: 'Restricted', restriction });
  const unavailable = { __typename: 'ChannelUnavailable', channel: { id: 'hall' }, reason: 'BANNED' };
  expect(await next()).toEqual(unavailable);
  expect(await next()).toMatchObject({ message: { event: 'sentinel', channel: 'room' } });
  for (const stream of streams) expect(await stream.ended).toMatchObject(FORBIDDEN);
  expect(await elsewhere.next()).toEqual({ messages: { event: 'sentinel' } });
  expect(await outcomeOn(client, publishMutation('room'))).toBe('done');
});

test('a banned token may do nothing in the channel over HTTP or WebSocket, and everything again after unban', async () => {
  await using signalbox = await startService();
  const ada = await createMember(signalbox);
  const { client } = await openInbox(signalbox, ada.credential);
  const queries = [
    publishMutation('hall'),
    `{ channel(id: "hall") { id } }`,
    `{ channel(id: "hall") { state } }`,
    `{ channel(id: "hall") { messages { nodes { event } } } }`,
    `{ channel(id: "hall") { presence { count } } }`,
  ];
  const outcomes = async () => {
    const overHttp = await Promise.all(
      queries.map((query) => outcomeOf(signalbox.ask(query, {}, ada.credential))),
    );
    const overWebSocket = await Promise.all(queries.map((query) => outcomeOn(client, query)));
    return new Set([...overHttp, ...overWebSocket]);
  };
  await moderate(signalbox, 'ban', { token: ada.id, channel: 'hall' });
  expect(await outcomes()).toEqual(new Set(['FORBIDDEN']));
  for (const field of ['messages', 'presence', 'channelState']) {
    const refused = queueResults(client, `subscription { ${field}(channel: "hall") { __typename } }`);
    expect(await refused.ended).toMatchObject(FORBIDDEN);
  }
  expect(
    await signalbox.request(
      `{ viewer { allowedActions(channel: "hall") channels { nodes { id } } } }`,
      {},
      ada.credential,
    ),
  ).toEqual({ viewer: { allowedActions: [], channels: { nodes: [{ id: 'room' }] } } });
  await moderate(signalbox, 'unban', { token: ada.id, channel: 'hall' });
  expect(await outcomes()).toEqual(new Set(['done']));
});

test('messages published during a ban are not delivered, live or by replay; later messages are', async () => {
  await using signalbox = await startService();
  const ada = await createMember(signalbox);
  const live = await openInbox(signalbox, ada.credential);
  const ban = { identity: 'ada', channel: 'hall' };
  const { cursor } = live.connected;
  await publish(signalbox, 'hall', 'before');
  await moderate(signalbox, 'ban', ban);
  await publish(signalbox, 'hall', 'not-delivered');
  await publish(signalbox, 'room', 'delivered');

  const resumed = await openInbox(signalbox, ada.credential, cursor);
  expect(resumed.connected.channels).toEqual([{ id: 'room' }]);
  expect(await resumed.next()).toMatchObject({ message: { event: 'delivered' } });
  await sendDirect(signalbox, ada.id, 'sentinel');
  expect(await resumed.next()).toMatchObject({ message: { event: 'sentinel' } });

  const lifted = await moderate(signalbox, 'unban', ban);
  expect(await moderate(signalbox, 'unban', ban)).toBeNull();
  await publish(signalbox, 'hall', 'after');
  const afterUnban = [
    { __typename: 'RestrictionLifted', restriction: lifted },
    { __typename: 'ChannelAvailable', channel: { id: 'hall' } },
    { __typename: 'ChannelMessage', message: { event: 'after', channel: 'hall' } },
  ];
  for (const event of afterUnban) expect(await resumed.next()).toEqual(event);
  const received = [await live.next(), await live.next(), await live.next(), await live.next()];
  expect(received).toMatchObject([
    { message: { event: 'before' } },
    { __typename: 'Restricted' },
    { __typename: 'ChannelUnavailable' },
    { message: { event: 'delivered' } },
  ]);
  await live.next();
  for (const event of afterUnban) expect(await live.next()).toEqual(event);
});

test('a ban with until ends at that time: ChannelAvailable follows, without RestrictionLifted', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  const ada = await createMember(signalbox);
  const { client, next } = await openInbox(signalbox, ada.credential);
  await moderate(signalbox, 'ban', { token: ada.id, channel: 'hall', until: '2030-01-01T00:01:00.000Z' });
  await clock.advance(60_000 - 1);
  expect(await publish(signalbox, 'hall', 'not-delivered')).toBe(0);
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('FORBIDDEN');
  await clock.advance(1);
  expect(await publish(signalbox, 'hall', 'delivered')).toBe(1);
  expect(await outcomeOn(client, publishMutation('hall', 'own'))).toBe('done');
  expect(await next()).toMatchObject({ __typename: 'Restricted' });
  expect(await next()).toMatchObject({ __typename: 'ChannelUnavailable', reason: 'BANNED' });
  expect(await next()).toEqual({ __typename: 'ChannelAvailable', channel: { id: 'hall' } });
  expect(await next()).toMatchObject({ message: { event: 'delivered' } });
  expect(await next()).toMatchObject({ message: { event: 'own' } });
});

test('a ban announces LEFT with NOT_ALLOWED, and unban announces JOINED', async () => {
  await using signalbox = await startService();
  const ada = await createMember(signalbox);
  await openInbox(signalbox, ada.credential);
  const backend = signalbox.client();
  const changes = queueResults(
    backend,
    `subscription { presence(channel: "hall") { change leaveReason member { token } } }`,
  );
  await roundTrip(backend);
  const presence = async () => (await changes.next()).presence;
  const member = { token: ada.id };
  await moderate(signalbox, 'ban', { token: ada.id, channel: 'hall' });
  expect(await presence()).toEqual({ change: 'LEFT', leaveReason: 'NOT_ALLOWED', member });
  await moderate(signalbox, 'unban', { token: ada.id, channel: 'hall' });
  expect(await presence()).toEqual({ change: 'JOINED', leaveReason: null, member });
});

test('a banned identity cannot be subscribed by any caller until the ban is lifted', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  await createChannel(signalbox, 'room');
  await moderate(signalbox, 'ban', { identity: 'eve', channel: 'hall' });
  const eve = await mint(signalbox, { identity: 'eve' });
  const subscribe = `mutation ($t: ID!) { subscribeToken(channel: "hall", token: $t) { createdAt } }`;
  for (const bearer of [undefined, eve.credential])
    expect(await outcomeOf(signalbox.ask(subscribe, { t: eve.id }, bearer))).toBe('FORBIDDEN');
  const create = `mutation { createToken(input: { identity: "eve", channels: ["hall"] }) { credential } }`;
  expect(await outcomeOf(signalbox.ask(create))).toBe('FORBIDDEN');
  const selfMinted = await openInbox(signalbox, signWithApiKey({ sub: 'eve', channels: ['hall', 'room'] }));
  expect(selfMinted.connected.channels).toEqual([{ id: 'room' }]);
  expect(await outcomeOn(selfMinted.client, publishMutation('hall'))).toBe('FORBIDDEN');

  await moderate(signalbox, 'unban', { identity: 'eve', channel: 'hall' });
  await subscribeToken(signalbox, 'hall', eve.id);
  expect(await publish(signalbox, 'hall', 'not-delivered')).toBe(0);
  const live = await openInbox(signalbox, eve.credential);
  expect(live.connected.channels).toEqual([{ id: 'hall' }]);
  expect(await publish(signalbox, 'hall', 'delivered')).toBe(1);
});

test('ban and unban require an existing channel and exactly one of token and identity', async () => {
  await using signalbox = await startService();
  const { id: token } = await createMember(signalbox);
  const invalid = [
    [{ channel: 'hall' }, 'BAD_USER_INPUT'],
    [{ channel: 'hall', token, identity: 'ada' }, 'BAD_USER_INPUT'],
    [{ channel: 'hall', token: 'token_none' }, 'NOT_FOUND'],
    [{ channel: 'nowhere', token }, 'NOT_FOUND'],
    [{ token }, 'BAD_USER_INPUT'],
  ] as const;
  for (const act of ['ban', 'unban'] as const)
    for (const [args, code] of invalid)
      expect([args, await outcomeOf(tryModerate(signalbox, act, args))]).toEqual([args, code]);
});
