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

test('returns the existing membership and sends no event when the token is subscribed again', async () => {
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

test('keeps a membership while the role does not allow SUBSCRIBE, and uses it again afterwards', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  await updateToken(signalbox, ada.id, { role: 'GUEST' });
  const events = queueResults(signalbox.client({ token: ada.credential }), EVENTS);
  expect((await events.next()).events.channels).toEqual([]);
  const OWN_CHANNELS = `{ viewer { channels { nodes { id } } } }`;
  const listed = async () =>
    (await signalbox.request(OWN_CHANNELS, {}, ada.credential)).viewer.channels.nodes;
  expect(await listed()).toEqual([]);
  await updateToken(signalbox, ada.id, { role: 'SUBSCRIBER' });
  expect(await events.next()).toEqual({
    events: { __typename: 'ChannelAvailable', channel: { id: 'lobby' } },
  });
  expect(await publish(signalbox, 'lobby', 'delivered')).toBe(1);
  expect(await listed()).toEqual([{ id: 'lobby' }]);
});

test('returns NOT_FOUND to an API key when the channel or the token does not exist', async () => {
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
    expect(await ask('lobby', 'token_unknown')).toBe('NOT_FOUND');
    expect(await ask('lobby', id)).toBeUndefined();
  }
});

test('lets a token subscribe itself to UNPROTECTED and PUBLIC channels only', async () => {
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

test('refuses a membership with FORBIDDEN when role or grants do not allow SUBSCRIBE', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const guest = await mint(signalbox, { role: 'GUEST' });
  const elsewhere = await mint(signalbox, { grants: [{ channels: 'room:*', actions: ['SUBSCRIBE'] }] });
  for (const { id } of [guest, elsewhere]) {
    expect(await codeOf(signalbox.ask(SUBSCRIBE, { c: 'lobby', t: id }))).toBe('FORBIDDEN');
  }
});

test('refuses memberships above maxMembershipsPerToken, in createToken and in subscribeToken', async () => {
  await using signalbox = await startService({ maxMembershipsPerToken: 2 });
  for (const id of ['a', 'b', 'c']) await createChannel(signalbox, id);
  const ada = await mint(signalbox, { channels: ['a', 'b', 'a'] });
  const answer = await signalbox.ask(SUBSCRIBE, { c: 'c', t: ada.id });
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 2 });
  await expect(mint(signalbox, { channels: ['a', 'b', 'c'] })).rejects.toThrow('at most 2');
  const { tokens } = await signalbox.request(`{ tokens { nodes { id } } }`);
  expect(tokens.nodes).toEqual([{ id: ada.id }]);
});

test('subscribes a new connection to the memberships of its token after a restart', async () => {
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

test('ends the messages subscription of a PRIVATE channel when the token is unsubscribed', async () => {
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
  expect(await publish(signalbox, 'lobby', 'undelivered')).toBe(0);
});
