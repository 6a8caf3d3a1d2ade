import { expect, onTestFinished, test } from 'vitest';
import { referencedHeapBytes } from '../../../test/support/heap.ts';
import { startService } from '../../../test/support/service.ts';
import { hostRuntime, type PageSignal, type Runtime } from '../src/runtime.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';
import { connectedWith, messageWith, startScriptedService } from './support/scripted-service.ts';

/** Faults that users of other clients for realtime services report: each test shows that this client does not have one. */
const CREDENTIAL = 'eyJ.fixed.credential';

/** A client with an inbox that delivers no channel, whose channels are given up at once. */
const follower = (url: string) =>
  connectClient({
    ...{ url, credential: 'anonymous' },
    runtime: { random: () => 0, setTimer: (action, ms) => setTimeout(action, ms === 1_000 ? 0 : ms) },
  });

const withoutChannels = ({ kind, id }: { kind: unknown; id: string }, { next }: any) => {
  if (kind !== 'events') return false;
  next(id, connectedWith({ channels: [] }));
  return true;
};

test('frees the channels that a page has visited, and keeps those that it uses', async () => {
  const service = await startScriptedService(withoutChannels);
  await using client = follower(service.url);
  const seen: string[] = [];
  client.channel('listening').on('message', ({ data }) => seen.push(data.text));
  const held = client.channel('held');
  await eventually(() => service.of('messages').length === 1);
  const visited = Array.from({ length: 300 }, (_, i) => {
    const channel = client.channel(`visited ${i}`);
    channel.subscribe(() => undefined)();
    return new WeakRef(channel);
  });
  await eventually(() => {
    referencedHeapBytes();
    return visited.every((channel) => channel.deref() === undefined);
  });
  expect(client.channel('held')).toBe(held);
  const [session] = service.sessions;
  session!.next(service.of('messages')[0]!.id, { messages: messageWith('still', { channel: 'listening' }) });
  await eventually(() => seen.length === 1);
});

test('a channel is one object, whose listeners are independent of each other', async () => {
  const service = await startScriptedService();
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const seen: string[] = [];
  const listener = () => seen.push('called');
  expect(client.channel('lobby')).toBe(client.channel('lobby'));
  const first = client.channel('lobby').on('message', listener);
  client.channel('lobby').on('message', listener);
  await eventually(() => client.viewer);
  first();
  first();
  const [session] = service.sessions;
  const [inbox] = service.of('events');
  session!.next(inbox!.id, { events: { __typename: 'ChannelMessage', message: messageWith('one') } });
  await eventually(() => seen.length > 0);
  expect(seen).toEqual(['called']);
});

test('subscribes to a channel once, however often its listeners come and go, and ends the subscription', async () => {
  const service = await startScriptedService(withoutChannels);
  await using client = follower(service.url);
  const lobby = client.channel('lobby');
  const stop = lobby.on('message', () => undefined);
  await eventually(() => service.of('messages').length > 0);
  for (let i = 0; i < 100; i++) lobby.subscribe(() => undefined)();
  stop();
  const [{ id } = { id: '' }] = service.of('messages');
  await eventually(() =>
    service.requests.some((request) => request.type === 'complete' && request.id === id),
  );
  expect(service.of('messages')).toHaveLength(1);
});

test('opens one connection when a page reports many things at once', async () => {
  let signal: (signal: PageSignal) => void = () => undefined;
  const runtime: Partial<Runtime> = {
    onPageSignal(listener) {
      signal = listener;
      return () => undefined;
    },
  };
  const service = await startScriptedService();
  await using client = connectClient({ url: service.url, credential: async () => CREDENTIAL, runtime });
  client.connect();
  await eventually(() => client.viewer);
  for (const each of ['hide', 'show', 'check', 'check', 'offline', 'check', 'show'] as const) signal(each);
  client.connect();
  await client.channel('lobby').publish('message', { text: 'back' });
  expect(service.connections).toBe(2);
  expect(service.sessions.size).toBe(1);
});

test('waits for a service that acknowledges late, and loses nothing of what was asked before', async () => {
  let acknowledge: () => void = () => undefined;
  const service = await startScriptedService(({ type }, { send }) => {
    if (type !== 'connection_init') return false;
    acknowledge = () => send({ type: 'connection_ack' });
    return true;
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const results: unknown[] = [];
  client.subscribe(
    'subscription { own }',
    {},
    { next: (data) => results.push(data), error: (error) => results.push(error) },
  );
  const published = client.channel('lobby').publish('message', { text: 'early' });
  await eventually(() => service.requests.length > 0);
  expect(service.requests.map(({ type }) => type)).toEqual(['connection_init']);
  acknowledge();
  await published;
  const own = service.requests.filter(({ payload }) => payload?.query === 'subscription { own }');
  expect(own).toHaveLength(1);
  const [session] = service.sessions;
  session!.next(own[0]!.id, { own: 1 });
  await eventually(() => results.length > 0);
  expect(results).toEqual([{ own: 1 }]);
});

test('never gives up: connects at the 40th attempt', async () => {
  const service = await startScriptedService(({ type }, { socket, number }) => {
    if (type === 'connection_init' && number < 40) socket.terminate();
    return number < 40;
  });
  await using client = connectClient({
    url: service.url,
    credential: CREDENTIAL,
    runtime: { random: () => 0 },
  });
  await client.channel('lobby').publish('message', { text: 'patient' });
  expect(service.connections).toBe(40);
});

test('a publish that fails without a handler is not an unhandled rejection', async () => {
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  });
  const unhandled: unknown[] = [];
  process.on('unhandledRejection', (error) => unhandled.push(error));
  const service = await startScriptedService(({ kind, id }, { fail }) => {
    if (kind === 'publish') fail(id, 'FORBIDDEN', false);
    return kind === 'publish';
  });
  await using client = connectClient({ url: service.url, credential: CREDENTIAL });
  const lobby = client.channel('lobby');
  void lobby.publish('message', { text: 'refused' });
  void lobby.publish('notice', { level: 1 }, { ephemeral: true });
  await eventually(() => lobby.getSnapshot().messages.some(({ state }) => state === 'failed'));
  await client.close();
  void lobby.publish('message', { text: 'too late' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
});

test.each(['its credential is asked for', 'it is opened', 'it is acknowledged', 'its first event has come'])(
  'close() leaves nothing behind, also after a connect() at once, while %s',
  async (phase) => {
    const timers = new Set<unknown>();
    const runtime: Partial<Runtime> = {
      setTimer(action, ms) {
        const timer = setTimeout(() => (timers.delete(timer), action()), ms);
        timers.add(timer);
        return timer;
      },
      clearTimer(timer) {
        timers.delete(timer);
        clearTimeout(timer as NodeJS.Timeout);
      },
    };
    let reached: () => void = () => undefined;
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    const service = await startScriptedService(({ type, kind }) => {
      if (phase === 'it is opened' && type === 'connection_init') reached();
      if (phase === 'it is acknowledged' && kind === 'events') reached();
      return (
        (phase === 'it is opened' && type === 'connection_init') ||
        (phase === 'it is acknowledged' && kind === 'events')
      );
    });
    await using client = connectClient({
      ...{ url: service.url, runtime },
      async credential() {
        if (phase === 'its credential is asked for') reached();
        return CREDENTIAL;
      },
    });
    client.channel('lobby').on('message', () => undefined);
    if (phase === 'its first event has come') void eventually(() => client.viewer).then(reached);
    await isReached;
    await client.close();
    client.connect();
    await client.close();
    await eventually(() => service.sessions.size === 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect({ timers: timers.size, state: client.status.state }).toEqual({ timers: 0, state: 'ended' });
    expect(service.sessions.size).toBe(0);
  },
);

test('a client that was closed leaves no listener at the window', async () => {
  const listeners: unknown[] = [];
  const target = globalThis as Record<string, unknown>;
  const before = { add: target['addEventListener'], remove: target['removeEventListener'] };
  onTestFinished(
    () => void Object.assign(target, { addEventListener: before.add, removeEventListener: before.remove }),
  );
  Object.assign(target, {
    addEventListener: (_: string, listener: unknown) => listeners.push(listener),
    removeEventListener: (_: string, listener: unknown) => listeners.splice(listeners.indexOf(listener), 1),
  });
  const service = await startScriptedService();
  const { onPageSignal } = hostRuntime;
  await using client = connectClient({ url: service.url, credential: CREDENTIAL, runtime: { onPageSignal } });
  for (let i = 0; i < 3; i++) {
    client.connect();
    await client.channel('lobby').publish('message', { text: 'open' });
    expect(listeners).toHaveLength(5);
    await client.close();
    expect(listeners).toEqual([]);
  }
});

test('who left while the connection was cut is no ghost in the list of members', async () => {
  await using service = await startService();
  await createChannel(service);
  const [ada, bob] = [await createMember(service, 'ada'), await createMember(service, 'bob')];
  let signal: (signal: PageSignal) => void = () => undefined;
  await using client = connectClient({
    ...{ url: service.url, credential: ada.credential },
    runtime: { onPageSignal: (listener) => ((signal = listener), () => undefined) },
  });
  const other = connectClient({ url: service.url, credential: bob.credential });
  const lobby = client.channel('lobby');
  const members = () => lobby.presence.members.map(({ key }) => key).join();
  const stop = lobby.subscribe(() => undefined);
  other.connect();
  await eventually(() => members() === 'ada,bob');
  signal('hide');
  await other.close();
  await eventually(async () => true);
  signal('show');
  await eventually(() => members() === 'ada');
  stop();
});

test('asks for a credential with the reason `wake` when the token expired while the device slept', async () => {
  let signal: (signal: PageSignal) => void = () => undefined;
  let slept = 0;
  const service = await startScriptedService(({ type }, { send }) => {
    if (type !== 'connection_init') return false;
    const expiresAt = new Date(Date.now() + slept + 600_000).toISOString();
    send({ type: 'connection_ack', payload: { cursor: 'cursor_head', expiresAt } });
    return true;
  });
  const reasons: string[] = [];
  await using client = connectClient({
    url: service.url,
    credential: (reason) => (reasons.push(reason), CREDENTIAL),
    runtime: {
      now: () => Date.now() + slept,
      // Timers of a page do not fire while its device sleeps.
      setTimer: (action, ms) => setTimeout(action, ms),
      onPageSignal: (listener) => ((signal = listener), () => undefined),
    },
  });
  client.connect();
  await eventually(() => client.viewer);
  signal('hide');
  slept = 3_600_000;
  signal('show');
  await client.channel('lobby').publish('message', { text: 'awake' });
  expect(reasons).toEqual(['start', 'wake']);
});
