import { once } from 'node:events';
import { expect, test } from 'vitest';
import { CLOSE_CODES, type CloseName } from '../../src/transport/close-codes.ts';
import { isOnline, mint, revokeToken, updateToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, openSocket, openTcp, type Close } from '../support/socket.ts';

const NO_KEY = 'key_nobody.ffffffffffffffffffffffff';

/** The close frame of this name: its code and its reason. */
const closeOf = (name: CloseName): Close => ({
  code: CLOSE_CODES[name].code,
  reason: CLOSE_CODES[name].reason,
});

test('closes a silent socket with SLOW_OR_SILENT after the handshake timeout', async () => {
  await using signalbox = await startService({ handshakeTimeoutMs: 1000 });
  using early = await connectSocket(signalbox);
  using silent = await openSocket(signalbox);
  expect(await silent.closed).toEqual(closeOf('SLOW_OR_SILENT'));
  // The timeout does not apply after the handshake.
  early.send({ type: 'ping' });
  expect(await early.next()).toEqual({ type: 'pong' });
});

test('pings do not extend the handshake timeout', async () => {
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

/** Blocks the verification of credentials until the returned function is called. */
function blockVerifier({ service }: TestService): () => void {
  const { authenticate } = service.domain;
  const { credential: verify } = authenticate;
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  authenticate.credential = async (text) => {
    await finished;
    return verify(text);
  };
  return finish;
}

test('the handshake timeout includes a verification that hangs', async () => {
  await using signalbox = await startService({ handshakeTimeoutMs: 1000 });
  const { id, credential } = await mint(signalbox);
  const finish = blockVerifier(signalbox);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: credential } });
  expect(await socket.closed).toEqual(closeOf('SLOW_OR_SILENT'));

  // A verification that finishes after the timeout opens no connection.
  finish();
  using sentinel = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
  expect(sentinel.waiting).toEqual([]);
  expect(await isOnline(signalbox, id)).toBe(false);
  expect(socket.waiting).toEqual([]);
});

test.each([
  { input: 'nothing', text: '' },
  { input: 'half a request', text: 'GET /graphql HTTP/1.1\r\nHost: x\r\n' },
])('disconnects a peer that sends $input within the handshake timeout', async ({ text }) => {
  await using signalbox = await startService({ handshakeTimeoutMs: 100 });
  using tcp = await openTcp(signalbox);
  if (text !== '') tcp.socket.write(text);
  tcp.socket.resume();
  await once(tcp.socket, 'close');
});

const INIT = { type: 'connection_init' };
const OPERATION = { id: '1', type: 'subscribe', payload: { query: 'subscription { events { at } }' } };

const violations: { violation: string; name: CloseName; messages: unknown[] }[] = [
  { violation: 'text that is not JSON', name: 'BAD_MESSAGE', messages: ['{"type":'] },
  { violation: 'a JSON value that is not a message', name: 'BAD_MESSAGE', messages: ['[]'] },
  { violation: 'a message of an unknown type', name: 'BAD_MESSAGE', messages: [{ type: 'start' }] },
  { violation: 'a message with the type __proto__', name: 'BAD_MESSAGE', messages: [{ type: '__proto__' }] },
  {
    violation: 'an init with a payload that is not an object',
    name: 'BAD_MESSAGE',
    messages: [{ ...INIT, payload: 'x' }],
  },
  {
    violation: 'an operation without an id',
    name: 'BAD_MESSAGE',
    messages: [INIT, { ...OPERATION, id: undefined }],
  },
  {
    violation: 'an operation without a query',
    name: 'BAD_MESSAGE',
    messages: [INIT, { ...OPERATION, payload: {} }],
  },
  { violation: 'a binary message', name: 'BAD_MESSAGE', messages: [Buffer.from(JSON.stringify(INIT))] },
  { violation: 'an operation before the init', name: 'UNAUTHENTICATED', messages: [OPERATION] },
  { violation: 'a second init', name: 'DUPLICATE_INIT', messages: [INIT, INIT] },
  {
    violation: 'the id of a running operation',
    name: 'DUPLICATE_OPERATION',
    messages: [INIT, OPERATION, OPERATION],
  },
];

test.each(violations)('closes with $name after $violation', async ({ messages, name }) => {
  await using signalbox = await startService();
  using socket = await openSocket(signalbox);
  for (const [index, message] of messages.entries()) {
    socket.send(message);
    if (message === INIT && index === 0) expect((await socket.next()).type).toBe('connection_ack');
  }
  expect(await socket.closed).toEqual(closeOf(name));
});

test('closes with UNAUTHENTICATED when an operation is sent while the credential is being verified', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  const finish = blockVerifier(signalbox);
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
  ['a malformed token', { token: 'x.y.z' }],
  ['an unknown API key', { apiKey: NO_KEY }],
  ['a malformed API key', { apiKey: 'secret' }],
  ['an unknown project', { project: 'nowhere' }],
  ['the project __proto__', { project: '__proto__' }],
])('closes with UNAUTHENTICATED, without retry, after %s', async (_, payload) => {
  await using signalbox = await startService();
  using socket = await openSocket(signalbox);
  socket.send({ ...INIT, payload });
  expect((await socket.closed).code).toBe(4401);
  expect(socket.waiting).toEqual([]);
});

test('closes with RENEW when the token has expired or was revoked', async () => {
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
    expect((await socket.closed).code).toBe(4403);
    expect(socket.waiting).toEqual([]);
  }
});
