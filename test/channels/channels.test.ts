import { expect, test } from 'vitest';
import { createChannel, mint, publish, settled, whisper } from '../support/backend.ts';
import { take } from '../support/events.ts';
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

test('who may hear and who may speak is what the matrix says', async () => {
  await using signalbox = await startService();
  const types = ['UNPROTECTED', 'PUBLIC', 'PRIVATE'];
  for (const type of types) await createChannel(signalbox, type, { type });
  const roles = ['GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR'];
  const found: Record<string, string> = {};
  const look = async (who: string, bearer: string | null) => {
    for (const type of types) {
      const { viewer } = await signalbox.request(
        `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`,
        { c: type },
        bearer,
      );
      found[`${who} in ${type}`] = viewer.allowedActions
        .map((action: string) => action.slice(0, 2))
        .join(' ');
    }
  };
  await look('nobody', null);
  for (const role of roles) await look(role, (await mint(signalbox, { role })).credential);
  for (const role of roles.slice(1)) {
    await look(`member ${role}`, (await mint(signalbox, { role, channels: ['PRIVATE'] })).credential);
  }
  const [hears, speaks, moderates] = ['SU PR', 'SU PU PR', 'SU PU PR MO'];
  const rows = (who: string, unprotected: string, open: string, closed: string) => ({
    [`${who} in UNPROTECTED`]: unprotected,
    [`${who} in PUBLIC`]: open,
    [`${who} in PRIVATE`]: closed,
  });
  expect(found).toEqual({
    ...rows('nobody', 'SU', '', ''),
    ...rows('GUEST', hears, hears, ''),
    ...rows('SUBSCRIBER', hears, hears, ''),
    ...rows('PUBLISHER', speaks, speaks, ''),
    ...rows('MODERATOR', moderates, moderates, ''),
    ...rows('member SUBSCRIBER', hears, hears, hears),
    ...rows('member PUBLISHER', speaks, speaks, speaks),
    ...rows('member MODERATOR', moderates, moderates, moderates),
  });
});

test('to a token a closed channel and one that does not exist are the same', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'closed');
  const ada = await mint(signalbox);
  const errorOf = async (id: string, bearer: string | null) => {
    const { errors } = await signalbox.ask(`query ($c: ID!) { channel(id: $c) { id } }`, { c: id }, bearer);
    return { ...errors![0], message: errors![0]!.message.replace(id, '…') };
  };
  expect(await errorOf('closed', ada.credential)).toEqual(await errorOf('nowhere', ada.credential));
  expect(await errorOf('closed', null)).toEqual(await errorOf('nowhere', null));
  expect((await errorOf('nowhere', signalbox.apiKey)).extensions?.['code']).toBe('NOT_FOUND');
});

test('its state comes first and then after each change', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { state: { topic: 'tea', mood: 1 } });
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const client = signalbox.client({ token: ada.credential });
  const states = take(client, `subscription { channelState(channel: "lobby") { state version } }`);
  const events = take(
    client,
    `subscription { events { __typename ... on ChannelStateUpdated { channel { id state version } } } }`,
  );
  await events.next();
  expect(await states.next()).toEqual({ channelState: { state: { topic: 'tea', mood: 1 }, version: 1 } });
  await signalbox.request(
    `mutation { patchChannelState(channel: "lobby", patch: { mood: null, sugar: true }) { id } }`,
  );
  const patched = { state: { topic: 'tea', sugar: true }, version: 2 };
  expect(await states.next()).toEqual({ channelState: patched });
  expect(await events.next()).toEqual({
    events: { __typename: 'ChannelStateUpdated', channel: { id: 'lobby', ...patched } },
  });
  await signalbox.request(`mutation { setChannelState(channel: "lobby", state: [1], ifVersion: 2) { id } }`);
  expect(await states.next()).toEqual({ channelState: { state: [1], version: 3 } });
  const answer = await signalbox.ask(
    `mutation { setChannelState(channel: "lobby", state: 0, ifVersion: 2) { id } }`,
  );
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', version: 3 });
});

test('of patches at the same time all count', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const patch = `mutation ($p: JSON!) { patchChannelState(channel: "lobby", patch: $p) { version } }`;
  const all = Array.from({ length: 50 }, (_, i) => signalbox.request(patch, { p: { [`k${i}`]: i } }));
  const versions = (await Promise.all(all)).map(({ patchChannelState }) => patchChannelState.version);
  expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 2));
  const { channel } = await signalbox.request(`{ channel(id: "lobby") { state } }`);
  expect(Object.keys(channel.state)).toHaveLength(50);
});

test('state is set by moderators of the channel, not by publishers', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'PUBLIC' });
  const set = `mutation { setChannelState(channel: "lobby", state: {}) { id } }`;
  const as = async (role: string) =>
    codeOf(signalbox.ask(set, {}, (await mint(signalbox, { role })).credential));
  expect(await as('PUBLISHER')).toBe('FORBIDDEN');
  expect(await as('MODERATOR')).toBeUndefined();
});

test('closing a channel silences who may not be in it, at once and with a reason', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const stranger = await mint(signalbox);
  const guest = await mint(signalbox, { role: 'GUEST', channels: ['square'] });
  const member = await mint(signalbox, { channels: ['square'] });
  const client = signalbox.client({ token: stranger.credential }, { lazy: false });
  const listening = take(client, MESSAGES, { c: 'square' });
  await settled(client);
  const query = `subscription { events {
    __typename ... on ChannelUnavailable { reason channel { id } } ... on ChannelAvailable { channel { id } }
    ... on ChannelMessage { message { event } } ... on DirectMessage { message { event } }
  } }`;
  const guests = take(signalbox.client({ token: guest.credential }), query);
  const members = take(signalbox.client({ token: member.credential }), query);
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
  await whisper(signalbox, guest.id, 'sentinel');
  expect(await guests.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });

  await retype('PUBLIC');
  expect(await guests.next()).toMatchObject({ events: { __typename: 'ChannelAvailable' } });
  expect(await publish(signalbox, 'square', 'outside')).toBe(2);
});

test('removing a channel ends what listened to it', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'UNPROTECTED' });
  const client = signalbox.client({}, { lazy: false });
  const messages = take(client, MESSAGES, { c: 'lobby' });
  await settled(client);
  await signalbox.request(`mutation { deleteChannel(id: "lobby") { id } }`);
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
});
