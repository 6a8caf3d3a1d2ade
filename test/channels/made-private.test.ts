import { expect, test } from 'vitest';
import { createChannel, mint, publish, subscribeToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { changeSettings } from '../support/projects.ts';
import { sign, signingKeyOf, tokenOf } from '../support/external-credentials.ts';
import { API_KEY, startService, type ServiceClient } from '../support/service.ts';

const EVENTS = `subscription { events {
  __typename
  ... on ChannelUnavailable { channel { id } reason }
  ... on ChannelMessage { message { event } }
} }`;
const UPDATE = `mutation ($input: UpdateChannelInput!) { updateChannel(id: "room", input: $input) { type endedMemberships } }`;
const PUBLISH = `mutation { publishMessage(channel: "room", event: "e") { connections } }`;

const subscribeItself = ({ request }: ServiceClient, token: { id: string; credential: string }) =>
  request(
    `mutation ($t: ID!) { subscribeToken(channel: "room", token: $t) { createdAt } }`,
    { t: token.id },
    token.credential,
  );
const tokensOf = async ({ request }: ServiceClient): Promise<string[]> =>
  (await request(`{ channel(id: "room") { tokens { nodes { id } } } }`)).channel.tokens.nodes.map(
    ({ id }: { id: string }) => id,
  );

test.each(['PUBLIC', 'UNPROTECTED'])(
  'tokens that subscribed themselves leave a %s channel that becomes PRIVATE',
  async (type) => {
    await using signalbox = await startService();
    await createChannel(signalbox, 'room', { type });
    const [own, backend, both] = [await mint(signalbox), await mint(signalbox), await mint(signalbox)];
    await subscribeItself(signalbox, own);
    await subscribeItself(signalbox, both);
    await subscribeToken(signalbox, 'room', backend.id);
    await subscribeToken(signalbox, 'room', both.id);
    const credential = await sign(signingKeyOf(API_KEY), { sub: 'ada', iat: 1e9, channels: ['room'] });
    const { id: claimed } = await tokenOf(signalbox, credential);
    const created = await mint(signalbox, { channels: ['room'] });
    const events = queueResults(signalbox.client({ token: own.credential }), EVENTS);
    const messages = queueResults(
      signalbox.client({ token: own.credential }),
      `subscription { messages(channel: "room") { event } }`,
    );
    await events.next();
    await publish(signalbox, 'room', 'before');
    expect((await messages.next()).messages.event).toBe('before');
    await events.next();

    expect((await signalbox.request(UPDATE, { input: { type: 'PRIVATE' } })).updateChannel).toEqual({
      type: 'PRIVATE',
      endedMemberships: 1,
    });
    expect((await events.next()).events).toEqual({
      __typename: 'ChannelUnavailable',
      channel: { id: 'room' },
      reason: 'NOT_ALLOWED',
    });
    expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect((await tokensOf(signalbox)).sort()).toEqual([backend.id, both.id, claimed, created.id].sort());
    expect((await signalbox.ask(PUBLISH, {}, own.credential)).errors?.[0]?.extensions['code']).toBe(
      'FORBIDDEN',
    );
    expect((await signalbox.ask(PUBLISH, {}, both.credential)).errors).toBeUndefined();
  },
);

test('a custom kind that makes the channel PRIVATE ends such memberships, in more than one step', async () => {
  await using signalbox = await startService({ credentialsPerSecond: 10_000 });
  await changeSettings(signalbox, { permissions: { kinds: [{ name: 'team', type: 'PRIVATE' }] } });
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  for (let count = 0; count < 250; count++) await subscribeItself(signalbox, await mint(signalbox));
  const { updateChannel } = await signalbox.request(UPDATE, { input: { kind: 'team' } });
  expect(updateChannel).toEqual({ type: 'PRIVATE', endedMemberships: 250 });
  expect(await tokensOf(signalbox)).toEqual([]);
});

test('keepMemberships keeps tokens that subscribed themselves, and other changes of a channel end no membership', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const own = await mint(signalbox);
  await subscribeItself(signalbox, own);
  for (const input of [{ type: 'UNPROTECTED' }, { history: { messages: 5 } }, { type: 'PUBLIC' }])
    expect((await signalbox.request(UPDATE, { input })).updateChannel.endedMemberships).toBe(0);
  const input = { type: 'PRIVATE', keepMemberships: true };
  expect((await signalbox.request(UPDATE, { input })).updateChannel.endedMemberships).toBe(0);
  expect((await signalbox.ask(PUBLISH, {}, own.credential)).errors).toBeUndefined();
  expect(
    (await signalbox.request(UPDATE, { input: { type: 'PRIVATE' } })).updateChannel.endedMemberships,
  ).toBe(0);
  expect(await tokensOf(signalbox)).toEqual([own.id]);
});
