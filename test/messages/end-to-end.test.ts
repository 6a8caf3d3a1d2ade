import { expect, test } from 'vitest';
import { queueResults } from '../support/result-queue.ts';
import { startService } from '../support/service.ts';

test('a token is created, receives channel and direct messages on its live inbox, and reports when it is online', async () => {
  await using signalbox = await startService();
  const { request } = signalbox;
  await request(`mutation { createChannel(input: { id: "lobby" }) { id } }`);
  const { createToken } = await request(
    `mutation { createToken(input: { identity: "ada" }) { token { id } credential cursor } }`,
  );
  const token = createToken.token.id;
  const isOnline = async () =>
    (await request(`query ($t: ID!) { isOnline(token: $t) }`, { t: token })).isOnline;
  expect(await isOnline()).toBe(false);

  const client = signalbox.client({ token: createToken.credential });
  const events = queueResults(
    client,
    `subscription { events {
      __typename
      ... on Connected { cursor channels { id } token { identity } }
      ... on ChannelAvailable { channel { id state } }
      ... on ChannelUnavailable { channel { id } reason }
      ... on ChannelMessage { message { event data channel sender { kind } } }
      ... on DirectMessage { message { event data channel } }
    } }`,
  );
  expect(await events.next()).toEqual({
    events: { __typename: 'Connected', cursor: createToken.cursor, channels: [], token: { identity: 'ada' } },
  });
  expect(await isOnline()).toBe(true);

  await request(`mutation ($t: ID!) { subscribeToken(channel: "lobby", token: $t) { createdAt } }`, {
    t: token,
  });
  expect(await events.next()).toEqual({
    events: { __typename: 'ChannelAvailable', channel: { id: 'lobby', state: {} } },
  });

  const published = await request(
    `mutation { publishMessage(channel: "lobby", event: "hi", data: { text: "hello" }) { connections } }`,
  );
  expect(published.publishMessage.connections).toBe(1);
  expect(await events.next()).toEqual({
    events: {
      __typename: 'ChannelMessage',
      message: { event: 'hi', data: { text: 'hello' }, channel: 'lobby', sender: { kind: 'API_KEY' } },
    },
  });

  await request(
    `mutation ($t: ID!) { publishDirectMessage(token: $t, event: "psst", data: 1) { connections } }`,
    {
      t: token,
    },
  );
  expect(await events.next()).toEqual({
    events: { __typename: 'DirectMessage', message: { event: 'psst', data: 1, channel: null } },
  });

  await request(`mutation ($t: ID!) { unsubscribeToken(channel: "lobby", token: $t) { createdAt } }`, {
    t: token,
  });
  await request(`mutation { publishMessage(channel: "lobby", event: "undelivered") { connections } }`);
  await request(`mutation ($t: ID!) { publishDirectMessage(token: $t, event: "sentinel") { connections } }`, {
    t: token,
  });
  expect((await events.next()).events).toMatchObject({
    __typename: 'ChannelUnavailable',
    reason: 'UNSUBSCRIBED',
  });
  expect((await events.next()).events).toMatchObject({ message: { event: 'sentinel' } });
});
