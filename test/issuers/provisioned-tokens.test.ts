import { expect, test } from 'vitest';
import { createChannel, isOnline, publish, subscribeToken, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import {
  createIssuer,
  EVENTS,
  sign,
  signingKeyOf,
  STREAM,
  stream,
  tokenOf,
} from '../support/external-credentials.ts';
import { API_KEY, startService, type ServiceClient } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const KEY = signingKeyOf(API_KEY);

/** The number of tokens in the project. */
const countOf = async ({ request }: ServiceClient) =>
  (await request(`{ tokens(first: 100) { nodes { id } } }`)).tokens.nodes.length;

/** The ids of the channels that a token is subscribed to, sorted. */
async function channelsOf({ request }: ServiceClient, credential: string): Promise<string[]> {
  const { viewer } = await request(`{ viewer { channels { nodes { id } } } }`, {}, credential);
  return viewer.channels.nodes.map(({ id }: { id: string }) => id).toSorted();
}

test('a user finds the same token record, memberships and missed messages on every connect and after restarts', async () => {
  using folder = createFolder();
  const credential = stream.createToken('ada');
  const ids = new Set<string>();
  let since: string | undefined;
  for (let start = 0; start < 3; start++) {
    await using signalbox = await startService({ data: folder.path });
    if (start === 0) await createIssuer(signalbox, STREAM);
    const { id } = await tokenOf(signalbox, credential);
    if (start === 0) {
      await createChannel(signalbox, 'team');
      await subscribeToken(signalbox, 'team', id);
    }
    for (let visit = 0; visit < 2; visit++) {
      const client = signalbox.client({ token: credential });
      const events = queueResults(client, EVENTS, since === undefined ? {} : { since });
      const connected = (await events.next()).events;
      ids.add(connected.token.id);
      expect(connected.channels).toEqual([{ id: 'team' }]);
      if (since !== undefined) expect((await events.next()).events.message.event).toBe('while-away');
      await publish(signalbox, 'team', 'hello');
      since = (await events.next()).events.message.cursor;
      await client.dispose();
      await events.ended;
      await sendDirect(signalbox, id, 'while-away');
    }
    expect(await countOf(signalbox)).toBe(1);
  }
  expect(ids.size).toBe(1);
});

test('creates one record for twenty connections that use a credential for the first time at once', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'team');
  const one = await sign(KEY, { sub: 'ada', channels: ['team'] });
  const many = await Promise.all(
    Array.from({ length: 20 }, (_, n) => sign(KEY, { sub: 'ben', data: `phone ${n}` })),
  );
  const sockets = await Promise.all(
    [...many, ...many.map(() => one)].map((token) => connectSocket(signalbox, { token })),
  );
  expect(await countOf(signalbox)).toBe(2);
  for (const credential of [one, many[0]!]) {
    const { id } = await tokenOf(signalbox, credential);
    expect(await sendDirect(signalbox, id, 'hello')).toBe(0);
    const { token } = await signalbox.request(
      `query ($id: ID!) { token(id: $id) { isOnline connections { id } } }`,
      { id },
    );
    expect([token.isOnline, token.connections.length]).toEqual([true, 20]);
  }
  expect(await channelsOf(signalbox, one)).toEqual(['team']);
  for (const socket of sockets) socket[Symbol.dispose]();
});

test('a newer credential subscribes the live connections to the channels that it names, and skips unknown channels', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  for (const id of ['one', 'two']) await createChannel(signalbox, id);
  const seconds = clock.now() / 1000;
  const first = await sign(KEY, { sub: 'ada', iat: seconds - 10, channels: ['one', 'nowhere'] });
  const events = queueResults(signalbox.client({ token: first }), EVENTS);
  expect((await events.next()).events.channels).toEqual([{ id: 'one' }]);
  const second = await sign(KEY, { sub: 'ada', iat: seconds, channels: ['nowhere', 'two'] });
  expect(await channelsOf(signalbox, second)).toEqual(['one', 'two']);
  expect((await events.next()).events).toEqual({ __typename: 'ChannelAvailable', channel: { id: 'two' } });
});

test('a credential that is not newer does not restore a membership that the backend removed', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  for (const id of ['one', 'two']) await createChannel(signalbox, id);
  const seconds = clock.now() / 1000;
  const claims = { sub: 'ada', channels: ['one', 'two'] };
  const current = await sign(KEY, { ...claims, iat: seconds });
  const { id } = await tokenOf(signalbox, current);
  await signalbox.request(
    `mutation ($t: ID!) { unsubscribeToken(channel: "one", token: $t) { createdAt } }`,
    { t: id },
  );
  const others = [
    current,
    await sign(KEY, { ...claims, iat: seconds, data: 'same iat, other data' }),
    await sign(KEY, { ...claims, iat: seconds - 60 }),
    await sign(KEY, claims),
  ];
  for (const credential of others) expect(await channelsOf(signalbox, credential)).toEqual(['two']);
  await clock.advance(1000);
  expect(await channelsOf(signalbox, await sign(KEY, { ...claims, iat: seconds + 1 }))).toEqual([
    'one',
    'two',
  ]);
  expect(await isOnline(signalbox, id)).toBe(false);
});
