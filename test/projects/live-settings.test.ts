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

test('applies changed permissions to channels and live subscriptions before updateProject returns', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  const subscribers = [];
  for (const project of [signalbox, other]) {
    await createChannel(project, 'street', { type: 'PUBLIC' });
    const { id, credential } = await mint(project, { channels: ['street'] });
    const client = project.client({ token: credential });
    const inbox = queueResults(client, EVENTS);
    expect(await next(inbox)).toEqual({ __typename: 'Connected', channels: [{ id: 'street' }] });
    const messages = queueResults(client, MESSAGES);
    const presence = queueResults(client, PRESENCE);
    await roundTrip(client);
    subscribers.push({ id, inbox, messages, presence });
  }
  const [own, foreign] = subscribers;
  const permit = (...actions: string[]) =>
    changeSettings(signalbox, { permissions: { stated: [{ role: 'PUBLISHER', kind: 'PUBLIC', actions }] } });

  await permit('SUBSCRIBE');
  expect(await own!.presence.ended).toMatchObject(refused('FORBIDDEN'));
  expect(await publish(signalbox, 'street', 'delivered')).toBe(1);
  expect(await own!.messages.next()).toEqual({ messages: { event: 'delivered' } });
  await permit('PRESENCE', 'PUBLISH');
  expect(await publish(signalbox, 'street', 'undelivered')).toBe(0);
  expect(await own!.messages.ended).toMatchObject(refused('FORBIDDEN'));
  await sendDirect(signalbox, own!.id, 'sentinel');
  await changeSettings(signalbox, { permissions: { stated: [] } });
  expect(await publish(signalbox, 'street', 'delivered-again')).toBe(1);
  for (const event of [
    { message: { event: 'delivered' } },
    { __typename: 'ChannelUnavailable', channel: { id: 'street' }, reason: 'NOT_ALLOWED' },
    { message: { event: 'sentinel' } },
    { __typename: 'ChannelAvailable', channel: { id: 'street' } },
    { message: { event: 'delivered-again' } },
  ])
    expect(await next(own!.inbox)).toMatchObject(event);

  // The change does not affect the other project.
  expect(await publish(other, 'street', 'first')).toBe(1);
  expect(await next(foreign!.inbox)).toEqual({ __typename: 'ChannelMessage', message: { event: 'first' } });
  expect(await foreign!.messages.next()).toEqual({ messages: { event: 'first' } });
  expect(foreign!.presence.waiting).toEqual([]);
});

test('ends the subscriptions of anonymous callers of this project, over WebSocket and SSE, when anonymous is set to false', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  for (const project of [signalbox, other]) await createChannel(project, 'street', { type: 'UNPROTECTED' });
  const { credential } = await mint(signalbox);
  const clients = [{ token: credential }, { project: 'other' }, {}].map((params) => signalbox.client(params));
  const [ofToken, ofOtherProject, ofAnonymous] = clients.map((client) => queueResults(client, MESSAGES));
  for (const client of clients) await roundTrip(client);
  const overSse = queueResults(sseClient(signalbox), MESSAGES);
  while ((await publish(signalbox, 'street', 'before')) < 3);
  expect(await publish(other, 'street', 'before')).toBe(1);

  await changeSettings(signalbox, { anonymous: false });
  expect(await publish(signalbox, 'street', 'after')).toBe(1);
  for (const stream of [ofAnonymous!, overSse]) {
    expect(await stream.ended).toMatchObject(refused('UNAUTHENTICATED'));
    expect(stream.waiting.every(({ messages }) => messages.event === 'before')).toBe(true);
  }
  await ofToken!.until(({ messages }) => messages.event === 'after');
  expect(await publish(other, 'street', 'after')).toBe(1);
  await ofOtherProject!.until(({ messages }) => messages.event === 'after');
  for (const client of [clients[2]!, sseClient(signalbox)])
    expect(await queueResults(client, MESSAGES).ended).toMatchObject(refused('UNAUTHENTICATED'));

  // The socket stays open, and a new subscription succeeds once anonymous callers are accepted again.
  await changeSettings(signalbox, { anonymous: true });
  const again = queueResults(clients[2]!, MESSAGES);
  await roundTrip(clients[2]!);
  expect(await publish(signalbox, 'street', 'back')).toBe(2);
  expect(await again.next()).toEqual({ messages: { event: 'back' } });
});

test('closes connections with development tokens of this project with 4403 when developmentTokens is set to false', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  const CREATE = `mutation { createDevelopmentToken(identity: "ada") }`;
  for (const project of [signalbox, other]) await changeSettings(project, { developmentTokens: true });
  const unsigned = (await signalbox.request(CREATE, {}, null)).createDevelopmentToken;
  const { credential } = await mint(signalbox, { identity: 'ada' });
  const [unsignedEvents, otherProjectEvents, signedEvents] = [
    { token: unsigned },
    { token: unsigned, project: 'other' },
    { token: credential },
  ].map((params) => queueResults(signalbox.client(params), EVENTS));
  const overSse = queueResults(sseClient(signalbox, unsigned), EVENTS);
  for (const events of [unsignedEvents!, otherProjectEvents!, signedEvents!, overSse])
    expect((await next(events)).__typename).toBe('Connected');

  await changeSettings(signalbox, { developmentTokens: false });
  const PUBLISH_DIRECT = `mutation { publishDirectMessage(identity: "ada", event: "after") { connections } }`;
  expect((await signalbox.request(PUBLISH_DIRECT)).publishDirectMessage.connections).toBe(1);
  for (const events of [unsignedEvents!, overSse])
    expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'KEY_ENDED' });
  expect(await unsignedEvents!.ended).toMatchObject({ code: 4403 });
  expect(await overSse.ended).toMatchObject(refused('UNAUTHENTICATED'));
  expect(await next(signedEvents!)).toMatchObject({ message: { event: 'after' } });
  expect((await other.request(PUBLISH_DIRECT)).publishDirectMessage.connections).toBe(1);
  expect(await next(otherProjectEvents!)).toMatchObject({ message: { event: 'after' } });
  expect(await queueResults(signalbox.client({ token: unsigned }), EVENTS).ended).toMatchObject({
    code: 4401,
  });
});
