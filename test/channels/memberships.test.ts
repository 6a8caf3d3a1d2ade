import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip, subscribeToken, updateToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import { startService, type TestService } from '../support/service.ts';

const EVENTS = `subscription { events {
  __typename
  ... on Connected { channels { id } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelMessage { message { event } }
} }`;
const SUBSCRIBE = `mutation ($c: ID!, $t: ID!) { subscribeToken(channel: $c, token: $t) { createdAt } }`;

const codeOf = async (answer: ReturnType<TestService['ask']>) =>
  (await answer).errors?.[0]?.extensions['code'];

test('subscribing again changes nothing and is told to nobody', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox);
  const events = queueResults(signalbox.client({ token: ada.credential }), EVENTS);
  await events.next();
  const first = await signalbox.request(SUBSCRIBE, { c: 'lobby', t: ada.id });
  expect(await events.next()).toEqual({
    events: { __typename: 'ChannelAvailable', channel: { id: 'lobby' } },
  });
  expect(await signalbox.request(SUBSCRIBE, { c: 'lobby', t: ada.id })).toEqual(first);
  await publish(signalbox, 'lobby', 'sentinel');
  expect(await events.next()).toMatchObject({ events: { message: { event: 'sentinel' } } });
});

test('a membership outlives a role that has no use for it', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  await updateToken(signalbox, ada.id, { role: 'GUEST' });
  const events = queueResults(signalbox.client({ token: ada.credential }), EVENTS);
  expect((await events.next()).events.channels).toEqual([]);
  const mine = `{ viewer { channels { nodes { id } } } }`;
  const listed = async () => (await signalbox.request(mine, {}, ada.credential)).viewer.channels.nodes;
  expect(await listed()).toEqual([]);
  await updateToken(signalbox, ada.id, { role: 'SUBSCRIBER' });
  expect(await events.next()).toEqual({
    events: { __typename: 'ChannelAvailable', channel: { id: 'lobby' } },
  });
  expect(await publish(signalbox, 'lobby', 'heard')).toBe(1);
  expect(await listed()).toEqual([{ id: 'lobby' }]);
});

test('a backend is told which of the two is not there', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const { id } = await mint(signalbox);
  for (const name of ['subscribeToken', 'unsubscribeToken']) {
    const ask = (c: string, t: string) =>
      codeOf(
        signalbox.ask(`mutation ($c: ID!, $t: ID!) { ${name}(channel: $c, token: $t) { createdAt } }`, {
          c,
          t,
        }),
      );
    expect(await ask('nowhere', id)).toBe('NOT_FOUND');
    expect(await ask('lobby', 'token_nobody')).toBe('NOT_FOUND');
    expect(await ask('lobby', id)).toBeUndefined();
  }
});

test('a token subscribes itself where it may enter, and nowhere else', async () => {
  await using signalbox = await startService();
  for (const type of ['UNPROTECTED', 'PUBLIC', 'PRIVATE']) await createChannel(signalbox, type, { type });
  const [ada, ben] = [await mint(signalbox), await mint(signalbox)];
  const ask = (c: string, t = ada.id) => codeOf(signalbox.ask(SUBSCRIBE, { c, t }, ada.credential));
  expect(await ask('UNPROTECTED')).toBeUndefined();
  expect(await ask('PUBLIC')).toBeUndefined();
  expect(await ask('PRIVATE')).toBe('FORBIDDEN');
  expect(await ask('NOWHERE')).toBe('FORBIDDEN');
  expect(await ask('PUBLIC', ben.id)).toBe('FORBIDDEN');
  expect(await codeOf(signalbox.ask(SUBSCRIBE, { c: 'PUBLIC', t: ada.id }, null))).toBe('UNAUTHENTICATED');
  await subscribeToken(signalbox, 'PRIVATE', ada.id);
  const leave = `mutation ($t: ID!) { unsubscribeToken(channel: "PRIVATE", token: $t) { createdAt } }`;
  expect((await signalbox.request(leave, { t: ada.id }, ada.credential)).unsubscribeToken).not.toBeNull();
  expect((await signalbox.request(leave, { t: ada.id }, ada.credential)).unsubscribeToken).toBeNull();
});

test('a membership that would hear nothing is refused rather than made in silence', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const guest = await mint(signalbox, { role: 'GUEST' });
  const elsewhere = await mint(signalbox, { grants: [{ channels: 'room:*', actions: ['SUBSCRIBE'] }] });
  for (const { id } of [guest, elsewhere]) {
    expect(await codeOf(signalbox.ask(SUBSCRIBE, { c: 'lobby', t: id }))).toBe('FORBIDDEN');
  }
});

test('a token has a bounded number of memberships, from the start as later', async () => {
  await using signalbox = await startService({ maxMembershipsPerToken: 2 });
  for (const id of ['a', 'b', 'c']) await createChannel(signalbox, id);
  const ada = await mint(signalbox, { channels: ['a', 'b', 'a'] });
  const answer = await signalbox.ask(SUBSCRIBE, { c: 'c', t: ada.id });
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 2 });
  await expect(mint(signalbox, { channels: ['a', 'b', 'c'] })).rejects.toThrow('at most 2');
  const { tokens } = await signalbox.request(`{ tokens { nodes { id } } }`);
  expect(tokens.nodes).toEqual([{ id: ada.id }]);
});

test('memberships survive a restart and are what a connection starts from', async () => {
  using folder = createFolder();
  const first = await startService({ data: folder.path });
  await createChannel(first, 'lobby');
  const ada = await mint(first, { channels: ['lobby'] });
  await first[Symbol.asyncDispose]();

  await using second = await startService({ data: folder.path });
  const events = queueResults(second.client({ token: ada.credential }), EVENTS);
  expect(await events.next()).toEqual({ events: { __typename: 'Connected', channels: [{ id: 'lobby' }] } });
  await publish(second, 'lobby', 'hello');
  expect(await events.next()).toMatchObject({ events: { message: { event: 'hello' } } });
});

test('ending a membership ends a private channel’s subscription too', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  const client = signalbox.client({ token: ada.credential }, { lazy: false });
  const messages = queueResults(client, `subscription { messages(channel: "lobby") { event } }`);
  await roundTrip(client);
  await signalbox.request(
    `mutation ($t: ID!) { unsubscribeToken(channel: "lobby", token: $t) { createdAt } }`,
    {
      t: ada.id,
    },
  );
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await publish(signalbox, 'lobby', 'unheard')).toBe(0);
});
