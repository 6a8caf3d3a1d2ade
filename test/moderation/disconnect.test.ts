import { expect, test } from 'vitest';
import { createChannel, isOnline, mint, roundTrip, sendDirect } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { tryModerate, EVENTS, moderate, openInbox, outcomeOf } from '../support/moderation.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { sseClient } from '../support/sse.ts';

const DISCONNECTING = { __typename: 'Disconnecting', reason: 'DISCONNECTED', note: 'closing time' };

/** Opens two connections of one token, one of another token of the same identity, and one of another identity. */
async function openConnections(signalbox: TestService) {
  const phone = await mint(signalbox, { identity: 'ada' });
  const laptop = await mint(signalbox, { identity: 'ada' });
  const ben = await mint(signalbox, { identity: 'ben' });
  const all = [phone, phone, laptop, ben];
  const inboxes = await Promise.all(all.map(({ credential }) => openInbox(signalbox, credential)));
  return { phone, laptop, ben, inboxes };
}

test.each([
  { by: 'connection', closed: [1] },
  { by: 'token', closed: [0, 1] },
  { by: 'identity', closed: [0, 1, 2] },
])(
  'disconnect by $by closes exactly those connections after Disconnecting, and returns their number',
  async ({ by, closed }) => {
    await using signalbox = await startService();
    const { phone, inboxes, ...others } = await openConnections(signalbox);
    const target =
      by === 'connection'
        ? { connection: inboxes[1]!.connection }
        : by === 'token'
          ? { token: phone.id }
          : { identity: 'ada' };
    expect(await moderate(signalbox, 'disconnect', { ...target, reason: DISCONNECTING.note })).toBe(
      closed.length,
    );
    for (const [index, { next, events }] of inboxes.entries()) {
      if (!closed.includes(index)) continue;
      expect(await next()).toEqual(DISCONNECTING);
      expect(await events.ended).toMatchObject({
        code: 1008,
        reason: 'The connection was closed by a moderator or a backend.',
      });
      expect(events.waiting).toEqual([]);
    }
    for (const { id } of [phone, ...Object.values(others)]) await sendDirect(signalbox, id, 'sentinel');
    for (const [index, { next }] of inboxes.entries())
      if (!closed.includes(index)) expect(await next()).toMatchObject({ message: { event: 'sentinel' } });
  },
);

test('Disconnecting is the last frame before the close frame', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  using socket = await connectSocket(signalbox, { token: credential });
  socket.send({ id: '1', type: 'subscribe', payload: { query: EVENTS } });
  await socket.next();
  await moderate(signalbox, 'disconnect', { token: id });
  expect(await socket.closed).toEqual({
    code: 1008,
    reason: 'The connection was closed by a moderator or a backend.',
  });
  expect(socket.waiting).toMatchObject([
    { id: '1', type: 'next', payload: { data: { events: { ...DISCONNECTING, note: null } } } },
  ]);
});

test('a graphql-ws client does not reconnect by itself, and may reconnect with the same credential', async () => {
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

test('an SSE stream yields Disconnecting and ends with FORBIDDEN', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox);
  const events = queueResults(sseClient(signalbox, credential), EVENTS);
  await events.next();
  expect(await moderate(signalbox, 'disconnect', { token: id, reason: DISCONNECTING.note })).toBe(1);
  expect(await events.next()).toEqual({ events: DISCONNECTING });
  expect(await events.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN', retryable: false } }]);
  expect(await isOnline(signalbox, id)).toBe(false);
});

test('disconnect announces LEFT with DISCONNECTED', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall');
  const ada = await mint(signalbox, { channels: ['hall'] });
  const backend = signalbox.client();
  const changes = queueResults(
    backend,
    `subscription { presence(channel: "hall") { change leaveReason member { id } } }`,
  );
  await roundTrip(backend);
  const { connection } = await openInbox(signalbox, ada.credential);
  const member = { id: connection };
  expect((await changes.next()).presence).toEqual({ change: 'JOINED', leaveReason: null, member });
  await moderate(signalbox, 'disconnect', { connection });
  expect((await changes.next()).presence).toEqual({ change: 'LEFT', leaveReason: 'DISCONNECTED', member });
});

test('disconnect with a channel closes only connections in that channel', async () => {
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

test('disconnect is refused for an invalid target, and closes nothing in other projects or without live connections', async () => {
  await using signalbox = await startService();
  const { id: token, credential } = await mint(signalbox, { identity: 'ada' });
  const { connection, client } = await openInbox(signalbox, credential);
  await moderate(signalbox, 'disconnect', { connection });
  const { createProject } = await signalbox.request(`mutation { createProject { secret } }`);
  const invalid = [
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
  for (const [args, code] of invalid)
    expect([args, await outcomeOf(tryModerate(signalbox, 'disconnect', args))]).toEqual([args, code]);
  expect(await moderate(signalbox, 'disconnect', { token })).toBe(0);
  expect(await moderate(signalbox, 'disconnect', { identity: 'nobody' })).toBe(0);

  const back = queueResults(client, EVENTS);
  const { events } = await back.next();
  const inOtherProject = { connection: events.connection.id };
  const { secret } = createProject;
  expect(await outcomeOf(tryModerate(signalbox, 'disconnect', inOtherProject, secret))).toBe('NOT_FOUND');
  expect(await moderate(signalbox, 'disconnect', { identity: 'ada' }, secret)).toBe(0);
  expect(await isOnline(signalbox, token)).toBe(true);
});

test('disconnect of an identity with hundreds of connections takes many turns of the event loop', async () => {
  await using signalbox = await startService();
  const tokens = await Promise.all(Array.from({ length: 6 }, () => mint(signalbox, { identity: 'ada' })));
  const opened = tokens.flatMap(({ credential }) =>
    Array.from({ length: 50 }, () => connectSocket(signalbox, { token: credential })),
  );
  const sockets = await Promise.all(opened);
  let turn = 0;
  let timer = setImmediate(function count() {
    turn++;
    timer = setImmediate(count);
  });
  const turns = new Set<number>();
  using _ = signalbox.service.domain.broker.listen({
    applySignal({ kind }) {
      if (kind === 'CONNECTION_DISCONNECTED') turns.add(turn);
      return 0;
    },
  });
  expect(await moderate(signalbox, 'disconnect', { identity: 'ada' })).toBe(300);
  clearImmediate(timer);
  expect(turns.size).toBeGreaterThanOrEqual(4);
  for (const { closed } of sockets) expect((await closed).code).toBe(1008);
});
