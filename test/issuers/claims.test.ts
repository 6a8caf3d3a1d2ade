import { expect, test } from 'vitest';
import { createChannel, publish, sendDirect } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { EVENTS, sign, signingKeyOf } from '../support/external-credentials.ts';
import { API_KEY, startService } from '../support/service.ts';

const KEY = signingKeyOf(API_KEY);

test('each connection of one token has the role, grants and data of its own credential', async () => {
  await using signalbox = await startService();
  for (const id of ['room:1', 'room:2', 'hall']) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const channels = ['room:1', 'room:2', 'hall'];
  const claims = [
    { sub: 'ada', channels, role: 'MODERATOR', data: 'Ada at her desk' },
    { sub: 'ada', role: 'SUBSCRIBER', grants: [{ channels: 'room:*', actions: ['SUBSCRIBE', 'PUBLISH'] }] },
    { sub: 'ada', role: 'PUBLISHER', grants: [{ channels: 'room:1', actions: ['PUBLISH'] }] },
  ];
  const clients = [];
  for (const claim of claims) clients.push(signalbox.client({ token: await sign(KEY, claim) }));
  const subscriptions = [];
  const connected = [];
  // One after the other, as in the next test.
  for (const client of clients) {
    const events = queueResults(client, EVENTS);
    subscriptions.push(events);
    connected.push((await events.next()).events);
  }
  expect(new Set(connected.map(({ token }) => token.id)).size).toBe(1);
  expect(connected.map(({ channels }) => channels.map(({ id }: any) => id).toSorted())).toEqual([
    ['hall', 'room:1', 'room:2'],
    ['room:1', 'room:2'],
    [],
  ]);
  expect(connected.map(({ token }) => token.role)).toEqual(['MODERATOR', 'SUBSCRIBER', 'PUBLISHER']);
  const allowed = [];
  for (const client of clients) {
    const { viewer } = await queueResults(
      client,
      `{ viewer { hall: allowedActions(channel: "hall") one: allowedActions(channel: "room:1") two: allowedActions(channel: "room:2") } }`,
    ).next();
    allowed.push(Object.values<string[]>(viewer).map((actions) => actions.join(' ')));
  }
  const all = 'SUBSCRIBE PUBLISH PRESENCE MODERATE';
  expect(allowed).toEqual([
    [all, all, all],
    ['', 'SUBSCRIBE', 'SUBSCRIBE'],
    ['', 'PUBLISH', ''],
  ]);
  expect(await publish(signalbox, 'hall', 'to-one')).toBe(1);
  expect(await publish(signalbox, 'room:2', 'to-two')).toBe(2);
  await sendDirect(signalbox, connected[0].token.id, 'sentinel');
  const events = [];
  for (const one of subscriptions) {
    const received = [];
    do received.push((await one.next()).events.message.event);
    while (received.at(-1) !== 'sentinel');
    events.push(received);
  }
  expect(events).toEqual([['to-one', 'to-two', 'sentinel'], ['to-two', 'sentinel'], ['sentinel']]);
});

test('updateToken applies at once where the credential has no claim, and its grants narrow the claimed ones', async () => {
  await using signalbox = await startService();
  for (const id of ['room', 'hall']) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const channels = ['room', 'hall'];
  const withoutClaims = signalbox.client({ token: await sign(KEY, { sub: 'ada', channels }) });
  const withClaims = signalbox.client({
    token: await sign(KEY, {
      sub: 'ada',
      role: 'MODERATOR',
      data: 'claimed',
      grants: [{ channels: 'room', actions: ['SUBSCRIBE', 'PUBLISH'] }],
    }),
  });
  // One after the other: the channels of a credential that is not newer than one before it are not subscribed to.
  const subscriptions = [queueResults(withoutClaims, EVENTS)];
  const { id } = (await subscriptions[0]!.next()).events.token;
  subscriptions.push(queueResults(withClaims, EVENTS));
  await subscriptions[1]!.next();
  const viewerOf = async (client: typeof withoutClaims) => {
    const { viewer } = await queueResults(
      client,
      `{ viewer { token { role connectionData } room: allowedActions(channel: "room") hall: allowedActions(channel: "hall") } }`,
    ).next();
    return { ...viewer.token, room: viewer.room.join(' '), hall: viewer.hall.join(' ') };
  };
  const update = (input: object) =>
    signalbox.request(
      `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`,
      { id, input },
    );

  await update({ role: 'SUBSCRIBER', connectionData: 'recorded' });
  expect(await viewerOf(withoutClaims)).toEqual({
    role: 'SUBSCRIBER',
    connectionData: 'recorded',
    room: 'SUBSCRIBE PRESENCE',
    hall: 'SUBSCRIBE PRESENCE',
  });
  expect(await viewerOf(withClaims)).toEqual({
    role: 'MODERATOR',
    connectionData: 'claimed',
    room: 'SUBSCRIBE PUBLISH',
    hall: '',
  });

  await update({
    grants: [
      { channels: '*', actions: ['PUBLISH', 'PRESENCE'] },
      { channels: 'hall', actions: ['SUBSCRIBE'] },
    ],
  });
  expect(await viewerOf(withoutClaims)).toMatchObject({ room: 'PRESENCE', hall: 'SUBSCRIBE PRESENCE' });
  expect(await viewerOf(withClaims)).toMatchObject({ room: 'PUBLISH', hall: '' });
  expect(await publish(signalbox, 'room', 'to-none')).toBe(0);
  expect(await publish(signalbox, 'hall', 'to-one-subscriber')).toBe(1);
  await subscriptions[0]!.until(
    ({ events }) => events.reason === 'NOT_ALLOWED' && events.channel.id === 'room',
  );
  expect((await subscriptions[0]!.until(({ events }) => 'message' in events)).events.message.event).toBe(
    'to-one-subscriber',
  );

  await update({ role: 'PUBLISHER', grants: null });
  expect((await viewerOf(withoutClaims)).room).toBe('SUBSCRIBE PUBLISH PRESENCE');
  expect(await publish(signalbox, 'room', 'to-both')).toBe(2);
});
