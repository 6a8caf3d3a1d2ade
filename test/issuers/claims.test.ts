import { expect, test } from 'vitest';
import { createChannel, publish, sendDirect } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { EVENTS, sign, signingKeyOf } from '../support/external-credentials.ts';
import { API_KEY, startService } from '../support/service.ts';

const KEY = signingKeyOf(API_KEY);

test('each connection of a record may what its own credential says', async () => {
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
  const heard = clients.map((client) => queueResults(client, EVENTS));
  const connected = [];
  for (const events of heard) connected.push((await events.next()).events);
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
  for (const one of heard) {
    const said = [];
    do said.push((await one.next()).events.message.event);
    while (said.at(-1) !== 'sentinel');
    events.push(said);
  }
  expect(events).toEqual([['to-one', 'to-two', 'sentinel'], ['to-two', 'sentinel'], ['sentinel']]);
});

test('what the backend sets on the record holds at once where the credential is silent, and its grants narrow both', async () => {
  await using signalbox = await startService();
  for (const id of ['room', 'hall']) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const channels = ['room', 'hall'];
  const silent = signalbox.client({ token: await sign(KEY, { sub: 'ada', channels }) });
  const speaking = signalbox.client({
    token: await sign(KEY, {
      sub: 'ada',
      role: 'MODERATOR',
      data: 'claimed',
      grants: [{ channels: 'room', actions: ['SUBSCRIBE', 'PUBLISH'] }],
    }),
  });
  const heard = [silent, speaking].map((client) => queueResults(client, EVENTS));
  const { id } = (await heard[0]!.next()).events.token;
  await heard[1]!.next();
  const may = async (client: typeof silent) => {
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
  expect(await may(silent)).toEqual({
    role: 'SUBSCRIBER',
    connectionData: 'recorded',
    room: 'SUBSCRIBE PRESENCE',
    hall: 'SUBSCRIBE PRESENCE',
  });
  expect(await may(speaking)).toEqual({
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
  expect(await may(silent)).toMatchObject({ room: 'PRESENCE', hall: 'SUBSCRIBE PRESENCE' });
  expect(await may(speaking)).toMatchObject({ room: 'PUBLISH', hall: '' });
  expect(await publish(signalbox, 'room', 'unheard')).toBe(0);
  expect(await publish(signalbox, 'hall', 'heard-by-one')).toBe(1);
  await heard[0]!.until(({ events }) => events.reason === 'NOT_ALLOWED' && events.channel.id === 'room');
  expect((await heard[0]!.until(({ events }) => 'message' in events)).events.message.event).toBe(
    'heard-by-one',
  );

  await update({ role: 'PUBLISHER', grants: null });
  expect((await may(silent)).room).toBe('SUBSCRIBE PUBLISH PRESENCE');
  expect(await publish(signalbox, 'room', 'heard')).toBe(2);
});
