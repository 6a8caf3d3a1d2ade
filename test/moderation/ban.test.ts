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

/** A token that is subscribed to two channels, as moderators wish they were. */
async function enter(signalbox: TestService) {
  for (const id of ['hall', 'room']) await createChannel(signalbox, id);
  return mint(signalbox, { identity: 'ada', channels: ['hall', 'room'] });
}

test('whoever is banned is told so, then that the channel is gone; every stream of it ends, other channels go on', async () => {
  await using signalbox = await startService();
  const ada = await enter(signalbox);
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
  expect(await publish(signalbox, 'hall', 'unheard')).toBe(0);
  await publish(signalbox, 'room', 'sentinel');
  expect(await next()).toEqual({ __typename: 'Restricted', restriction });
  const unavailable = { __typename: 'ChannelUnavailable', channel: { id: 'hall' }, reason: 'BANNED' };
  expect(await next()).toEqual(unavailable);
  expect(await next()).toMatchObject({ message: { event: 'sentinel', channel: 'room' } });
  for (const stream of streams) expect(await stream.ended).toMatchObject(FORBIDDEN);
  expect(await elsewhere.next()).toEqual({ messages: { event: 'sentinel' } });
  expect(await outcomeOn(client, publishMutation('room'))).toBe('done');
});

test('a banned token may do nothing in the channel, by no door, and everything again after', async () => {
  await using signalbox = await startService();
  const ada = await enter(signalbox);
  const { client } = await openInbox(signalbox, ada.credential);
  const asked = [
    publishMutation('hall'),
    `{ channel(id: "hall") { id } }`,
    `{ channel(id: "hall") { state } }`,
    `{ channel(id: "hall") { messages { nodes { event } } } }`,
    `{ channel(id: "hall") { presence { count } } }`,
  ];
  const outcomes = async () => {
    const byHttp = await Promise.all(
      asked.map((query) => outcomeOf(signalbox.ask(query, {}, ada.credential))),
    );
    const bySocket = await Promise.all(asked.map((query) => outcomeOn(client, query)));
    return new Set([...byHttp, ...bySocket]);
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

test('nothing that is said during a ban reaches whom it is about, live or by replay; after it the channel is heard again', async () => {
  await using signalbox = await startService();
  const ada = await enter(signalbox);
  const live = await openInbox(signalbox, ada.credential);
  const ban = { identity: 'ada', channel: 'hall' };
  const { cursor } = live.connected;
  await publish(signalbox, 'hall', 'before');
  await moderate(signalbox, 'ban', ban);
  await publish(signalbox, 'hall', 'unheard');
  await publish(signalbox, 'room', 'heard');

  const resumed = await openInbox(signalbox, ada.credential, cursor);
  expect(resumed.connected.channels).toEqual([{ id: 'room' }]);
  expect(await resumed.next()).toMatchObject({ message: { event: 'heard' } });
  await sendDirect(signalbox, ada.id, 'sentinel');
  expect(await resumed.next()).toMatchObject({ message: { event: 'sentinel' } });

  const lifted = await moderate(signalbox, 'unban', ban);
  expect(await moderate(signalbox, 'unban', ban)).toBeNull();
  await publish(signalbox, 'hall', 'after');
  const again = [
    { __typename: 'RestrictionLifted', restriction: lifted },
    { __typename: 'ChannelAvailable', channel: { id: 'hall' } },
    { __typename: 'ChannelMessage', message: { event: 'after', channel: 'hall' } },
  ];
  for (const event of again) expect(await resumed.next()).toEqual(event);
  const whole = [await live.next(), await live.next(), await live.next(), await live.next()];
  expect(whole).toMatchObject([
    { message: { event: 'before' } },
    { __typename: 'Restricted' },
    { __typename: 'ChannelUnavailable' },
    { message: { event: 'heard' } },
  ]);
  await live.next();
  for (const event of again) expect(await live.next()).toEqual(event);
});

test('a ban until a moment ends at that moment: the channel is heard again, with no other word', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  const ada = await enter(signalbox);
  const { client, next } = await openInbox(signalbox, ada.credential);
  await moderate(signalbox, 'ban', { token: ada.id, channel: 'hall', until: '2030-01-01T00:01:00.000Z' });
  await clock.advance(60_000 - 1);
  expect(await publish(signalbox, 'hall', 'unheard')).toBe(0);
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('FORBIDDEN');
  await clock.advance(1);
  expect(await publish(signalbox, 'hall', 'heard')).toBe(1);
  expect(await outcomeOn(client, publishMutation('hall', 'own'))).toBe('done');
  expect(await next()).toMatchObject({ __typename: 'Restricted' });
  expect(await next()).toMatchObject({ __typename: 'ChannelUnavailable', reason: 'BANNED' });
  expect(await next()).toEqual({ __typename: 'ChannelAvailable', channel: { id: 'hall' } });
  expect(await next()).toMatchObject({ message: { event: 'heard' } });
  expect(await next()).toMatchObject({ message: { event: 'own' } });
});

test('whoever is banned is seen to leave, and to join when the ban is lifted', async () => {
  await using signalbox = await startService();
  const ada = await enter(signalbox);
  await openInbox(signalbox, ada.credential);
  const backend = signalbox.client();
  const seen = queueResults(
    backend,
    `subscription { presence(channel: "hall") { change leaveReason member { token } } }`,
  );
  await roundTrip(backend);
  const presence = async () => (await seen.next()).presence;
  const member = { token: ada.id };
  await moderate(signalbox, 'ban', { token: ada.id, channel: 'hall' });
  expect(await presence()).toEqual({ change: 'LEFT', leaveReason: 'NOT_ALLOWED', member });
  await moderate(signalbox, 'unban', { token: ada.id, channel: 'hall' });
  expect(await presence()).toEqual({ change: 'JOINED', leaveReason: null, member });
});

test('nobody who is banned can be subscribed, by whomever, until the ban is lifted', async () => {
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
  expect(await publish(signalbox, 'hall', 'unheard')).toBe(0);
  const live = await openInbox(signalbox, eve.credential);
  expect(live.connected.channels).toEqual([{ id: 'hall' }]);
  expect(await publish(signalbox, 'hall', 'heard')).toBe(1);
});

test('a ban is from one channel that is there, of somebody who is named', async () => {
  await using signalbox = await startService();
  const { id: token } = await enter(signalbox);
  const wrong = [
    [{ channel: 'hall' }, 'BAD_USER_INPUT'],
    [{ channel: 'hall', token, identity: 'ada' }, 'BAD_USER_INPUT'],
    [{ channel: 'hall', token: 'token_none' }, 'NOT_FOUND'],
    [{ channel: 'nowhere', token }, 'NOT_FOUND'],
    [{ token }, 'BAD_USER_INPUT'],
  ] as const;
  for (const act of ['ban', 'unban'] as const)
    for (const [given, code] of wrong)
      expect([given, await outcomeOf(tryModerate(signalbox, act, given))]).toEqual([given, code]);
});
