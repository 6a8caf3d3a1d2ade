import { expect, test } from 'vitest';
import { createProxy } from '../../../test/support/proxy.ts';
import { startService, type TestService } from '../../../test/support/service.ts';
import { type Runtime } from '../src/index.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';
import {
  CHANNEL,
  connectedWith,
  messageWith,
  pageWith,
  startScriptedService,
} from './support/scripted-service.ts';

const CREDENTIAL = 'eyJ.fixed.credential';
/** No wait between two attempts. */
const eager: Partial<Runtime> = { random: () => 0 };

test('reconnects when a result is not what the protocol says, and throws nothing into the page', async () => {
  const results = [
    null,
    7,
    'text',
    { data: null },
    { data: {} },
    { errors: [{ message: '', extensions: null }] },
  ];
  const service = await startScriptedService(({ kind, id }, { send, number }) => {
    const payload = results[number - 1];
    if (kind !== 'events' || payload === undefined) return false;
    send({ type: 'next', id, payload });
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: eager });
  await client.channel('lobby').publish('message', { text: 'at last' });
  expect(service.connections).toBe(results.length + 1);
});

test('repeats a publish that is completed without a result, with the same key', async () => {
  let completed = 0;
  const service = await startScriptedService(({ kind, id }, { complete }) => {
    if (kind !== 'publish' || ++completed > 2) return false;
    complete(id);
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: eager });
  await client.channel('lobby').publish('message', { text: 'kept' });
  const keys = service.of('publish').map(({ payload }) => payload.variables.idempotencyKey);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
});

test('a read that is refused without a list of errors rejects instead of being repeated at full speed', async () => {
  const service = await startScriptedService(({ kind, id }, { send }) => {
    if (kind !== 'page') return false;
    send({ type: 'error', id, payload: { message: 'old protocol' } });
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  await expect(client.channel('lobby').history()).rejects.toMatchObject({ code: 'PROTOCOL' });
  expect(service.of('page')).toHaveLength(1);
});

test('subscribes again, after the last message, when the service completes the messages of a channel', async () => {
  const service = await startScriptedService(({ kind, id, payload }, { next, complete }) => {
    if (kind === 'events') {
      next(id, connectedWith({ channels: [] }));
      return true;
    }
    if (kind !== 'messages') return false;
    const { since } = payload.variables;
    if (since === 'cursor_head') {
      next(id, { messages: messageWith('one') });
      complete(id);
    } else next(id, { messages: messageWith('two') });
    return true;
  });
  await using client = connectClient({ url: service.url, credential: 'anonymous', runtime: eager });
  const seen: string[] = [];
  client.channel('lobby').on('message', ({ data }) => seen.push(data.text));
  await eventually(() => seen.length >= 2);
  expect(seen).toEqual(['one', 'two']);
  expect(service.of('messages').map(({ payload }) => payload.variables.since)).toEqual([
    'cursor_head',
    'cursor_one',
  ]);
});

test('ends the old stream of events at the service when an event has a retryable error', async () => {
  const service = await startScriptedService(({ kind, id }, { send, next }) => {
    if (kind !== 'events' || service.of('events').length > 1) return false;
    next(id, connectedWith());
    send({
      type: 'next',
      id,
      payload: { errors: [{ message: 'busy', extensions: { code: 'UNAVAILABLE', retryable: true } }] },
    });
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: eager });
  client.connect();
  await eventually(() => service.of('events').length === 2);
  const [first] = service.of('events');
  await eventually(() => service.requests.some(({ type, id }) => type === 'complete' && id === first!.id));
});

test('asks for the members again when the service is busy', async () => {
  const service = await startScriptedService(({ kind, id }, { fail }) => {
    if (kind !== 'members' || service.of('members').length > 2) return false;
    fail(id, 'UNAVAILABLE', true);
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: eager });
  const stop = client.channel('lobby').subscribe(() => undefined);
  await eventually(() => service.of('members').length === 3);
  stop();
});

test('an older answer about the members does not hide who joined after the newer question', async () => {
  const member = (identity: string) => ({
    ...{ id: `conn_${identity}`, token: null, identity, connectionData: null, state: null },
    connectedAt: new Date(0).toISOString(),
  });
  const answerTo = (...identities: string[]) => ({
    channel: {
      presence: {
        members: { nodes: identities.map(member), pageInfo: { endCursor: null, hasNextPage: false } },
      },
    },
  });
  const service = await startScriptedService(({ kind }) => kind === 'members');
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const lobby = client.channel('lobby');
  const stop = lobby.subscribe(() => undefined);
  await eventually(() => service.of('members').length === 1);
  const [session] = service.sessions;
  const [inbox] = service.of('events');
  session!.next(inbox!.id, {
    events: {
      __typename: 'ChannelAvailable',
      channel: { id: 'lobby', type: 'PRIVATE', state: null, version: 1 },
    },
  });
  await eventually(() => service.of('members').length === 2);
  const [first, second] = service.of('members');
  session!.answer(first!.id, answerTo('ada'));
  session!.next(inbox!.id, {
    events: {
      __typename: 'PresenceChanged',
      presence: { change: 'JOINED', channel: 'lobby', member: member('bob') },
    },
  });
  session!.answer(second!.id, answerTo('ada'));
  session!.next(inbox!.id, { events: { __typename: 'ChannelMessage', message: messageWith('last') } });
  await eventually(() => lobby.getSnapshot().messages.length === 1);
  expect(lobby.presence.members.map(({ key }) => key)).toEqual(['ada', 'bob']);
  stop();
});

/** A page of history that has older messages before it. */
function pageAfterOthers(...texts: string[]) {
  const { channel } = pageWith(...texts.map((text) => messageWith(text)));
  const { nodes, pageInfo } = channel.messages;
  return { channel: { messages: { nodes, pageInfo: { ...pageInfo, hasPreviousPage: true } } } };
}

test('drops an older page that arrives after a gap has replaced what it belongs to', async () => {
  const service = await startScriptedService(({ kind }) => kind === 'page');
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const lobby = client.channel('lobby');
  const shown = () => lobby.getSnapshot().messages.map(({ data }) => (data as { text: string }).text);
  const stop = lobby.subscribe(() => undefined, { history: 2 });
  const pageRequest = (index: number) => eventually(() => service.of('page')[index]);
  const { id: newest } = await pageRequest(0);
  const [session] = service.sessions;
  session!.answer(newest, pageAfterOthers('4', '5'));
  await eventually(() => shown().length === 2);
  const older = lobby.loadOlder();
  const { id: before4 } = await pageRequest(1);
  const gap = { __typename: 'Gap', reason: 'RETENTION', directMessages: false, channels: [{ id: 'lobby' }] };
  session!.next(service.of('events')[0]!.id, { events: gap });
  const { id: newestAfterGap } = await pageRequest(2);
  session!.answer(newestAfterGap, pageAfterOthers('20', '21'));
  await eventually(() => shown().includes('21'));
  session!.answer(before4, pageWith(messageWith('2'), messageWith('3')));
  await older;
  expect({ shown: shown(), hasOlder: lobby.getSnapshot().hasOlder }).toEqual({
    shown: ['20', '21'],
    hasOlder: true,
  });
  const next = lobby.loadOlder();
  const { id: before20, payload } = await pageRequest(3);
  expect(payload.variables.before).toBe('cursor_20');
  session!.answer(before20, pageWith(messageWith('18'), messageWith('19')));
  await next;
  expect(shown()).toEqual(['18', '19', '20', '21']);
  stop();
});

test('is not loading any more when the channel becomes unavailable before its page has arrived', async () => {
  const service = await startScriptedService(({ kind }) => kind === 'page');
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const lobby = client.channel('lobby');
  const stop = lobby.subscribe(() => undefined);
  await eventually(() => service.of('page')[0]);
  expect(lobby.getSnapshot().isLoading).toBe(true);
  const [session] = service.sessions;
  session!.next(service.of('events')[0]!.id, {
    events: { __typename: 'ChannelUnavailable', channel: connectedWith().events.channels[0], reason: 'BAN' },
  });
  await eventually(() => lobby.getSnapshot().error);
  expect(lobby.getSnapshot()).toMatchObject({ isLoading: false, error: { code: 'FORBIDDEN' } });
  stop();
});

test('loads as many messages as the list asks for when another component has asked for fewer just before', async () => {
  const service = await startScriptedService(({ kind, id, payload }, { answer }) => {
    if (kind !== 'page') return false;
    const { last, before } = payload.variables;
    const texts = ['1', '2', '3', '4', '5'].filter((text) => !before || `cursor_${text}` < before);
    answer(id, pageAfterOthers(...texts.slice(-last)));
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  client.connect();
  await eventually(() => client.viewer);
  const lobby = client.channel('lobby');
  const stops = [1, 4].map((history) => lobby.subscribe(() => undefined, { history }));
  const shown = () => lobby.getSnapshot().messages.map(({ data }) => (data as { text: string }).text);
  await eventually(() => shown().length === 4);
  expect(shown()).toEqual(['2', '3', '4', '5']);
  for (const stop of stops) stop();
});

test('yields a message that arrives before the newest page is read, and precedes it, in its place', async () => {
  const service = await startScriptedService(({ kind }) => kind === 'page');
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const messages = client.channel('lobby').messages({ last: 1 });
  const first = messages.next();
  const { id } = await eventually(() => service.of('page')[0]);
  const [session] = service.sessions;
  const deliver = (text: string) =>
    session!.next(service.of('events')[0]!.id, {
      events: { __typename: 'ChannelMessage', message: messageWith(text) },
    });
  for (const text of ['1', '2']) deliver(text);
  session!.answer(id, pageAfterOthers('2'));
  deliver('3');
  const seen = [await first, await messages.next(), await messages.next()];
  expect(seen.map(({ value }) => value?.data)).toEqual(['1', '2', '3'].map((text) => ({ text })));
});

test('keeps a bounded number of refused messages', async () => {
  const service = await startScriptedService(({ kind, id }, { fail }) => {
    if (kind !== 'publish') return false;
    fail(id, 'FORBIDDEN', false);
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, outboxLimit: 10 });
  const lobby = client.channel('lobby');
  for (let i = 0; i < 25; i++)
    await expect(lobby.publish('message', { text: `${i}` })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const { messages } = lobby.getSnapshot();
  expect(messages.map(({ data }) => data)).toEqual(
    Array.from({ length: 10 }, (_, i) => ({ text: `${15 + i}` })),
  );
});

test('calls a credential function that returns the same expiring credential a few times, not at full speed', async () => {
  const expiresAt = Date.now() + 1_500;
  let calls = 0;
  const service = await startScriptedService(({ type, kind, id }, { send, answer }) => {
    const expiry = new Date(expiresAt).toISOString();
    if (type === 'connection_init') send({ type: 'connection_ack', payload: { expiresAt: expiry } });
    else if (kind === 'renew') answer(id, { reauthenticate: { token: { expiresAt: expiry } } });
    else return false;
    return true;
  });
  await using client = connectClient({ url: service.url, credential: () => (calls++, CREDENTIAL) });
  client.connect();
  await eventually(() => Date.now() > expiresAt + 300);
  expect(calls).toBeGreaterThan(1);
  expect(calls).toBeLessThan(8);
});

test('calls a credential function that does not answer again during a renewal', async () => {
  let calls = 0;
  const service = await startScriptedService(({ type }, { send }) => {
    if (type !== 'connection_init') return false;
    send({ type: 'connection_ack', payload: { expiresAt: new Date(Date.now() + 600_000).toISOString() } });
    return true;
  });
  await using client = connectClient({
    url: service.url,
    credential: () => (++calls === 2 ? new Promise<string>(() => undefined) : CREDENTIAL),
    // The renewal is due at once, and the wait for an answer is short.
    runtime: {
      ...eager,
      setTimer: (action, ms) => setTimeout(action, ms === 30_000 ? 20 : ms > 500_000 ? 1 : ms),
    },
  });
  const states: string[] = [];
  client.on('status', ({ state }) => states.push(state));
  client.connect();
  await eventually(() => calls >= 3 && states.at(-1) === 'connected');
  expect(states).toEqual(['connecting', 'connected', 'renewing', 'connected']);
  expect(service.connections).toBe(1);
});

test('a status listener that reconnects at once gets one connection, which lasts', async () => {
  const service = await startScriptedService(({ type }, { socket, number }) => {
    if (type !== 'connection_init' || number > 1) return false;
    socket.close(4403, 'The token has expired.');
    return true;
  });
  await using client = connectClient({
    url: service.url,
    credential: async () => CREDENTIAL,
    // The wait for the credential function is short.
    runtime: { setTimer: (action, ms) => setTimeout(action, ms === 30_000 ? 100 : ms) },
  });
  const states: string[] = [];
  client.on('status', ({ state }) => state === 'waiting' && client.connect());
  client.on('status', ({ state }) => states.push(state));
  client.connect();
  await eventually(() => client.viewer);
  const until = performance.now() + 200;
  await eventually(() => performance.now() > until);
  expect(states.filter((state) => state === 'connected')).toHaveLength(1);
  expect(service.connections).toBe(2);
});

test('tells of a gap when the service does not understand the stored position', async () => {
  await using service = await startService();
  await createChannel(service);
  const { credential } = await createMember(service, 'ada');
  const stored = new Map([['signalbox:cursor', 'of another version']]);
  await using client = connectClient({
    ...{ url: service.url, credential },
    storage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => stored.set(key, value),
      removeItem: (key) => stored.delete(key),
    },
  });
  const gaps: unknown[] = [];
  client.on('gap', (gap) => gaps.push(gap));
  await client.channel('lobby').publish('message', { text: 'works' });
  expect(gaps).toContainEqual({ reason: 'POSITION_LOST', channel: undefined });
});

const publishOnSquare = (service: TestService, text: string) =>
  service.request(
    'mutation ($data: JSON) { publishMessage(channel: "square", event: "message", data: $data) { message { id } } }',
    { data: { text } },
  );

/** Ends the membership of a token. */
const leaveSquare = (service: TestService, token: string) =>
  service.request(
    'mutation ($token: ID!) { unsubscribeToken(channel: "square", token: $token) { createdAt } }',
    { token },
  );

test('shows a PUBLIC channel again after the membership that delivered it was removed', async () => {
  await using service = await startService();
  await createChannel(service, 'square', 'PUBLIC');
  const { token, credential } = await createMember(service, 'ada', ['square']);
  const lingering: { isOver: boolean }[] = [];
  await using client = connectClient({
    ...{ url: service.url, credential },
    runtime: {
      setTimer(action, ms) {
        if (ms !== 1_000) return setTimeout(action, ms);
        const timer = { isOver: false };
        lingering.push(timer);
        return setTimeout(() => ((timer.isOver = true), action()), 1);
      },
    },
  });
  const square = client.channel('square');
  const stop = square.subscribe(() => undefined);
  await square.publish('message', { text: 'first' });
  await leaveSquare(service, token);
  await eventually(() => square.getSnapshot().error);
  stop();
  // The channel is given up shortly after nothing shows it.
  await eventually(() => lingering.some(({ isOver }) => isOver));
  const stopAgain = square.subscribe(() => undefined);
  await eventually(
    () => square.getSnapshot().error === undefined && square.getSnapshot().messages.length === 1,
  );
  stopAgain();
});

test.each([
  ['nothing was published before', [], ['m1', 'm2']],
  ['messages came before', ['m0'], ['m0', 'm1', 'm2']],
])(
  'delivers a message of a PUBLIC channel from before the end of a membership that ended during a cut, when %s',
  async (_, before, expected) => {
    await using service = await startService();
    await createChannel(service, 'square', 'PUBLIC');
    const { token, credential } = await createMember(service, 'ada', ['square']);
    let isDown = false;
    await using proxy = await createProxy(() => (isDown ? 1 : Number(new URL(service.url).port)));
    await using client = connectClient({
      ...{ url: `http://127.0.0.1:${proxy.port}`, credential, runtime: eager },
    });
    const publish = (text: string) => publishOnSquare(service, text);
    const seen: string[] = [];
    client.channel('square').on('message', ({ data }) => seen.push(data.text));
    await eventually(() => client.viewer);
    for (const text of before) await publish(text);
    await eventually(() => seen.length === before.length);
    isDown = true;
    proxy.cut();
    await publish('m1');
    await leaveSquare(service, token);
    isDown = false;
    await eventually(() => seen.includes('m1'));
    await publish('m2');
    await eventually(() => seen.includes('m2'));
    expect(seen).toEqual(expected);
  },
);

test('delivers after a reconnect what was published on a PUBLIC channel since the end of a membership', async () => {
  await using service = await startService();
  await createChannel(service, 'square', 'PUBLIC');
  const { token, credential } = await createMember(service, 'ada', ['square']);
  await using proxy = await createProxy(Number(new URL(service.url).port));
  await using client = connectClient({ url: `http://127.0.0.1:${proxy.port}`, credential, runtime: eager });
  const seen: string[] = [];
  const square = client.channel('square');
  square.on('message', ({ data }) => seen.push(data.text));
  await eventually(() => client.viewer);
  await leaveSquare(service, token);
  await eventually(() => square.getSnapshot().error);
  await publishOnSquare(service, 'm1');
  proxy.cut();
  await eventually(() => seen.length > 0);
  expect(seen).toEqual(['m1']);
});

test('delivers nothing from before the first listener of a channel that a membership has delivered', async () => {
  const service = await startScriptedService(({ kind, id }, { next, number }) => {
    const more = { connection: { id: `conn_${number}` }, ...(number > 1 && { channels: [] }) };
    if (kind === 'events') next(id, connectedWith(more));
    return kind === 'events';
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: eager });
  const lobby = client.channel('lobby');
  const others: string[] = [];
  const stop = client.direct.on('*', ({ id }) => others.push(id));
  await eventually(() => client.viewer);
  const [session] = service.sessions;
  for (const event of [
    { __typename: 'ChannelMessage', message: messageWith('old') },
    { __typename: 'DirectMessage', message: messageWith('direct', { channel: null }) },
  ])
    session!.next(service.of('events')[0]!.id, { events: event });
  await eventually(() => others.length === 1);
  session!.socket.terminate();
  await eventually(() => client.viewer?.connection === 'conn_2');
  lobby.on('message', () => undefined);
  await eventually(() => service.of('messages').length === 1);
  expect(service.of('messages')[0]!.payload.variables.since).toBe('cursor_head');
  stop();
});

test('delivers each message once when a channel is received by itself, by a membership, and by itself again', async () => {
  const log = Array.from({ length: 2_100 }, (_, i) => messageWith(String(i)));
  const service = await startScriptedService(({ kind, id, payload }, { next, number }) => {
    if (kind === 'events') next(id, connectedWith({ channels: [] }));
    if (kind === 'messages') {
      const since = log.findIndex(({ cursor }) => cursor === payload.variables.since);
      for (const message of log.slice(since + 1, number === 1 ? 50 : undefined))
        next(id, { messages: message });
    }
    return kind === 'events' || kind === 'messages';
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: eager });
  const seen: string[] = [];
  client.channel('lobby').on('message', ({ data }) => seen.push(data.text));
  await eventually(() => seen.length === 50);
  const [session] = service.sessions;
  const inbox = service.of('events')[0]!.id;
  session!.next(inbox, { events: { __typename: 'ChannelAvailable', channel: CHANNEL } });
  for (const message of log.slice(50, 2_090))
    session!.next(inbox, { events: { __typename: 'ChannelMessage', message } });
  await eventually(() => seen.length === 2_090);
  session!.socket.terminate();
  await eventually(() => seen.includes('2099'));
  expect(seen).toEqual(log.map(({ data }) => data.text));
});

test('misses nothing when the first connection is cut before its first event', async () => {
  let cut = false;
  const service = await startScriptedService(({ kind, id, payload }, { next, socket }) => {
    if (kind !== 'events') return false;
    if (!cut) {
      cut = true;
      socket.terminate();
      return true;
    }
    const { since } = payload.variables;
    next(id, connectedWith({ cursor: since ?? 'cursor_later' }));
    if (since === 'cursor_head')
      next(id, { events: { __typename: 'ChannelMessage', message: messageWith('in between') } });
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: eager });
  const seen: string[] = [];
  client.channel('lobby').on('message', ({ data }) => seen.push(data.text));
  await eventually(() => client.viewer);
  await client.channel('lobby').publish('message', { text: 'x' });
  expect(seen).toEqual(['in between']);
});
