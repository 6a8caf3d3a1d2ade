import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip, sendDirect } from '../support/backend.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { changeSettings, createProject } from '../support/projects.ts';
import { startService } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const EVENTS = `subscription { events {
  __typename
  ... on Connected { channels { id } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelUnavailable { channel { id } reason }
  ... on ChannelMessage { message { event } }
  ... on DirectMessage { message { event } }
  ... on Disconnecting { reason }
} }`;
const MESSAGES = `subscription { messages(channel: "street") { event } }`;
const PRESENCE = `subscription { presence(channel: "street") { change } }`;

const next = async (events: ResultQueue<any>) => (await events.next()).events;
const refused = (code: string) => [{ extensions: { code } }];

test('a change of the matrix silences and opens channels, and ends and lets be streams, before it returns', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  const listeners = [];
  for (const doors of [signalbox, other]) {
    await createChannel(doors, 'street', { type: 'PUBLIC' });
    const { id, credential } = await mint(doors, { channels: ['street'] });
    const client = doors.client({ token: credential });
    const inbox = queueResults(client, EVENTS);
    expect(await next(inbox)).toEqual({ __typename: 'Connected', channels: [{ id: 'street' }] });
    const messages = queueResults(client, MESSAGES);
    const presence = queueResults(client, PRESENCE);
    await roundTrip(client);
    listeners.push({ id, inbox, messages, presence });
  }
  const [here, there] = listeners;
  const state = (...actions: string[]) =>
    changeSettings(signalbox, { permissions: { stated: [{ role: 'PUBLISHER', kind: 'PUBLIC', actions }] } });

  await state('SUBSCRIBE');
  expect(await here!.presence.ended).toMatchObject(refused('FORBIDDEN'));
  expect(await publish(signalbox, 'street', 'heard')).toBe(1);
  expect(await here!.messages.next()).toEqual({ messages: { event: 'heard' } });
  await state('PRESENCE', 'PUBLISH');
  expect(await publish(signalbox, 'street', 'unheard')).toBe(0);
  expect(await here!.messages.ended).toMatchObject(refused('FORBIDDEN'));
  await sendDirect(signalbox, here!.id, 'sentinel');
  await changeSettings(signalbox, { permissions: {} });
  expect(await publish(signalbox, 'street', 'heard-again')).toBe(1);
  for (const event of [
    { message: { event: 'heard' } },
    { __typename: 'ChannelUnavailable', channel: { id: 'street' }, reason: 'NOT_ALLOWED' },
    { message: { event: 'sentinel' } },
    { __typename: 'ChannelAvailable', channel: { id: 'street' } },
    { message: { event: 'heard-again' } },
  ])
    expect(await next(here!.inbox)).toMatchObject(event);

  // The other project has seen nothing of it.
  expect(await publish(other, 'street', 'first')).toBe(1);
  expect(await next(there!.inbox)).toEqual({ __typename: 'ChannelMessage', message: { event: 'first' } });
  expect(await there!.messages.next()).toEqual({ messages: { event: 'first' } });
  expect(there!.presence.waiting).toEqual([]);
});

test('without anonymous callers their streams end at once, by WebSocket and SSE, and those of others do not', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  for (const doors of [signalbox, other]) await createChannel(doors, 'street', { type: 'UNPROTECTED' });
  const { credential } = await mint(signalbox);
  const clients = [{ token: credential }, { project: 'other' }, {}].map((params) => signalbox.client(params));
  const [token, stranger, anonymous] = clients.map((client) => queueResults(client, MESSAGES));
  for (const client of clients) await roundTrip(client);
  const bySse = queueResults(sseClient(signalbox), MESSAGES);
  while ((await publish(signalbox, 'street', 'before')) < 3);
  expect(await publish(other, 'street', 'before')).toBe(1);

  await changeSettings(signalbox, { anonymous: false });
  expect(await publish(signalbox, 'street', 'after')).toBe(1);
  for (const stream of [anonymous!, bySse]) {
    expect(await stream.ended).toMatchObject(refused('UNAUTHENTICATED'));
    expect(stream.waiting.every(({ messages }) => messages.event === 'before')).toBe(true);
  }
  await token!.until(({ messages }) => messages.event === 'after');
  expect(await publish(other, 'street', 'after')).toBe(1);
  await stranger!.until(({ messages }) => messages.event === 'after');
  for (const client of [clients[2]!, sseClient(signalbox)])
    expect(await queueResults(client, MESSAGES).ended).toMatchObject(refused('UNAUTHENTICATED'));

  // The socket is still there, and hears again once it may.
  await changeSettings(signalbox, { anonymous: true });
  const again = queueResults(clients[2]!, MESSAGES);
  await roundTrip(clients[2]!);
  expect(await publish(signalbox, 'street', 'back')).toBe(2);
  expect(await again.next()).toEqual({ messages: { event: 'back' } });
});

test('without development tokens their sockets are closed at once with 4403, and those of others are not', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  const make = `mutation { createDevelopmentToken(identity: "ada") }`;
  for (const doors of [signalbox, other]) await changeSettings(doors, { developmentTokens: true });
  const unsigned = (await signalbox.request(make, {}, null)).createDevelopmentToken;
  const { credential } = await mint(signalbox, { identity: 'ada' });
  const [ada, elsewhere, signed] = [
    { token: unsigned },
    { token: unsigned, project: 'other' },
    { token: credential },
  ].map((params) => queueResults(signalbox.client(params), EVENTS));
  const bySse = queueResults(sseClient(signalbox, unsigned), EVENTS);
  for (const events of [ada!, elsewhere!, signed!, bySse])
    expect((await next(events)).__typename).toBe('Connected');

  await changeSettings(signalbox, { developmentTokens: false });
  const say = `mutation { publishDirectMessage(identity: "ada", event: "after") { connections } }`;
  expect((await signalbox.request(say)).publishDirectMessage.connections).toBe(1);
  for (const events of [ada!, bySse])
    expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'KEY_ENDED' });
  expect(await ada!.ended).toMatchObject({ code: 4403 });
  expect(await bySse.ended).toMatchObject(refused('UNAUTHENTICATED'));
  expect(await next(signed!)).toMatchObject({ message: { event: 'after' } });
  expect((await other.request(say)).publishDirectMessage.connections).toBe(1);
  expect(await next(elsewhere!)).toMatchObject({ message: { event: 'after' } });
  expect(await queueResults(signalbox.client({ token: unsigned }), EVENTS).ended).toMatchObject({
    code: 4401,
  });
});
