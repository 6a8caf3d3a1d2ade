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

async function saidIn({ request }: TestService, channel: string): Promise<string[]> {
  const answer = await request(`query ($id: ID!) { channel(id: $id) { messages { nodes { event } } } }`, {
    id: channel,
  });
  return answer.channel.messages.nodes.map(({ event }: { event: string }) => event);
}

/** Its peer neither reads nor answers a close: it only goes on talking. */
function deafen({ ws }: RawSocket): void {
  ws.pause();
}

async function meetAndPublish(signalbox: TestService, credential: string): Promise<RawSocket> {
  const socket = await connectSocket(signalbox, { token: credential });
  socket.send(publishOperation('before'));
  expect(await socket.next()).toMatchObject({ type: 'next', payload: { data: { publishMessage: {} } } });
  expect(await socket.next()).toMatchObject({ type: 'complete' });
  return socket;
}

/** Sends it, and returns when the service has had it before it for long: whatever comes of it has come. */
async function sendThrough(signalbox: TestService, { ws }: RawSocket, message: object): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    ws.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
  });
  for (let times = 0; times < 5; times++) await publish(signalbox, 'news', 'sentinel');
}

test('a peer that ignores that its token was revoked can do nothing more', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox);
  using socket = await meetAndPublish(signalbox, credential);
  deafen(socket);
  await revokeToken(signalbox, id);
  await sendThrough(signalbox, socket, publishOperation('after'));
  expect(new Set(await saidIn(signalbox, 'news'))).toEqual(new Set(['before', 'sentinel']));
});

test('a peer that ignores that its token has expired can do nothing more', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { credential } = await mint(signalbox, { expiresIn: 60 });
  using socket = await meetAndPublish(signalbox, credential);
  deafen(socket);
  await clock.advance(60_000);
  await sendThrough(signalbox, socket, publishOperation('after'));
  expect(new Set(await saidIn(signalbox, 'news'))).toEqual(new Set(['before', 'sentinel']));
});

test('an operation that is under way goes no further than the authority it began with', async () => {
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
  expect(await socket.closed).toEqual({ code: 4403, reason: 'RENEW' });
  await publish(signalbox, 'news', 'sentinel');
  expect(await saidIn(signalbox, 'news')).toEqual(['before', 'sentinel']);
});

test('what is changed while a socket is re-authenticated is not changed back by that', async () => {
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
