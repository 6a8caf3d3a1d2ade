import { expect, test } from 'vitest';
import { createChannel, mint, roundTrip, sendDirect, type MintedToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createLog } from '../support/log.ts';
import { moderate, openInbox, outcomeOf } from '../support/moderation.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';

const SIGNAL = `mutation ($connection: ID, $token: ID, $channel: ID, $event: String!, $data: JSON, $idempotencyKey: String) {
  publishDirectMessage(connection: $connection, token: $token, channel: $channel, event: $event, data: $data, idempotencyKey: $idempotencyKey) {
    connections repeated message { id cursor previous channel event data }
  }
}`;
const FIELDS = '{ event data cursor channel sender { kind token identity } }';

interface SignalArgs {
  connection?: string;
  token?: string;
  channel?: string;
  event?: string;
  data?: unknown;
  idempotencyKey?: string;
}

const signal = ({ ask }: ServiceClient, { event = 'wave', ...args }: SignalArgs, bearer?: string | null) =>
  ask(SIGNAL, { event, ...args }, bearer);

async function letPublishersSignal({ request }: ServiceClient): Promise<void> {
  await request(`mutation { updateProject(settings: { publishersSignal: true }) { id } }`);
}

/** Opens the inbox of Eve, a member of the channel hall. */
async function openInboxOfEve(signalbox: TestService) {
  await createChannel(signalbox, 'hall');
  const eve = await mint(signalbox, { identity: 'eve', channels: ['hall'] });
  return { eve, inbox: await openInbox(signalbox, eve.credential) };
}

test('a signal is delivered to each stream of its connection only, with its sender', async () => {
  await using signalbox = await startService();
  await letPublishersSignal(signalbox);
  const { eve, inbox } = await openInboxOfEve(signalbox);
  const direct = queueResults(inbox.client, `subscription { directMessages ${FIELDS} }`);
  await roundTrip(inbox.client);
  const other = await openInbox(signalbox, eve.credential);
  const ada = await mint(signalbox, { identity: 'ada', channels: ['hall'] });
  const { connection } = inbox;

  const { data } = await signal(signalbox, { connection, data: { n: 1 } });
  expect(data.publishDirectMessage).toEqual({
    connections: 1,
    repeated: false,
    message: {
      id: expect.stringMatching(/^msg_/),
      cursor: null,
      previous: null,
      channel: null,
      event: 'wave',
      data: { n: 1 },
    },
  });
  await signal(signalbox, { connection, channel: 'hall', event: 'nod' }, ada.credential);
  await sendDirect(signalbox, eve.id, 'sentinel');
  const arrived = [
    { event: 'wave', data: { n: 1 }, sender: { kind: 'API_KEY', token: null, identity: null } },
    { event: 'nod', data: null, sender: { kind: 'TOKEN', token: ada.id, identity: 'ada' } },
  ].map((message) => ({ cursor: null, channel: null, ...message }));
  for (const message of arrived) {
    expect(await inbox.next()).toEqual({ __typename: 'DirectMessage', message });
    expect(await direct.next()).toEqual({ directMessages: message });
  }
  for (const { next } of [inbox, other])
    expect(await next()).toMatchObject({ message: { event: 'sentinel' } });
});

test('a signal is neither stored in the log nor replayed', async () => {
  await using signalbox = await startService();
  const { eve, inbox } = await openInboxOfEve(signalbox);
  const { connection, connected } = inbox;
  await signal(signalbox, { connection });
  await sendDirect(signalbox, eve.id, 'sentinel');
  const again = await openInbox(signalbox, eve.credential, connected.cursor);
  expect(await again.next()).toMatchObject({ message: { event: 'sentinel' } });
  const query = `{ viewer { directMessages { nodes { event } } } }`;
  const { viewer } = await signalbox.request(query, {}, eve.credential);
  expect(viewer.directMessages.nodes).toEqual([{ event: 'sentinel' }]);
  // Repeats of a signal cannot be detected, so an idempotency key is rejected.
  expect(await outcomeOf(signal(signalbox, { connection, idempotencyKey: 'once' }))).toBe('BAD_USER_INPUT');
});

const text = (bytes: number) => 'x'.repeat(bytes);
test.each([
  { type: 'a string', passes: text(8192), fails: text(8193) },
  { type: 'a string of umlauts', passes: 'ü'.repeat(4096), fails: 'ü'.repeat(4097) },
  { type: 'a string with JSON escapes', passes: '"\n'.repeat(4096), fails: '"\n'.repeat(4096) + '"' },
  // {"t":"…"} adds eight bytes.
  { type: 'an object', passes: { t: text(8184) }, fails: { t: text(8185) } },
  { type: 'a list', passes: [text(8188)], fails: [text(8189)] },
])('$type of 8 KiB can be signalled, and one more byte is PAYLOAD_TOO_LARGE', async ({ passes, fails }) => {
  await using signalbox = await startService();
  const { inbox } = await openInboxOfEve(signalbox);
  const { connection, next } = inbox;
  const { errors } = await signal(signalbox, { connection, data: fails });
  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    field: 'data',
    retryable: false,
  });
  expect((await signal(signalbox, { connection, data: passes })).errors).toBeUndefined();
  expect(await next()).toMatchObject({ message: { data: passes } });
});

test('signals are limited to event names of 128 bytes and data of maxSignalBytes', async () => {
  await using signalbox = await startService({ maxSignalBytes: 300 });
  const { inbox } = await openInboxOfEve(signalbox);
  const { connection } = inbox;
  const named = (event: string) => outcomeOf(signal(signalbox, { connection, event }));
  expect([await named(text(128)), await named(text(129)), await named('ü')]).toEqual([
    'done',
    'BAD_USER_INPUT',
    'BAD_USER_INPUT',
  ]);
  expect(await outcomeOf(signal(signalbox, { connection, data: text(300) }))).toBe('done');
  const { errors } = await signal(signalbox, { connection, data: [text(297)] });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', limit: 300 });
});

test('a token may signal a connection when publishersSignal is on, it may PUBLISH to the channel and the connection is in it', async () => {
  await using signalbox = await startService();
  const { eve, inbox } = await openInboxOfEve(signalbox);
  for (const id of ['room', 'attic']) await createChannel(signalbox, id);
  const { connection } = inbox;
  const inHall = { connection, channel: 'hall' };
  const ada = await mint(signalbox, { identity: 'ada', channels: ['hall', 'room'] });
  const signalAs = async (token: MintedToken | undefined, args: SignalArgs) =>
    outcomeOf(signal(signalbox, args, token ? token.credential : null));
  expect(await signalAs(ada, inHall)).toBe('FORBIDDEN');
  await letPublishersSignal(signalbox);
  expect(await signalAs(ada, inHall)).toBe('done');
  expect(await signalAs(ada, { connection })).toBe('BAD_USER_INPUT');
  expect(await signalAs(ada, { ...inHall, token: eve.id })).toBe('BAD_USER_INPUT');
  // Tokens may signal connections only, and Eve is in the hall, not in the room.
  expect(await signalAs(ada, { token: eve.id, channel: 'hall' })).toBe('FORBIDDEN');
  expect(await signalAs(ada, { connection, channel: 'room' })).toBe('NOT_FOUND');
  expect(await signalAs(ada, { connection, channel: 'attic' })).toBe('FORBIDDEN');
  expect(await signalAs(ada, { connection, channel: 'nowhere' })).toBe('FORBIDDEN');
  expect(await signalAs(ada, { connection: 'conn_none', channel: 'hall' })).toBe('NOT_FOUND');

  const ben = await mint(signalbox, { identity: 'ben', channels: ['hall'] });
  const PUBLISH_TO_ROOM = [{ channels: 'room', actions: ['PUBLISH'] }];
  const refused = {
    anonymous: undefined,
    outsider: await mint(signalbox),
    subscriber: await mint(signalbox, { role: 'SUBSCRIBER', channels: ['hall'] }),
    guest: await mint(signalbox, { role: 'GUEST' }),
    narrowed: await mint(signalbox, {
      channels: ['hall'],
      grants: [...PUBLISH_TO_ROOM, { channels: 'hall', actions: ['SUBSCRIBE'] }],
    }),
    muted: ada,
    banned: ben,
  };
  await moderate(signalbox, 'mute', { identity: 'ada', channel: 'hall' });
  await moderate(signalbox, 'ban', { token: ben.id, channel: 'hall' });
  for (const [who, token] of Object.entries(refused))
    expect([who, await signalAs(token, inHall)]).toEqual([who, token ? 'FORBIDDEN' : 'UNAUTHENTICATED']);

  expect(await inbox.next()).toMatchObject({ message: { event: 'wave', sender: { identity: 'ada' } } });
  await sendDirect(signalbox, eve.id, 'sentinel');
  expect(await inbox.next()).toMatchObject({ message: { event: 'sentinel' } });
});

test('a token cannot signal a connection that was banned from the channel or unsubscribed', async () => {
  await using signalbox = await startService();
  await letPublishersSignal(signalbox);
  const { eve, inbox } = await openInboxOfEve(signalbox);
  const { connection, next } = inbox;
  const ada = await mint(signalbox, { channels: ['hall'] });
  const attempt = () => outcomeOf(signal(signalbox, { connection, channel: 'hall' }, ada.credential));
  await moderate(signalbox, 'ban', { token: eve.id, channel: 'hall' });
  expect(await attempt()).toBe('NOT_FOUND');
  await moderate(signalbox, 'unban', { token: eve.id, channel: 'hall' });
  expect(await attempt()).toBe('done');
  await signalbox.request(
    `mutation ($t: ID!) { unsubscribeToken(channel: "hall", token: $t) { createdAt } }`,
    { t: eve.id },
  );
  expect(await attempt()).toBe('NOT_FOUND');
  const types = [
    'Restricted',
    'ChannelUnavailable',
    'RestrictionLifted',
    'ChannelAvailable',
    'DirectMessage',
  ];
  for (const __typename of types) expect(await next()).toMatchObject({ __typename });
  expect(await next()).toMatchObject({ __typename: 'ChannelUnavailable' });
});

test('signalling a connection of another project fails with NOT_FOUND', async () => {
  await using signalbox = await startService();
  const { eve, inbox } = await openInboxOfEve(signalbox);
  const { createProject } = await signalbox.request(`mutation { createProject { secret } }`);
  const { secret } = createProject;
  const other: ServiceClient = {
    ...signalbox,
    request: (query, variables, bearer = secret) => signalbox.request(query, variables, bearer),
  };
  await letPublishersSignal(other);
  await createChannel(other, 'hall');
  const stranger = await mint(other, { channels: ['hall'] });
  const { connection } = inbox;
  expect(await outcomeOf(signal(signalbox, { connection }, secret))).toBe('NOT_FOUND');
  const there = signal(signalbox, { connection, channel: 'hall' }, stranger.credential);
  expect(await outcomeOf(there)).toBe('NOT_FOUND');
  await sendDirect(signalbox, eve.id, 'sentinel');
  expect(await inbox.next()).toMatchObject({ message: { event: 'sentinel' } });
});

test('a signal counts against the publish rate limit, and its payload is not written to the process log', async () => {
  const log = createLog();
  const clock = createManualClock();
  await using signalbox = await startService(
    { publishesPerSecondPerToken: 1 },
    { clock, logger: log.logger },
  );
  await letPublishersSignal(signalbox);
  const { inbox } = await openInboxOfEve(signalbox);
  const ada = await mint(signalbox, { channels: ['hall'] });
  const args = { connection: inbox.connection, channel: 'hall', data: 'between-us-only' };
  const send = () => outcomeOf(signal(signalbox, args, ada.credential));
  expect([await send(), await send(), await send()]).toEqual(['done', 'done', 'RATE_LIMITED']);
  await clock.advance(1000);
  expect(await send()).toBe('done');
  expect(log.lines.join()).not.toContain('between-us-only');
});
