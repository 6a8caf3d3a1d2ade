import { once } from 'node:events';
import { expect, test } from 'vitest';
import { CLOSE_CODES, type CloseName } from '../../src/transport/close-codes.ts';
import { isOnline, mint, revokeToken, updateToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, openSocket, openTcp, type Close } from '../support/socket.ts';

const NO_KEY = 'key_nobody.ffffffffffffffffffffffff';

/** A close is told by its code, and by its name and nothing else. */
const closeOf = (name: CloseName): Close => ({ code: CLOSE_CODES[name].code, reason: name });

test('whoever says nothing is closed when the handshake has taken too long', async () => {
  await using signalbox = await startService({ handshakeTimeoutMs: 1000 });
  using early = await connectSocket(signalbox);
  using silent = await openSocket(signalbox);
  expect(await silent.closed).toEqual(closeOf('SLOW_OR_SILENT'));
  // The time-out is over once the handshake is.
  early.send({ type: 'ping' });
  expect(await early.next()).toEqual({ type: 'pong' });
});

test('pings do not stretch the handshake', async () => {
  await using signalbox = await startService({ handshakeTimeoutMs: 100 });
  using socket = await openSocket(signalbox);
  const pinging = (async () => {
    for (;;) {
      socket.send({ type: 'ping' });
      await socket.next();
    }
  })().catch(() => 'over');
  expect(await socket.closed).toEqual(closeOf('SLOW_OR_SILENT'));
  expect(await pinging).toBe('over');
});

/** What checks credentials waits, until it is told to finish: as one would that asks somebody else. */
function hangVerifier({ service }: TestService): () => void {
  const { authenticate } = service.domain;
  const { credential: verify } = authenticate;
  let finish!: () => void;
  const hanging = new Promise<void>((resolve) => (finish = resolve));
  authenticate.credential = async (text) => {
    await hanging;
    return verify(text);
  };
  return finish;
}

test('a verifier that hangs is covered by the same time-out', async () => {
  await using signalbox = await startService({ handshakeTimeoutMs: 1000 });
  const { id, credential } = await mint(signalbox);
  const finish = hangVerifier(signalbox);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: credential } });
  expect(await socket.closed).toEqual(closeOf('SLOW_OR_SILENT'));

  // That it comes to an end after all opens nothing any more.
  finish();
  using sentinel = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
  expect(sentinel.waiting).toEqual([]);
  expect(await isOnline(signalbox, id)).toBe(false);
  expect(socket.waiting).toEqual([]);
});

test.each([
  { what: 'nothing', text: '' },
  { what: 'half a request', text: 'GET /graphql HTTP/1.1\r\nHost: x\r\n' },
])('a peer that sends $what instead of a request is hung up on', async ({ text }) => {
  await using signalbox = await startService({ handshakeTimeoutMs: 100 });
  using tcp = await openTcp(signalbox);
  if (text !== '') tcp.socket.write(text);
  tcp.socket.resume();
  await once(tcp.socket, 'close');
});

const INIT = { type: 'connection_init' };
const OPERATION = { id: '1', type: 'subscribe', payload: { query: 'subscription { events { at } }' } };

const violations: { what: string; name: CloseName; messages: unknown[] }[] = [
  { what: 'no JSON', name: 'BAD_MESSAGE', messages: ['{"type":'] },
  { what: 'a JSON value that is no message', name: 'BAD_MESSAGE', messages: ['[]'] },
  { what: 'a message of an unknown type', name: 'BAD_MESSAGE', messages: [{ type: 'start' }] },
  { what: 'a message whose type is a prototype’s', name: 'BAD_MESSAGE', messages: [{ type: '__proto__' }] },
  { what: 'an init whose payload is no object', name: 'BAD_MESSAGE', messages: [{ ...INIT, payload: 'x' }] },
  {
    what: 'an operation without an id',
    name: 'BAD_MESSAGE',
    messages: [INIT, { ...OPERATION, id: undefined }],
  },
  {
    what: 'an operation without a query',
    name: 'BAD_MESSAGE',
    messages: [INIT, { ...OPERATION, payload: {} }],
  },
  { what: 'bytes', name: 'BAD_MESSAGE', messages: [Buffer.from(JSON.stringify(INIT))] },
  { what: 'an operation before the init', name: 'UNAUTHENTICATED', messages: [OPERATION] },
  { what: 'a second init', name: 'DUPLICATE_INIT', messages: [INIT, INIT] },
  {
    what: 'the id of a running operation',
    name: 'DUPLICATE_OPERATION',
    messages: [INIT, OPERATION, OPERATION],
  },
];

test.each(violations)('$what closes the socket with $name', async ({ messages, name }) => {
  await using signalbox = await startService();
  using socket = await openSocket(signalbox);
  for (const [index, message] of messages.entries()) {
    socket.send(message);
    if (message === INIT && index === 0) expect((await socket.next()).type).toBe('connection_ack');
  }
  expect(await socket.closed).toEqual(closeOf(name));
});

test('an operation that comes while the credential is being verified comes too early', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  const finish = hangVerifier(signalbox);
  using socket = await openSocket(signalbox);
  socket.send({ ...INIT, payload: { token: credential } });
  socket.send(OPERATION);
  expect(await socket.closed).toEqual(closeOf('UNAUTHENTICATED'));
  finish();
});

test.each([
  ['both a token and an API key', { token: 'x', apiKey: NO_KEY }],
  ['a token that is a number', { token: 42 }],
  ['a token that is an object', { token: { toString: 'x' } }],
  ['an API key that is a list', { apiKey: [NO_KEY] }],
  ['a token that is none', { token: 'x.y.z' }],
  ['an API key that is unknown', { apiKey: NO_KEY }],
  ['an API key that is none', { apiKey: 'secret' }],
  ['a project that is unknown', { project: 'nowhere' }],
  ['a project that is a prototype’s', { project: '__proto__' }],
])('%s is refused for good', async (_, payload) => {
  await using signalbox = await startService();
  using socket = await openSocket(signalbox);
  socket.send({ ...INIT, payload });
  expect(await socket.closed).toEqual(closeOf('UNAUTHENTICATED'));
  expect(socket.waiting).toEqual([]);
});

test('a token that has expired or was revoked is told to come back with a new credential', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const expiring = await mint(signalbox, { expiresIn: 60 });
  const shortened = await mint(signalbox);
  const revoked = await mint(signalbox);
  await updateToken(signalbox, shortened.id, { expiresIn: 60 });
  await revokeToken(signalbox, revoked.id);
  await clock.advance(60_000);
  for (const { credential } of [expiring, shortened, revoked]) {
    using socket = await openSocket(signalbox);
    socket.send({ ...INIT, payload: { token: credential } });
    expect(await socket.closed).toEqual(closeOf('RENEW'));
    expect(socket.waiting).toEqual([]);
  }
});

test('the acknowledgement names the connection and its project', async () => {
  await using signalbox = await startService();
  using socket = await openSocket(signalbox);
  socket.send({ ...INIT, payload: { project: 'default' } });
  expect(await socket.next()).toEqual({
    type: 'connection_ack',
    payload: { connection: expect.stringMatching(/^conn_/) as string, project: 'default' },
  });
});
