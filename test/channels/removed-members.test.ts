import { expect, test } from 'vitest';
import { createChannel, subscribeToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import { sign, signingKeyOf, tokenOf } from '../support/external-credentials.ts';
import { API_KEY, startService, type ServiceClient } from '../support/service.ts';

const KEY = signingKeyOf(API_KEY);
const CHANNELS = `{ viewer { channels { nodes { id } } } }`;
const SUBSCRIBED = `subscription { events {
  __typename
  ... on Connected { channels { id } }
  ... on ChannelAvailable { channel { id } }
} }`;
const MESSAGES = `subscription ($c: ID!) { messages(channel: $c) { event } }`;

const channelsOf = async ({ request }: ServiceClient, credential: string): Promise<string[]> =>
  (await request(CHANNELS, {}, credential)).viewer.channels.nodes.map(({ id }: { id: string }) => id);

async function unsubscribeToken({ request }: ServiceClient, channel: string, token: string, bearer?: string) {
  await request(
    `mutation ($c: ID!, $t: ID!) { unsubscribeToken(channel: $c, token: $t) { createdAt } }`,
    { c: channel, t: token },
    bearer,
  );
}

/** A service with two PRIVATE channels and the user Ada, whose first credential names no channel. */
async function startWithAda(config = {}) {
  const clock = createManualClock();
  const signalbox = await startService(config, { clock });
  for (const id of ['board', 'lobby']) await createChannel(signalbox, id);
  const credential = (channels: string[], iat = clock.now() / 1000) =>
    sign(KEY, { sub: 'ada', iat, channels });
  const first = await credential([]);
  const { id } = await tokenOf(signalbox, first);
  return { clock, signalbox, credential, first, id };
}

test('a credential that was issued before unsubscribeToken does not subscribe the token again', async () => {
  const { clock, signalbox, credential, id } = await startWithAda();
  await using _ = signalbox;
  await clock.advance(10_000);
  await subscribeToken(signalbox, 'board', id);
  const unshown = await credential(['board', 'lobby']);
  await clock.advance(20_000);
  await unsubscribeToken(signalbox, 'board', id);
  await clock.advance(60_000);
  expect(await channelsOf(signalbox, unshown)).toEqual(['lobby']);
  const { ask, client } = signalbox;
  const publish = `mutation { publishMessage(channel: "board", event: "e") { connections } }`;
  expect((await ask(publish, {}, unshown)).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  const messages = queueResults(client({ token: unshown }), MESSAGES, { c: 'board' });
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('reauthenticate with a credential of before unsubscribeToken does not subscribe the token again', async () => {
  const { clock, signalbox, credential, first, id } = await startWithAda();
  await using _ = signalbox;
  await clock.advance(1000);
  const unshown = await credential(['board', 'lobby']);
  await unsubscribeToken(signalbox, 'board', id);
  await clock.advance(60_000);
  const client = signalbox.client({ token: first });
  const events = queueResults(client, SUBSCRIBED);
  await events.next();
  await queueResults(client, `mutation ($c: String!) { reauthenticate(credential: $c) { kind } }`, {
    c: unshown,
  }).next();
  expect((await events.until(({ events }) => events.__typename === 'ChannelAvailable')).events).toEqual({
    __typename: 'ChannelAvailable',
    channel: { id: 'lobby' },
  });
  expect(await channelsOf(signalbox, first)).toEqual(['lobby']);
});

test('a credential that is issued after unsubscribeToken, an API key and createToken subscribe the token', async () => {
  const { clock, signalbox, credential, id } = await startWithAda();
  await using _ = signalbox;
  await unsubscribeToken(signalbox, 'board', id);
  await unsubscribeToken(signalbox, 'lobby', id);
  await clock.advance(1);
  expect(await channelsOf(signalbox, await credential(['board']))).toEqual(['board']);
  await subscribeToken(signalbox, 'lobby', id);
  expect(await channelsOf(signalbox, await credential(['board']))).toEqual(['board', 'lobby']);
});

test('a removal stays in force after a restart, after the deletion of the channel, and when the oldest removals are merged', async () => {
  using folder = createFolder();
  const config = { data: folder.path, maxMembershipsPerToken: 20 };
  const { clock, signalbox, credential, id } = await startWithAda(config);
  await clock.advance(1000);
  const unshown = await credential(['board', 'lobby']);
  await unsubscribeToken(signalbox, 'board', id);
  for (let count = 0; count < 50; count++) {
    await createChannel(signalbox, `other-${count}`);
    await unsubscribeToken(signalbox, `other-${count}`, id);
  }
  await signalbox.request(`mutation { deleteChannel(id: "board") { id } }`);
  await createChannel(signalbox, 'board');
  await signalbox[Symbol.asyncDispose]();
  await clock.advance(60_000);
  await using restarted = await startService(config, { clock });
  expect(await channelsOf(restarted, unshown)).not.toContain('board');
  expect(await channelsOf(restarted, await credential(['board']))).toContain('board');
});

test.each([true, false])(
  'a credential from a clock that is ahead does not undo a removal (presented before it: %s)',
  async (isPresented) => {
    const { clock, signalbox, credential, id } = await startWithAda();
    await using _ = signalbox;
    await subscribeToken(signalbox, 'board', id);
    const ahead = await credential(['board', 'lobby'], clock.now() / 1000 + 4);
    if (isPresented) expect(await channelsOf(signalbox, ahead)).toEqual(['board', 'lobby']);
    await clock.advance(500);
    await unsubscribeToken(signalbox, 'board', id);
    for (const wait of [500, 1000, 10_000]) {
      expect(await channelsOf(signalbox, ahead)).toEqual(['lobby']);
      if (!isPresented && wait === 1000) return;
      await clock.advance(wait);
    }
    expect(await channelsOf(signalbox, await credential(['board']))).toEqual(['board', 'lobby']);
  },
);
