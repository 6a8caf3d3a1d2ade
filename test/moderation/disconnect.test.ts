import { expect, test } from 'vitest';
import { createChannel, isOnline, mint, roundTrip, sendDirect } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { tryModerate, EVENTS, moderate, openInbox, outcomeOf } from '../support/moderation.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { sseClient } from '../support/sse.ts';

const GOODBYE = { __typename: 'Disconnecting', reason: 'DISCONNECTED', note: 'closing time' };

/** Two connections of one token, one of another token of the same identity, one of somebody else. */
async function gather(signalbox: TestService) {
  const phone = await mint(signalbox, { identity: 'ada' });
  const laptop = await mint(signalbox, { identity: 'ada' });
  const ben = await mint(signalbox, { identity: 'ben' });
  const all = [phone, phone, laptop, ben];
  const inboxes = await Promise.all(all.map(({ credential }) => openInbox(signalbox, credential)));
  return { phone, laptop, ben, inboxes };
}

test.each([
  { by: 'connection', ended: [1] },
  { by: 'token', ended: [0, 1] },
  { by: 'identity', ended: [0, 1, 2] },
])(
  'disconnect by $by ends exactly those connections, tells each why, and returns how many',
  async ({ by, ended }) => {
    await using signalbox = await startService();
    const { phone, inboxes, ...others } = await gather(signalbox);
    const target =
      by === 'connection'
        ? { connection: inboxes[1]!.connection }
        : by === 'token'
          ? { token: phone.id }
          : { identity: 'ada' };
    expect(await moderate(signalbox, 'disconnect', { ...target, reason: GOODBYE.note })).toBe(ended.length);
    for (const [index, { next, events }] of inboxes.entries()) {
      if (!ended.includes(index)) continue;
      expect(await next()).toEqual(GOODBYE);
      expect(await events.ended).toMatchObject({ code: 1008, reason: 'DISCONNECTED' });
      expect(events.waiting).toEqual([]);
    }
    for (const { id } of [phone, ...Object.values(others)]) await sendDirect(signalbox, id, 'sentinel');
    for (const [index, { next }] of inboxes.entries())
      if (!ended.includes(index)) expect(await next()).toMatchObject({ message: { event: 'sentinel' } });
  },
);

test('on the wire the goodbye comes before the close, and nothing between', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  using socket = await connectSocket(signalbox, { token: credential });
  socket.send({ id: '1', type: 'subscribe', payload: { query: EVENTS } });
  await socket.next();
  await moderate(signalbox, 'disconnect', { token: id });
  expect(await socket.closed).toEqual({ code: 1008, reason: 'DISCONNECTED' });
  expect(socket.waiting).toMatchObject([
    { id: '1', type: 'next', payload: { data: { events: { ...GOODBYE, note: null } } } },
  ]);
});

test('a plain graphql-ws client does not come back by itself, and may with the same credential', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  let opened = 0;
  const client = signalbox.client(
    { token: credential },
    { retryAttempts: 10, retryWait: () => Promise.resolve(), on: { opened: () => opened++ } },
  );
  const events = queueResults(client, EVENTS);
  await events.next();
  await moderate(signalbox, 'disconnect', { token: id });
  expect(await events.ended).toMatchObject({ code: 1008 });
  expect(await isOnline(signalbox, id)).toBe(false);

  const again = queueResults(client, EVENTS);
  await again.next();
  await sendDirect(signalbox, id, 'welcome');
  expect(await again.next()).toMatchObject({ events: { message: { event: 'welcome' } } });
  expect(opened).toBe(2);
});

test('an SSE stream says goodbye and ends with FORBIDDEN', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  const events = queueResults(sseClient(signalbox, credential), EVENTS);
  await events.next();
  expect(await moderate(signalbox, 'disconnect', { token: id, reason: GOODBYE.note })).toBe(1);
  expect(await events.next()).toEqual({ events: GOODBYE });
  expect(await events.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN', retryable: false } }]);
  expect(await isOnline(signalbox, id)).toBe(false);
});

test('whoever is disconnected is seen to leave, as DISCONNECTED', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall');
  const ada = await mint(signalbox, { channels: ['hall'] });
  const backend = signalbox.client();
  const seen = queueResults(
    backend,
    `subscription { presence(channel: "hall") { change leaveReason member { id } } }`,
  );
  await roundTrip(backend);
  const { connection } = await openInbox(signalbox, ada.credential);
  const member = { id: connection };
  expect((await seen.next()).presence).toEqual({ change: 'JOINED', leaveReason: null, member });
  await moderate(signalbox, 'disconnect', { connection });
  expect((await seen.next()).presence).toEqual({ change: 'LEFT', leaveReason: 'DISCONNECTED', member });
});

test('with a channel, only those who are in it are disconnected', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  const ada = await mint(signalbox, { identity: 'ada' });
  const [inside, outside] = [
    await openInbox(signalbox, ada.credential),
    await openInbox(signalbox, ada.credential),
  ];
  queueResults(inside.client, `subscription { messages(channel: "hall") { event } }`);
  await roundTrip(inside.client);
  const { connection } = outside;
  expect(await outcomeOf(tryModerate(signalbox, 'disconnect', { connection, channel: 'hall' }))).toBe(
    'NOT_FOUND',
  );
  expect(await moderate(signalbox, 'disconnect', { identity: 'ada', channel: 'hall' })).toBe(1);
  expect(await inside.events.ended).toMatchObject({ code: 1008 });
  expect(await moderate(signalbox, 'disconnect', { token: ada.id, channel: 'hall' })).toBe(0);
  expect(await sendDirect(signalbox, ada.id, 'sentinel')).toBe(1);
  expect(await outside.next()).toMatchObject({ message: { event: 'sentinel' } });
});

test('who is not there cannot be disconnected', async () => {
  await using signalbox = await startService();
  const { id: token, credential } = await mint(signalbox, { identity: 'ada' });
  const { connection, client } = await openInbox(signalbox, credential);
  await moderate(signalbox, 'disconnect', { connection });
  const { createProject } = await signalbox.request(`mutation { createProject { secret } }`);
  const wrong = [
    [{ connection }, 'NOT_FOUND'],
    [{ connection: 'conn_none' }, 'NOT_FOUND'],
    [{ token: 'token_none' }, 'NOT_FOUND'],
    [{ token, channel: 'nowhere' }, 'NOT_FOUND'],
    [{}, 'BAD_USER_INPUT'],
    [{ connection, token }, 'BAD_USER_INPUT'],
    [{ token, identity: 'ada' }, 'BAD_USER_INPUT'],
    [{ identity: 'ada lovelace' }, 'BAD_USER_INPUT'],
    [{ token, reason: 'x'.repeat(1001) }, 'BAD_USER_INPUT'],
  ] as const;
  for (const [given, code] of wrong)
    expect([given, await outcomeOf(tryModerate(signalbox, 'disconnect', given))]).toEqual([given, code]);
  expect(await moderate(signalbox, 'disconnect', { token })).toBe(0);
  expect(await moderate(signalbox, 'disconnect', { identity: 'nobody' })).toBe(0);

  const back = queueResults(client, EVENTS);
  const { events } = await back.next();
  const elsewhere = { connection: events.connection.id };
  const { secret } = createProject;
  expect(await outcomeOf(tryModerate(signalbox, 'disconnect', elsewhere, secret))).toBe('NOT_FOUND');
  expect(await moderate(signalbox, 'disconnect', { identity: 'ada' }, secret)).toBe(0);
  expect(await isOnline(signalbox, token)).toBe(true);
});
