import { expect, test } from 'vitest';
import {
  createChannel,
  isOnline,
  mint,
  publish,
  roundTrip,
  subscribeToken,
  updateToken,
  sendDirect,
} from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService } from '../support/service.ts';
import { fetchStream, readStream, sseClient } from '../support/sse.ts';

const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { cursor connection { transport } channels { id } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelMessage { message { event } }
  ... on DirectMessage { message { event } }
} }`;
const MESSAGES = `subscription ($channel: ID!, $since: Cursor) {
  messages(channel: $channel, since: $since) { event cursor }
}`;

test('delivers the events of a token over SSE, and the token is online until the client aborts', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news');
  const { id, credential } = await mint(signalbox);
  const backend = signalbox.client();
  const presence = queueResults(
    backend,
    `subscription { presence(channel: "news") { change leaveReason member { token transport } } }`,
  );
  await roundTrip(backend);
  const events = queueResults(sseClient(signalbox, credential), EVENTS);
  expect(await events.next()).toMatchObject({
    events: { __typename: 'Connected', connection: { transport: 'SSE' }, channels: [] },
  });
  expect(await isOnline(signalbox, id)).toBe(true);

  await subscribeToken(signalbox, 'news', id);
  expect(await events.next()).toEqual({
    events: { __typename: 'ChannelAvailable', channel: { id: 'news' } },
  });
  expect(await presence.next()).toEqual({
    presence: { change: 'JOINED', leaveReason: null, member: { token: id, transport: 'SSE' } },
  });
  expect(await publish(signalbox, 'news', 'first')).toBe(1);
  expect(await events.next()).toMatchObject({ events: { message: { event: 'first' } } });
  expect(await sendDirect(signalbox, id, 'psst')).toBe(1);
  expect(await events.next()).toEqual({
    events: { __typename: 'DirectMessage', message: { event: 'psst' } },
  });

  events.stop();
  expect(await presence.next()).toMatchObject({ presence: { change: 'LEFT', leaveReason: 'LEFT' } });
  expect(await isOnline(signalbox, id)).toBe(false);
});

test('resumes after the given cursor', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news');
  const { credential, cursor } = await mint(signalbox, { channels: ['news'] });
  await publish(signalbox, 'news', 'first');
  await publish(signalbox, 'news', 'second');
  const client = sseClient(signalbox, credential);
  const interrupted = queueResults(client, MESSAGES, { channel: 'news', since: cursor });
  const { messages: first } = await interrupted.next();
  expect(first.event).toBe('first');
  interrupted.stop();

  const resumed = queueResults(client, MESSAGES, { channel: 'news', since: first.cursor });
  expect((await resumed.next()).messages.event).toBe('second');
  await publish(signalbox, 'news', 'third');
  expect((await resumed.next()).messages.event).toBe('third');

  const inbox = queueResults(client, EVENTS, { since: first.cursor });
  expect((await inbox.next()).events).toMatchObject({ __typename: 'Connected', cursor: first.cursor });
  expect((await inbox.next()).events.message.event).toBe('second');
  expect((await inbox.next()).events.message.event).toBe('third');
});

test('delivers an UNPROTECTED channel to an anonymous GET, as an EventSource sends it', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'porch', { type: 'UNPROTECTED' });
  const query = encodeURIComponent('subscription { messages(channel: "porch") { event } }');
  const response = await fetch(`${signalbox.url}/graphql?query=${query}`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(await publish(signalbox, 'porch', 'hello')).toBe(1);
  expect((await readStream(response).next()).value).toEqual({
    name: 'next',
    id: expect.stringMatching(/^1/) as string,
    data: { data: { messages: { event: 'hello' } } },
  });
});

test('answers a query with a stream of one result when only text/event-stream is accepted', async () => {
  await using signalbox = await startService();
  const answer = await fetchStream(signalbox, '{ viewer { kind } }', signalbox.apiKey);
  const messages = [];
  for await (const message of readStream(answer)) messages.push(message);
  expect(messages).toEqual([
    { name: 'next', data: { data: { viewer: { kind: 'API_KEY' } } } },
    { name: 'complete', data: undefined },
  ]);
});

test('updateToken ends or updates the running streams of the token', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news');
  const { id, credential } = await mint(signalbox, { channels: ['news'] });
  const messages = queueResults(sseClient(signalbox, credential), MESSAGES, { channel: 'news' });
  const events = queueResults(
    sseClient(signalbox, credential),
    `subscription { events { __typename ... on TokenUpdated { token { role isOnline } } } }`,
  );
  await events.next();
  await updateToken(signalbox, id, { role: 'GUEST' });
  expect(await messages.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await events.next()).toEqual({ events: { __typename: 'ChannelUnavailable' } });
  expect(await events.next()).toEqual({
    events: { __typename: 'TokenUpdated', token: { role: 'GUEST', isOnline: true } },
  });
});

test('authorizes every field with the grants of the token at delivery', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news');
  const { id, credential } = await mint(signalbox, { channels: ['news'] });
  const states = queueResults(
    sseClient(signalbox, credential),
    `subscription { channelState(channel: "news") { presence { count } } }`,
  );
  expect(await states.next()).toEqual({ channelState: { presence: { count: 0 } } });
  await updateToken(signalbox, id, { grants: [{ channels: 'news', actions: ['SUBSCRIBE'] }] });
  await signalbox.request(`mutation { setChannelState(channel: "news", state: 1) { id } }`);
  expect(await states.ended).toMatchObject([
    { path: ['channelState', 'presence', 'count'], extensions: { code: 'FORBIDDEN' } },
  ]);
});
