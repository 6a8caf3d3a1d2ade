import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip, sendDirect } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const codeOf = async (answer: ReturnType<TestService['ask']>) =>
  (await answer).errors?.[0]?.extensions['code'];
const MESSAGES = `subscription ($c: ID!) { messages(channel: $c) { event } }`;

test('creates, updates, lists and deletes a channel', async () => {
  await using signalbox = await startService();
  const { createChannel: created } = await signalbox.request(
    `mutation { createChannel(input: { state: { topic: "tea" }, history: { messages: 5, seconds: 60 } }) {
      id type state version history { messages seconds }
    } }`,
  );
  expect(created).toEqual({
    id: expect.stringMatching(/^channel_/),
    type: 'PRIVATE',
    state: { topic: 'tea' },
    version: 1,
    history: { messages: 5, seconds: 60 },
  });
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  const { updateChannel } = await signalbox.request(
    `mutation { updateChannel(id: "square", input: { type: PUBLIC, history: { messages: 1 } }) { type history { messages seconds } } }`,
  );
  expect(updateChannel).toEqual({ type: 'PUBLIC', history: { messages: 1, seconds: null } });
  const list = async (args = '') =>
    (await signalbox.request(`{ channels${args} { nodes { id } } }`)).channels.nodes.map(({ id }: any) => id);
  expect(await list()).toEqual([created.id, 'square']);
  expect(await list('(type: PUBLIC)')).toEqual(['square']);
  await signalbox.request(`mutation { deleteChannel(id: "square") { id } }`);
  expect(await list()).toEqual([created.id]);
});

test.each([
  [{ id: 'taken' }, 'CONFLICT'],
  [{ id: 'a b' }, 'BAD_USER_INPUT'],
  [{ id: 'x'.repeat(256) }, 'BAD_USER_INPUT'],
  [{ id: '' }, 'BAD_USER_INPUT'],
  [{ state: 'x'.repeat(20_000) }, 'PAYLOAD_TOO_LARGE'],
  [{ history: { messages: -1 } }, 'BAD_USER_INPUT'],
  [{ history: { seconds: 700_000 } }, 'BAD_USER_INPUT'],
])('refuses to create a channel from %j with %s', async (input, code) => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'taken');
  const answer = signalbox.ask(
    `mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`,
    { input },
  );
  expect(await codeOf(answer)).toBe(code);
});

test('stops delivery to callers without access, with a reason, when the channel becomes PRIVATE', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const stranger = await mint(signalbox);
  const guest = await mint(signalbox, { role: 'GUEST', channels: ['square'] });
  const member = await mint(signalbox, { channels: ['square'] });
  const client = signalbox.client({ token: stranger.credential }, { lazy: false });
  const messages = queueResults(client, MESSAGES, { c: 'square' });
  await roundTrip(client);
  const query = `subscription { events {
    __typename ... on ChannelUnavailable { reason channel { id } } ... on ChannelAvailable { channel { id } }
    ... on ChannelMessage { message { event } } ... on DirectMessage { message { event } }
  } }`;
  const guestEvents = queueResults(signalbox.client({ token: guest.credential }), query);
  const memberEvents = queueResults(signalbox.client({ token: member.credential }), query);
  await guestEvents.next();
  await memberEvents.next();

  const changeType = (type: string) =>
    signalbox.request(`mutation { updateChannel(id: "square", input: { type: ${type} }) { id } }`);
  await changeType('PRIVATE');
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await guestEvents.next()).toEqual({
    events: { __typename: 'ChannelUnavailable', reason: 'NOT_ALLOWED', channel: { id: 'square' } },
  });
  expect(await publish(signalbox, 'square', 'while-private')).toBe(1);
  expect(await memberEvents.next()).toMatchObject({ events: { message: { event: 'while-private' } } });
  await sendDirect(signalbox, guest.id, 'sentinel');
  expect(await guestEvents.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });

  await changeType('PUBLIC');
  expect(await guestEvents.next()).toMatchObject({ events: { __typename: 'ChannelAvailable' } });
  expect(await publish(signalbox, 'square', 'while-public')).toBe(2);
});

test('ends every subscription when a channel is deleted, and a new channel of the same id starts empty', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'UNPROTECTED' });
  const ada = await mint(signalbox, { channels: ['lobby'] });
  await publish(signalbox, 'lobby', 'before');
  const client = signalbox.client({ token: ada.credential });
  const inbox = queueResults(
    client,
    `subscription { events { __typename ... on ChannelUnavailable { reason channel { id } } ... on DirectMessage { message { event } } } }`,
  );
  await inbox.next();
  const messages = queueResults(client, MESSAGES, { c: 'lobby' });
  const states = queueResults(client, `subscription { channelState(channel: "lobby") { version } }`);
  const presence = queueResults(client, `subscription { presence(channel: "lobby") { change } }`);
  await states.next();
  const remove = `mutation { deleteChannel(id: "lobby") { id type } }`;
  expect((await signalbox.request(remove)).deleteChannel).toEqual({ id: 'lobby', type: 'UNPROTECTED' });
  for (const subscription of [messages, states, presence])
    expect(await subscription.ended).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect(await inbox.next()).toEqual({
    events: { __typename: 'ChannelUnavailable', reason: 'DELETED', channel: { id: 'lobby' } },
  });
  expect(await codeOf(signalbox.ask(remove))).toBe('NOT_FOUND');
  const change = `mutation { updateChannel(id: "lobby", input: { type: PUBLIC }) { id } }`;
  expect(await codeOf(signalbox.ask(change))).toBe('NOT_FOUND');

  await createChannel(signalbox, 'lobby', { type: 'UNPROTECTED' });
  const { channel } = await signalbox.request(
    `{ channel(id: "lobby") { version tokens { nodes { id } } messages { nodes { event } } } }`,
  );
  expect(channel).toEqual({ version: 1, tokens: { nodes: [] }, messages: { nodes: [] } });
  expect(await publish(signalbox, 'lobby', 'undelivered')).toBe(0);
  await sendDirect(signalbox, ada.id, 'sentinel');
  expect(await inbox.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });
});

test('lists channels page by page, in the order of their ids', async () => {
  await using signalbox = await startService();
  const ids = Array.from({ length: 45 }, (_, n) => `room:${String(n).padStart(2, '0')}`);
  for (const id of ids) await createChannel(signalbox, id, { type: id.endsWith('7') ? 'PUBLIC' : 'PRIVATE' });
  const list = `query ($after: String, $type: ChannelType) {
    channels(first: 20, after: $after, type: $type) { nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } }
  }`;
  const pages: string[][] = [];
  for (let after: string | null = null; pages.length < 3;) {
    const { channels }: any = await signalbox.request(list, { after });
    expect(channels.pageInfo).toMatchObject({
      hasNextPage: pages.length < 2,
      hasPreviousPage: pages.length > 0,
    });
    pages.push(channels.nodes.map(({ id }: any) => id));
    after = channels.pageInfo.endCursor;
  }
  expect(pages).toEqual([ids.slice(0, 20), ids.slice(20, 40), ids.slice(40)]);
  const { channels } = await signalbox.request(list, { type: 'PUBLIC' });
  expect(channels.nodes.map(({ id }: any) => id)).toEqual(['room:07', 'room:17', 'room:27', 'room:37']);
});
