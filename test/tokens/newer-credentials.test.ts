import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createChannel, roundTrip, subscribeToken, unsubscribeToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { refusalCodeOf, sign, signingKeyOf, tokenOf } from '../support/external-credentials.ts';
import { createFolder } from '../support/folder.ts';
import { countWaiting } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { API_KEY, startService, startServiceOnPostgres, type ServiceClient } from '../support/service.ts';

const KEY = signingKeyOf(API_KEY);
const CHANNELS = `query ($t: ID!) { token(id: $t) { channels { nodes { id } } } }`;

const channelsOf = async ({ request }: ServiceClient, token: string): Promise<string[]> =>
  (await request(CHANNELS, { t: token })).token.channels.nodes.map(({ id }: { id: string }) => id);

/** A service with channels, and users whose first credentials name no channel. */
async function startWithChannels(channels: string[], config = {}) {
  const clock = createManualClock();
  const signalbox = await startService(config, { clock });
  for (const id of channels) await createChannel(signalbox, id);
  const credential = (sub: string, named: string[], claims = {}) =>
    sign(KEY, { sub, iat: clock.now() / 1000, channels: named, ...claims });
  return { clock, signalbox, credential };
}

test('a newer credential that names more channels than a token may have is refused until there is room for all of them', async () => {
  const { clock, signalbox, credential } = await startWithChannels(['a', 'b', 'c', 'd'], {
    maxMembershipsPerToken: 3,
  });
  await using _ = signalbox;
  const { id } = await tokenOf(signalbox, await credential('ada', []));
  await subscribeToken(signalbox, 'd', id);
  await clock.advance(1000);
  const newer = await credential('ada', ['a', 'b', 'c']);
  expect(await refusalCodeOf(signalbox, newer)).toBe('LIMIT_EXCEEDED');
  expect(await refusalCodeOf(signalbox, newer)).toBe('LIMIT_EXCEEDED');
  await unsubscribeToken(signalbox, 'd', id);
  expect(await refusalCodeOf(signalbox, newer)).toBe('open');
  expect(await channelsOf(signalbox, id)).toEqual(['a', 'b', 'c']);
});

test('a newer credential whose channels could not be stored subscribes the token to all of them when it is presented again', async () => {
  using folder = createFolder();
  const { clock, signalbox, credential } = await startWithChannels(['a', 'b', 'c'], { data: folder.path });
  await using _ = signalbox;
  const { id } = await tokenOf(signalbox, await credential('ada', []));
  await clock.advance(1000);
  const newer = await credential('ada', ['a', 'b', 'c']);
  const database = new Database(join(folder.path, 'signalbox.sqlite'));
  database.exec(`create trigger fails before insert on memberships when new.channel_id = 'b'
    begin select raise(abort, 'database or disk is full'); end`);
  expect(await refusalCodeOf(signalbox, newer)).not.toBe('open');
  // A membership that was ended meanwhile stays ended.
  expect(await channelsOf(signalbox, id)).toEqual(['a']);
  await unsubscribeToken(signalbox, 'a', id);
  database.exec('drop trigger fails');
  database.close();
  expect(await refusalCodeOf(signalbox, newer)).toBe('open');
  expect(await channelsOf(signalbox, id)).toEqual(['b', 'c']);
});

test('a credential from before unsubscribeToken does not subscribe the token again when it is presented together with a newer one', async (context) => {
  requirePostgres(context);
  const postgres = await sharedPostgres();
  const url = await postgres.createDatabase();
  await using signalbox = await startServiceOnPostgres(url);
  const rooms = Array.from({ length: 10 }, (_, number) => `room-${number}`);
  for (const id of [...rooms, 'board']) await createChannel(signalbox, id);
  const now = Math.floor(Date.now() / 1000);
  const credential = (channels: string[], age: number) => sign(KEY, { sub: 'ada', iat: now - age, channels });
  const { id } = await tokenOf(signalbox, await credential([], 60));
  await unsubscribeToken(signalbox, 'board', id);
  await postgres.query(url, `update membership_removals set removed_at = ${(now - 40) * 1000}`);
  const { authenticate } = signalbox.service.domain;
  const other = new pg.Client({ connectionString: url });
  await other.connect();
  await other.query(`begin; select from channels where id = 'room-0' for update`);
  const presented = [authenticate.credential(await credential([...rooms, 'board'], 50))];
  await expect.poll(() => countWaiting(url)).toBe(1);
  presented.push(authenticate.credential(await credential([], 30)));
  await roundTrip(signalbox.client());
  await other.query('commit');
  await other.end();
  await Promise.all(presented);
  expect(await channelsOf(signalbox, id)).toEqual(rooms);
});
