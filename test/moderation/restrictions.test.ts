import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createFolder } from '../support/folder.ts';
import {
  tryModerate,
  moderate,
  openInbox,
  outcomeOf,
  outcomeOn,
  publishMutation,
  type ModerationArguments,
} from '../support/moderation.ts';
import { numbers } from '../support/publish.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';

/** Describes each restriction on a page by kind, subject and channel. */
async function list(
  service: ServiceClient,
  args: ModerationArguments = {},
  bearer?: string,
): Promise<string[]> {
  const { nodes } = await moderate(service, 'restrictions', args, bearer);
  return nodes.map(
    ({ kind, token, identity, channel }: Record<string, string | null>) =>
      `${kind} ${token ? 'token' : identity} ${channel ?? '*'}`,
  );
}

/** Creates mutes and bans of one token and two identities, with a pause after each. */
async function createRestrictions(signalbox: TestService, pause: () => Promise<void>) {
  for (const id of ['hall', 'room']) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const { id: token } = await mint(signalbox, { identity: 'ada' });
  const restrictions: ['mute' | 'ban', ModerationArguments][] = [
    ['mute', { token, channel: 'hall' }],
    ['ban', { identity: 'ada', channel: 'hall' }],
    ['mute', { identity: 'ada' }],
    ['ban', { token, channel: 'room' }],
    ['mute', { identity: 'eve', channel: 'room' }],
  ];
  for (const [act, args] of restrictions) {
    await moderate(signalbox, act, args);
    await pause();
  }
  return token;
}

const ALL = ['MUTE token hall', 'BAN ada hall', 'MUTE ada *', 'BAN token room', 'MUTE eve room'];

test('lists restrictions oldest first, filtered by token, identity, channel, or both', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const token = await createRestrictions(signalbox, () => clock.advance(1));
  expect(await list(signalbox)).toEqual(ALL);
  expect(await list(signalbox, { token })).toEqual(['MUTE token hall', 'BAN token room']);
  expect(await list(signalbox, { identity: 'ada' })).toEqual(['BAN ada hall', 'MUTE ada *']);
  expect(await list(signalbox, { channel: 'room' })).toEqual(['BAN token room', 'MUTE eve room']);
  expect(await list(signalbox, { identity: 'ada', channel: 'hall' })).toEqual(['BAN ada hall']);
  expect(await list(signalbox, { identity: 'nobody' })).toEqual([]);
  const moderator = await mint(signalbox, { role: 'MODERATOR' });
  const hall = ['MUTE token hall', 'BAN ada hall'];
  expect(await list(signalbox, { channel: 'hall' }, moderator.credential)).toEqual(hall);
  expect(await outcomeOf(tryModerate(signalbox, 'restrictions', { token, identity: 'ada' }))).toBe(
    'BAD_USER_INPUT',
  );
  expect(await outcomeOf(tryModerate(signalbox, 'restrictions', { token: 'token_none' }))).toBe('NOT_FOUND');
});

test('lists every restriction once in pages', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createRestrictions(signalbox, () => clock.advance(1));
  const found: string[][] = [];
  for (let after: string | null = null, hasMore = true; hasMore;) {
    const page = await moderate(signalbox, 'restrictions', { first: 2, after });
    found.push(await list(signalbox, { first: 2, after }));
    after = page.pageInfo.endCursor;
    hasMore = page.pageInfo.hasNextPage;
  }
  expect(found).toEqual([ALL.slice(0, 2), ALL.slice(2, 4), ALL.slice(4)]);
  expect(await outcomeOf(tryModerate(signalbox, 'restrictions', { first: 101 }))).toBe('BAD_USER_INPUT');
});

test('does not list restrictions that have ended or were lifted', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'hall');
  const until = '2030-01-01T00:00:01.000Z';
  await moderate(signalbox, 'mute', { identity: 'ada', until });
  await moderate(signalbox, 'ban', { identity: 'ada', channel: 'hall', until });
  await moderate(signalbox, 'mute', { identity: 'eve' });
  await clock.advance(999);
  expect((await list(signalbox)).sort()).toEqual(['BAN ada hall', 'MUTE ada *', 'MUTE eve *']);
  await clock.advance(1);
  expect(await list(signalbox)).toEqual(['MUTE eve *']);
  await moderate(signalbox, 'unmute', { identity: 'eve' });
  expect(await list(signalbox)).toEqual([]);
});

test('throws LIMIT_EXCEEDED above 100 restrictions in force per token or identity; a replacement does not count', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  for (const n of numbers(101)) await createChannel(signalbox, `room:${n}`);
  const until = '2030-01-01T00:01:00.000Z';
  const ban = (n: number, more: ModerationArguments = {}) =>
    signalbox.ask(
      `mutation ($identity: String, $channel: ID!, $until: DateTime) {
        ban(identity: $identity, channel: $channel, until: $until) { id }
      }`,
      { identity: 'eve', channel: `room:${n}`, ...more },
    );
  for (const n of numbers(100)) expect(await outcomeOf(await ban(n, n === 0 ? { until } : {}))).toBe('done');
  const exceeding = await ban(100);
  expect(exceeding.errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 100 });
  const mute = tryModerate(signalbox, 'mute', { identity: 'eve', channel: 'room:1' });
  expect(await outcomeOf(mute)).toBe('LIMIT_EXCEEDED');
  expect(await outcomeOf(await ban(99, { until }))).toBe('done');
  expect(await outcomeOf(await ban(100, { identity: 'ada' }))).toBe('done');

  await clock.advance(60_000);
  expect([await outcomeOf(await ban(100)), await outcomeOf(await ban(0))]).toEqual(['done', 'done']);
  expect(await outcomeOf(await ban(99))).toBe('LIMIT_EXCEEDED');
  await moderate(signalbox, 'unban', { identity: 'eve', channel: 'room:5' });
  expect(await outcomeOf(await ban(99))).toBe('done');
});

test('mutes and bans survive a restart, with their until', async () => {
  using folder = createFolder();
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  const start = () => startService({ data: folder.path }, { clock });
  const credential = await restrictAda();
  await using signalbox = await start();
  const { client, connected } = await openInbox(signalbox, credential);
  expect(connected.channels).toEqual([{ id: 'room' }]);
  expect(await outcomeOn(client, publishMutation('room'))).toBe('FORBIDDEN');
  await clock.advance(60_000);
  expect(await outcomeOn(client, publishMutation('room'))).toBe('done');
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('FORBIDDEN');

  async function restrictAda(): Promise<string> {
    await using signalbox = await start();
    for (const id of ['hall', 'room']) await createChannel(signalbox, id);
    const ada = await mint(signalbox, { identity: 'ada', channels: ['hall', 'room'] });
    await moderate(signalbox, 'mute', { token: ada.id, until: '2030-01-01T00:01:00.000Z' });
    await moderate(signalbox, 'ban', { identity: 'ada', channel: 'hall' });
    return ada.credential;
  }
});

test('a restriction of an identity does not affect the same identity in another project', async () => {
  await using signalbox = await startService();
  const { createProject } = await signalbox.request(`mutation { createProject { secret } }`);
  const { secret } = createProject;
  const other: ServiceClient = {
    ...signalbox,
    request: (query, variables) => signalbox.request(query, variables, secret),
  };
  for (const service of [signalbox, other]) await createChannel(service, 'hall');
  const namesake = await mint(other, { identity: 'ada', channels: ['hall'] });
  const { client, next } = await openInbox(signalbox, namesake.credential);
  await moderate(signalbox, 'mute', { identity: 'ada' });
  await moderate(signalbox, 'ban', { identity: 'ada', channel: 'hall' });
  expect(await list(other)).toEqual([]);
  expect(await moderate(other, 'unmute', { identity: 'ada' })).toBeNull();
  for (const act of ['mute', 'unmute', 'disconnect', 'restrictions'] as const)
    expect(await outcomeOf(tryModerate(signalbox, act, { token: namesake.id }))).toBe('NOT_FOUND');
  expect(await outcomeOn(client, publishMutation('hall', 'first'))).toBe('done');
  expect(await outcomeOf(signalbox.ask(publishMutation('hall', 'second'), {}, namesake.credential))).toBe(
    'done',
  );
  for (const event of ['first', 'second']) expect(await next()).toMatchObject({ message: { event } });
});

test('deleting a channel removes its mutes and bans, also from live connections', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  const eve = await mint(signalbox, { identity: 'eve', channels: ['hall'] });
  const { client, next } = await openInbox(signalbox, eve.credential);
  await moderate(signalbox, 'ban', { identity: 'eve', channel: 'hall' });
  await moderate(signalbox, 'mute', { identity: 'eve' });
  await signalbox.request(`mutation { deleteChannel(id: "hall") { id } }`);
  expect(await list(signalbox)).toEqual(['MUTE eve *']);
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('FORBIDDEN');
  await moderate(signalbox, 'unmute', { identity: 'eve' });
  expect(await outcomeOn(client, publishMutation('hall'))).toBe('done');
  for (const __typename of ['Restricted', 'ChannelUnavailable', 'Restricted', 'RestrictionLifted'])
    expect(await next()).toMatchObject({ __typename });
});
