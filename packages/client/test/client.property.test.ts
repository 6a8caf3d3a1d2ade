import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createClient,
  SignedOut,
  type ClientStorage,
  type SignalboxError,
  type WebSocketClass,
} from '../src/index.ts';
import { createModelClock, settle } from './support/model-clock.ts';
import {
  createModelService,
  INBOX_CHANNELS,
  SIDE_CHANNEL,
  type Fault,
  type Refusal,
} from './support/model-service.ts';

const CHANNELS = [...INBOX_CHANNELS, SIDE_CHANNEL];

/** A listener of the application, with what it received. */
interface Listening {
  readonly channel: string;
  readonly received: string[];
  isOff: boolean;
  removesOthers: boolean;
  off(): void;
}

interface Publish {
  readonly channel: string;
  readonly text: string;
  outcome?: 'kept' | SignalboxError;
}

/** A client against the model of the service, and what it is asked and observed to do. */
function createWorld({ seed, skewMs, lifetimeMs }: { seed: number; skewMs: number; lifetimeMs: number }) {
  const clock = createModelClock(seed);
  const service = createModelService(clock, skewMs);
  const violations: string[] = [];
  const hung: (() => void)[] = [];
  const login = { failures: 0, isSignedOut: false, hangs: false, since: -Infinity, calls: 0 };
  /** The head of the log when the application was told of a gap, by channel. */
  const gaps = new Map<string | undefined, number>();

  const client = createClient<{ message: { text: string } }>({
    url: 'https://model.example',
    webSocket: service.webSocket,
    runtime: clock.runtime,
    async credential() {
      login.calls++;
      // A call that has not answered within 30 s is given up.
      if (clock.now() - login.since < 30_000) violations.push('two credential calls at once');
      login.since = clock.now();
      const { since } = login;
      if (login.hangs) await new Promise<void>((resolve) => hung.push(resolve));
      if (login.since === since) login.since = -Infinity;
      if (login.isSignedOut) {
        login.isSignedOut = false;
        throw new SignedOut();
      }
      if (login.failures > 0) {
        login.failures--;
        throw new Error('503');
      }
      return service.createCredential(lifetimeMs);
    },
  });
  client.on('gap', ({ channel }) => gaps.set(channel, service.log.length));

  function listen(channel: string): Listening {
    const listening: Listening = {
      channel,
      received: [],
      isOff: false,
      removesOthers: false,
      off: () => undefined,
    };
    const stop = client.channel(channel).on('message', ({ data }) => {
      if (listening.isOff) violations.push(`listener of ${channel} called after off`);
      listening.received.push(data.text);
      if (listening.removesOthers) for (const other of passing.splice(0)) other.off();
    });
    listening.off = () => {
      stop();
      listening.isOff = true;
    };
    return listening;
  }

  const published: Publish[] = [];
  const permanent = CHANNELS.map(listen);
  const passing: Listening[] = [];
  const views = new Map<string, () => void>();

  return {
    ...{ clock, service, client, violations, login, gaps, published, permanent, passing, views, listen },
    publish(channel: string): void {
      const publish: Publish = { channel, text: `own ${published.length}` };
      published.push(publish);
      client
        .channel(channel)
        .publish('message', { text: publish.text })
        .then(
          () => (publish.outcome = 'kept'),
          (error: unknown) => (publish.outcome = error as SignalboxError),
        );
    },
    answerLogins() {
      login.hangs = false;
      for (const resolve of hung.splice(0)) resolve();
    },
    advance: (ms: number) => clock.advance(ms, service.scheduledTasks),
  };
}

type World = ReturnType<typeof createWorld>;
interface Model {
  others: number;
}
type Command = fc.AsyncCommand<Model, World>;

function command(name: string, run: (world: World, model: Model) => unknown): Command {
  return {
    check: () => true,
    toString: () => name,
    async run(model, world) {
      await run(world, model);
      await settle();
      expect(world.violations).toEqual([]);
    },
  };
}

/** Asserts that nothing of a client that ended is left in its environment. */
function expectNothingLeft({ clock, service }: World): void {
  expect({ timers: clock.timers, listeners: clock.listeners, connections: service.connections }).toEqual({
    ...{ timers: 0, listeners: 0, connections: 0 },
  });
}

const BUSY: Refusal = { code: 'UNAVAILABLE', retryable: true };
const FAULTS: Fault[] = [
  'cut',
  'swallow',
  { code: 1012, text: 'The service is restarting.' },
  { code: 1013, text: 'The service is overloaded.' },
  { code: 1008, text: 'A moderator closed the connection.' },
  { code: 4403, text: 'The token has expired.' },
  { code: 4408, text: 'The client did not read fast enough.' },
];
const channel = fc.constantFrom(...CHANNELS);
/** What an application and a page do all the time. */
const FREQUENT = [
  channel.map((id) => command(`publish(${id})`, (world) => world.publish(id))),
  channel.map((id) =>
    command(`others publish(${id})`, ({ service }, model) => service.publish(id, `other ${model.others++}`)),
  ),
  channel.map((id) =>
    command(`show(${id})`, ({ client, views, violations }) => {
      if (views.has(id)) return;
      const shown = client.channel(id);
      const check = () => {
        const texts = shown.getSnapshot().messages.map(({ data }) => data.text);
        if (new Set(texts).size < texts.length) violations.push(`${id} shows ${texts.join()}`);
      };
      views.set(id, shown.subscribe(check));
    }),
  ),
  channel.map((id) =>
    command(`hide(${id})`, ({ views }) => {
      views.get(id)?.();
      views.delete(id);
    }),
  ),
].flatMap((each) => [each, each, each]);
const COMMANDS = [
  fc.nat({ max: 60_000 }).map((ms) => command(`advance(${ms})`, (world) => world.advance(ms))),
  fc.constant(command('advance(10 minutes)', (world) => world.advance(600_000))),
  fc
    .tuple(fc.constantFrom(...FAULTS), fc.nat({ max: 12 }))
    .map(([fault, after]) =>
      command(`fault(${JSON.stringify(fault)}, after ${after} messages)`, ({ service }) =>
        service.fail(fault, after),
      ),
    ),
  fc.boolean().map((is) => command(`down(${is})`, ({ service }) => service.setDown(is))),
  fc.boolean().map((is) => command(`black hole(${is})`, ({ service }) => service.setBlackHole(is))),
  fc.constant(command('trim', ({ service }) => service.trim())),
  fc.constant(command('revoke', ({ service }) => service.revoke())),
  fc
    .constantFrom('events' as const, 'publish' as const, 'read' as const, 'messages' as const)
    .map((kind) => command(`busy(${kind})`, ({ service }) => service.refuse(kind, BUSY))),
  fc.constant(
    command('refuse a publish', ({ service }) =>
      service.refuse('publish', { code: 'FORBIDDEN', retryable: false }),
    ),
  ),
  fc
    .nat({ max: 4 })
    .map((count) => command(`credential fails(${count})`, ({ login }) => (login.failures = count))),
  fc.constant(command('credential hangs', ({ login }) => (login.hangs = true))),
  fc.constant(command('credential answers', (world) => world.answerLogins())),
  fc.constant(command('signed out', ({ login }) => (login.isSignedOut = true))),
  fc
    .constantFrom('check' as const, 'offline' as const, 'hide' as const, 'show' as const)
    .map((signal) => command(`page ${signal}`, ({ clock }) => clock.signal(signal))),
  channel.map((id) => command(`on(${id})`, ({ passing, listen }) => passing.push(listen(id)))),
  fc.constant(
    command('the first listeners remove the passing ones', ({ permanent }) => {
      for (const listening of permanent) listening.removesOthers = true;
    }),
  ),
  fc
    .constantFrom(3_600_000, -3_600_000)
    .map((ms) => command(`system clock set by ${ms}`, ({ clock }) => clock.set(ms))),
  fc.nat({ max: 400 }).map((ms) => command(`lag(${ms})`, ({ service }) => service.setLag(ms))),
  fc.nat({ max: 1_500 }).map((ms) => command(`advance(${ms})`, (world) => world.advance(ms))),
  fc.constant(command('off', ({ passing }) => passing.pop()?.off())),
  channel.map((id) => command(`type(${id})`, ({ client }) => client.channel(id).typing.start())),
  fc.constant(command('set presence', ({ client }) => client.channel('a').presence.set({ mood: 'fine' }))),
  channel.map((id) =>
    command(`older(${id})`, ({ client }) =>
      client
        .channel(id)
        .loadOlder(5)
        .catch(() => undefined),
    ),
  ),
  fc.constant(
    command('close', async (world) => {
      await world.client.close();
      await settle();
      expectNothingLeft(world);
    }),
  ),
  fc.constant(command('connect', ({ client }) => client.connect())),
];

/** Ends every fault and lets time pass until the client has caught up. */
async function heal(world: World): Promise<void> {
  const { service, login, client, published, clock } = world;
  service.heal();
  Object.assign(login, { failures: 0, isSignedOut: false });
  world.answerLogins();
  await settle();
  const isDone = () =>
    client.status.state === 'connected' && published.every(({ outcome }) => outcome !== undefined);
  for (let i = 0; i < 100 && !(isDone() && i > 5); i++) {
    if (client.status.state === 'ended') client.connect();
    clock.signal('show');
    await settle();
    await world.advance(5_000);
  }
  expect(client.status.state).toBe('connected');
}

/** Asserts that the log and everything that was delivered and is shown agree. */
function expectAgreement(world: World): void {
  const { service, client, published, permanent, gaps, views } = world;
  const keys = service.log.flatMap(({ key }) => key ?? []);
  expect(new Set(keys).size).toBe(keys.length);
  for (const channel of CHANNELS) {
    const logged = service.log.filter((kept) => kept.channel === channel);
    const texts = logged.map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
    const mine = published.filter((entry) => entry.channel === channel);
    for (const { outcome, text } of mine) {
      if (outcome === undefined) throw new Error(`${text} is neither kept nor failed.`);
      if (outcome !== 'kept' && !['FORBIDDEN', 'ENDED', 'UNAVAILABLE', 'DISCONNECTED'].includes(outcome.code))
        throw outcome;
    }
    const kept = mine.filter(({ outcome }) => outcome === 'kept').map(({ text }) => text);
    expect(
      texts.filter((text) => kept.includes(text)),
      `order in ${channel}`,
    ).toEqual(kept);

    const { received } = permanent.find((listening) => listening.channel === channel)!;
    const missing = logged.filter(({ text }) => !received.includes(text));
    const told = gaps.get(channel) ?? 0;
    // The inbox replays what is retained; the subscription of one channel begins at the head when its position is lost.
    const excused = channel === SIDE_CHANNEL ? told : Math.min(told, service.lastTrimmed);
    expect(
      missing.filter(({ sequence }) => sequence > excused),
      `missed in ${channel}`,
    ).toEqual([]);
    expect(received, `order of ${channel}`).toEqual(texts.filter((text) => received.includes(text)));

    if (!views.has(channel)) continue;
    const { messages } = client.channel(channel).getSnapshot();
    expect(
      messages.map(({ state }) => state).filter((state) => state !== 'published' && state !== 'failed'),
    ).toEqual([]);
    const shown = messages.filter(({ state }) => state === 'published').map(({ data }) => data.text);
    expect(new Set(shown).size).toBe(shown.length);
    // What the service no longer keeps may still be shown, but has no place in the order any more.
    const retained = logged.filter(({ sequence }) => sequence > service.lastTrimmed).map(({ text }) => text);
    const shownRetained = shown.filter((text) => retained.includes(text));
    expect(shownRetained.length, `shown in ${channel}`).toBeGreaterThanOrEqual(Math.min(50, retained.length));
    expect(shownRetained, `shown in ${channel}`).toEqual(
      retained.slice(retained.length - shownRetained.length),
    );
  }
}

test.each([3_600_000, -3_600_000, 86_400_000, -86_400_000])(
  'renews on the live connection, and publishes, when the system clock is set by %i ms',
  async (ms) => {
    const world = createWorld({ seed: 0, skewMs: 0, lifetimeMs: 600_000 });
    const { clock, client, login } = world;
    await settle();
    const states: string[] = [];
    client.on('status', ({ state }) => states.push(state));
    for (const by of [0, ms, 0, -ms, 0]) {
      clock.set(by);
      await world.advance(500_000);
      world.publish('a');
      await settle();
    }
    expect(new Set(states)).toEqual(new Set(['renewing', 'connected']));
    expect(login.calls).toBeLessThanOrEqual(8);
    expect(world.published.map(({ outcome }) => outcome)).toEqual(Array(5).fill('kept'));
    await client.close();
    expectNothingLeft(world);
  },
);

test('tells of a gap only when the channel has a position from which nothing more is missed', async () => {
  const world = createWorld({ seed: 0, skewMs: 0, lifetimeMs: 60_000 });
  const { service, clock, client, views } = world;
  await settle();
  // Reconnects before the log has a message; the inbox is accepted only after the first message was trimmed.
  service.fail('cut', 0);
  service.refuse('events', BUSY);
  views.set(
    'a',
    client.channel('a').subscribe(() => undefined),
  );
  await settle();
  clock.signal('check');
  await settle();
  service.publish(SIDE_CHANNEL, 'trimmed');
  service.trim();
  world.publish(SIDE_CHANNEL);
  await heal(world);
  expectAgreement(world);
  await client.close();
});

test('the client never loses or duplicates a message and leaves nothing open when any step fails', async () => {
  const worlds = fc.record({
    seed: fc.nat({ max: 2 ** 31 - 1 }),
    skewMs: fc.constantFrom(0, 0, 3_600_000, -3_600_000),
    lifetimeMs: fc.constantFrom(60_000, 600_000, 86_400_000),
  });
  await fc.assert(
    fc.asyncProperty(
      worlds,
      fc.commands([...COMMANDS, ...FREQUENT], { maxCommands: 60, size: 'max' }),
      async (options, commands) => {
        const world = createWorld(options);
        await settle();
        await fc.asyncModelRun(() => ({ model: { others: 0 }, real: world }), commands);
        await heal(world);
        expectAgreement(world);
        await world.client.close();
        for (const { off } of [...world.passing, ...world.permanent]) off();
        for (const stop of world.views.values()) stop();
        world.client.channel('a').typing.start();
        await settle();
        expectNothingLeft(world);
        expect(world.violations).toEqual([]);
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  );
});

/** A storage that answers when the test says so. */
function createSlowStorage(cursor: string) {
  let answer: () => void = () => undefined;
  const isReady = new Promise<void>((resolve) => (answer = resolve));
  const storage = {
    getItem: (key: string) => isReady.then(() => (key.endsWith(':cursor') ? cursor : null)),
    setItem: () => undefined,
    removeItem: () => undefined,
  };
  return { storage, answer };
}

test('a client that is connected and closed while its storage is read resumes from it, or stays closed', async () => {
  const clock = createModelClock(1);
  const service = createModelService(clock);
  service.publish('a', 'missed');
  const open = (storage: ClientStorage) =>
    createClient<{ message: { text: string } }>({
      ...{ url: 'https://model.example', webSocket: service.webSocket, runtime: clock.runtime, storage },
      credential: () => service.createCredential(60_000),
    });
  const [first, second] = [createSlowStorage('0'), createSlowStorage('0')];
  const [resuming, closing] = [open(first.storage), open(second.storage)];
  const received: string[] = [];
  resuming.channel('a').on('message', ({ data }) => received.push(data.text));
  closing.channel('a').on('message', ({ data }) => received.push(data.text));
  resuming.connect();
  await closing.close();
  // The credential function has answered long ago.
  await settle();
  first.answer();
  second.answer();
  await settle();
  expect(received).toEqual(['missed']);
  expect([resuming.status.state, closing.status.state]).toEqual(['connected', 'ended']);
  await resuming.close();
  expect(service.connections).toBe(0);
});

test('ends with a sentence when the environment refuses the address at once', async () => {
  const RefusingSocket = function () {
    throw new Error('An insecure WebSocket connection may not be initiated from a page loaded over HTTPS.');
  } as unknown as WebSocketClass;
  const clock = createModelClock(1);
  const client = createClient({
    ...{
      url: 'http://model.example',
      credential: 'anonymous',
      runtime: clock.runtime,
      webSocket: RefusingSocket,
    },
  });
  client.connect();
  await settle();
  expect(client.status).toMatchObject({
    state: 'ended',
    reason: 'protocol',
    error: { code: 'BAD_USER_INPUT' },
  });
  expect({ timers: clock.timers, listeners: clock.listeners }).toEqual({ timers: 0, listeners: 0 });
});
