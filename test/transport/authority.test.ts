import { expect, test } from 'vitest';
import { createChannel, mint, publish, revokeToken, updateToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';

const publishOperation = (event: string) => ({
  id: event,
  type: 'subscribe',
  payload: { query: `mutation { publishMessage(channel: "news", event: "${event}") { connections } }` },
});

async function eventsIn({ request }: TestService, channel: string): Promise<string[]> {
  const answer = await request(`query ($id: ID!) { channel(id: $id) { messages { nodes { event } } } }`, {
    id: channel,
  });
  return answer.channel.messages.nodes.map(({ event }: { event: string }) => event);
}

/** Makes the client ignore everything it is sent, including a close. It can still send. */
function stopReading({ ws }: RawSocket): void {
  ws.pause();
}

async function connectAndPublish(signalbox: TestService, credential: string): Promise<RawSocket> {
  const socket = await connectSocket(signalbox, { token: credential });
  socket.send(publishOperation('before'));
  expect(await socket.next()).toMatchObject({ type: 'next', payload: { data: { publishMessage: {} } } });
  expect(await socket.next()).toMatchObject({ type: 'complete' });
  return socket;
}

/** Sends a message, and resolves after five later publishes: the service has received the message by then. */
async function sendAndSettle(signalbox: TestService, { ws }: RawSocket, message: object): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    ws.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
  });
  for (let times = 0; times < 5; times++) await publish(signalbox, 'news', 'sentinel');
}

test('a client that ignores the close cannot publish after its token is revoked', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox);
  using socket = await connectAndPublish(signalbox, credential);
  stopReading(socket);
  await revokeToken(signalbox, id);
  await sendAndSettle(signalbox, socket, publishOperation('after'));
  expect(new Set(await eventsIn(signalbox, 'news'))).toEqual(new Set(['before', 'sentinel']));
});

test('a client that ignores the close cannot publish after its token has expired', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { credential } = await mint(signalbox, { expiresIn: 60 });
  using socket = await connectAndPublish(signalbox, credential);
  stopReading(socket);
  await clock.advance(60_000);
  await sendAndSettle(signalbox, socket, publishOperation('after'));
  expect(new Set(await eventsIn(signalbox, 'news'))).toEqual(new Set(['before', 'sentinel']));
});

test('a running mutation stops at the field after its API key is revoked', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news');
  const { createApiKey } = await signalbox.request(`mutation { createApiKey { apiKey { id } secret } }`);
  using socket = await connectSocket(signalbox, { apiKey: createApiKey.secret });
  socket.send({
    id: '1',
    type: 'subscribe',
    payload: {
      query: `mutation ($id: ID!) {
        first: publishMessage(channel: "news", event: "before") { connections }
        revokeApiKey(id: $id) { id }
        second: publishMessage(channel: "news", event: "after") { connections }
      }`,
      variables: { id: createApiKey.apiKey.id },
    },
  });
  expect(await socket.closed).toEqual({
    code: 4403,
    reason: 'The credential of this connection is no longer valid.',
  });
  await publish(signalbox, 'news', 'sentinel');
  expect(await eventsIn(signalbox, 'news')).toEqual(['before', 'sentinel']);
});

test('reauthenticate keeps an update of the token that happens while the credential is verified', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox, { role: 'MODERATOR' });
  using socket = await connectSocket(signalbox, { token: credential });
  const { authenticate } = signalbox.service.domain;
  const { credential: verify } = authenticate;
  authenticate.credential = async (text) => {
    const caller = await verify(text);
    await updateToken(signalbox, id, { role: 'GUEST' });
    return caller;
  };
  const query = 'mutation ($c: String!) { reauthenticate(credential: $c) { token { role } } }';
  socket.send({ id: '1', type: 'subscribe', payload: { query, variables: { c: credential } } });
  expect((await socket.next()).payload).toEqual({ data: { reauthenticate: { token: { role: 'GUEST' } } } });
});
