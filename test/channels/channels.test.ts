import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip, sendDirect } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const codeOf = async (answer: ReturnType<TestService['ask']>) =>
  (await answer).errors?.[0]?.extensions['code'];
const MESSAGES = `subscription ($c: ID!) { messages(channel: $c) { event } }`;

test('a channel is made, changed, listed and removed', async () => {
  await using signalbox = await startService();
  const { createChannel: made } = await signalbox.request(
    `mutation { createChannel(input: { state: { topic: "tea" }, history: { messages: 5, seconds: 60 } }) {
      id type state version history { messages seconds }
    } }`,
  );
  expect(made).toEqual({
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
  expect(await list()).toEqual([made.id, 'square']);
  expect(await list('(type: PUBLIC)')).toEqual(['square']);
  await signalbox.request(`mutation { deleteChannel(id: "square") { id } }`);
  expect(await list()).toEqual([made.id]);
});

test.each([
  [{ id: 'taken' }, 'CONFLICT'],
  [{ id: 'a b' }, 'BAD_USER_INPUT'],
  [{ id: 'x'.repeat(256) }, 'BAD_USER_INPUT'],
  [{ id: '' }, 'BAD_USER_INPUT'],
  [{ state: 'x'.repeat(20_000) }, 'PAYLOAD_TOO_LARGE'],
  [{ history: { messages: -1 } }, 'BAD_USER_INPUT'],
  [{ history: { seconds: 700_000 } }, 'BAD_USER_INPUT'],
])('a channel of %j is refused with %s', async (input, code) => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'taken');
  const answer = signalbox.ask(
    `mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`,
    { input },
  );
  expect(await codeOf(answer)).toBe(code);
});

test('closing a channel silences who may not be in it, at once and with a reason', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const stranger = await mint(signalbox);
  const guest = await mint(signalbox, { role: 'GUEST', channels: ['square'] });
  const member = await mint(signalbox, { channels: ['square'] });
  const client = signalbox.client({ token: stranger.credential }, { lazy: false });
  const listening = queueResults(client, MESSAGES, { c: 'square' });
  await roundTrip(client);
  const query = `subscription { events {
    __typename ... on ChannelUnavailable { reason channel { id } } ... on ChannelAvailable { channel { id } }
    ... on ChannelMessage { message { event } } ... on DirectMessage { message { event } }
  } }`;
  const guests = queueResults(signalbox.client({ token: guest.credential }), query);
  const members = queueResults(signalbox.client({ token: member.credential }), query);
  await guests.next();
  await members.next();

  const retype = (type: string) =>
    signalbox.request(`mutation { updateChannel(id: "square", input: { type: ${type} }) { id } }`);
  await retype('PRIVATE');
  expect(await listening.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await guests.next()).toEqual({
    events: { __typename: 'ChannelUnavailable', reason: 'NOT_ALLOWED', channel: { id: 'square' } },
  });
  expect(await publish(signalbox, 'square', 'inside')).toBe(1);
  expect(await members.next()).toMatchObject({ events: { message: { event: 'inside' } } });
  await sendDirect(signalbox, guest.id, 'sentinel');
  expect(await guests.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });

  await retype('PUBLIC');
  expect(await guests.next()).toMatchObject({ events: { __typename: 'ChannelAvailable' } });
  expect(await publish(signalbox, 'square', 'outside')).toBe(2);
});

test('a channel that is removed is gone for everyone, and one of the same name begins anew', async () => {
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
  for (const ended of [messages, states, presence])
    expect(await ended.ended).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
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
  expect(await publish(signalbox, 'lobby', 'unheard')).toBe(0);
  await sendDirect(signalbox, ada.id, 'sentinel');
  expect(await inbox.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });
});

test('channels are listed page by page', async () => {
  await using signalbox = await startService();
  const ids = Array.from({ length: 45 }, (_, n) => `room:${String(n).padStart(2, '0')}`);
  for (const id of ids) await createChannel(signalbox, id, { type: id.endsWith('7') ? 'PUBLIC' : 'PRIVATE' });
  const list = `query ($after: String, $type: ChannelType) {
    channels(first: 20, after: $after, type: $type) { nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } }
  }`;
  const found: string[][] = [];
  for (let after: string | null = null; found.length < 3;) {
    const { channels }: any = await signalbox.request(list, { after });
    expect(channels.pageInfo).toMatchObject({
      hasNextPage: found.length < 2,
      hasPreviousPage: found.length > 0,
    });
    found.push(channels.nodes.map(({ id }: any) => id));
    after = channels.pageInfo.endCursor;
  }
  expect(found).toEqual([ids.slice(0, 20), ids.slice(20, 40), ids.slice(40)]);
  const { channels } = await signalbox.request(list, { type: 'PUBLIC' });
  expect(channels.nodes.map(({ id }: any) => id)).toEqual(['room:07', 'room:17', 'room:27', 'room:37']);
});
