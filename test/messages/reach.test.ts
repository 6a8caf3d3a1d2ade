import { randomBytes } from 'node:crypto';
import { type Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInProcessBroker } from '../../src/broker/broker-in-process.ts';
import { createInProcessLeases } from '../../src/broker/leases-in-process.ts';
import { type Message } from '../../src/broker/message.ts';
import { Connection } from '../../src/connections/connection.ts';
import { LogSubscriber } from '../../src/subscriptions/log-subscriber.ts';
import { createSubscriberIndex } from '../../src/subscriptions/subscriber-index.ts';
import { createLogStore } from '../../src/messages/log/log-store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createChannel, mint } from '../support/backend.ts';
import { apiKeyCaller } from '../support/callers.ts';
import { createManualClock } from '../support/clock.ts';
import { draft, keyed } from '../support/drafts.ts';
import { EVENTS, MESSAGES } from '../support/resuming-subscription.ts';
import {
  publishNumbers,
  numbers,
  publishRequest,
  type PublishResult,
  type PublishOptions,
} from '../support/publish.ts';
import { startService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';

const publish = fc.record({
  kind: fc.constantFrom('KEPT', 'KEPT', 'KEPT', 'EPHEMERAL', 'KEYED', 'CONFLICT'),
  channel: fc.constantFrom('lobby', 'lobby', 'lobby', 'attic'),
});
type Publish = typeof publish extends fc.Arbitrary<infer T> ? T : never;

/** One subscription: who it is of, and through which sequence it knows the log already. */
const subscription = fc.record({
  connection: fc.nat(3),
  channel: fc.constantFrom('lobby', 'lobby', 'attic'),
  knows: fc.oneof(fc.constant(0), fc.nat(150)),
});

function toDraft({ kind, channel }: Publish, index: number) {
  const over = { projectId: 'default', address: `channel:${channel}`, data: index } as const;
  if (kind === 'KEYED' || kind === 'CONFLICT')
    return keyed('key', { ...over, fingerprint: kind === 'KEYED' ? 'same' : `other-${index}` });
  return draft({ ...over, ephemeral: kind === 'EPHEMERAL' });
}

test('each message counts the connections that it is new to, each once, and reaches each subscription once', async () => {
  const bursts = fc.array(fc.array(publish, { maxLength: 100, size: 'max' }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      bursts,
      fc.array(subscription, { maxLength: 8, size: 'max' }),
      async (turns, subscriptions) => {
        const clock = createManualClock();
        const faults: unknown[] = [];
        const onFault = (error: unknown) => faults.push(error);
        await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
        const log = createLogStore(store, randomBytes);
        await using broker = createInProcessBroker({ log, leases: createInProcessLeases(clock), onFault });
        using subscriberIndex = createSubscriberIndex({ broker, clock, onFault });
        const connections = numbers(4).map(
          (number) =>
            new Connection({
              id: `conn_${number}`,
              nodeId: 'node',
              caller: apiKeyCaller(),
              transport: 'WEBSOCKET',
              openedAt: clock.now(),
              applyDue: () => undefined,
            }),
        );
        const heard = subscriptions.map(({ connection, channel, knows }) => {
          const messages: Message[] = [];
          const feed = new LogSubscriber({ broker, subscriberIndex }, connections[connection]!);
          feed.subscribe(`channel:${channel}`, 0);
          const position = { epoch: 1, sequence: knows };
          feed.begin({ after: position, head: position });
          feed.start({
            deliver: (run) => messages.push(...run),
            onLost: () => undefined,
            room: () => undefined,
            onFailed: onFault,
            onReplayed: () => undefined,
          });
          return messages;
        });

        const said: Message[] = [];
        for (const turn of turns) {
          const published = await Promise.allSettled(
            turn.map((one, index) => broker.publish(toDraft(one, index))),
          );
          for (const result of published) {
            if (result.status === 'rejected') continue;
            const { message, connections: reach, repeated } = result.value;
            const reached = subscriptions.filter((one) => !repeated && isNew(one, message));
            expect(reach).toBe(new Set(reached.map(({ connection }) => connection)).size);
            if (!repeated) said.push(message);
          }
        }
        subscriptions.forEach((one, index) =>
          expect(heard[index]).toEqual(said.filter((message) => isNew(one, message))),
        );
        expect(faults).toEqual([]);
      },
    ),
    { interruptAfterTimeLimit: 15_000 },
  );
});

const isNew = ({ channel, knows }: { channel: string; knows: number }, { address, logged }: Message) =>
  address === `channel:${channel}` && (logged?.sequence ?? Number.POSITIVE_INFINITY) > knows;

/** Sends all of it in one segment, so that it comes in one turn. */
function sendTogether(socket: RawSocket, messages: readonly object[]): void {
  const { _socket: wire } = socket.ws as unknown as { _socket: Socket };
  wire.cork();
  for (const message of messages) socket.send(message);
  wire.uncork();
}

const subscribe = (id: string, query: string, variables: object = {}) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
});
const publishes = (channel: string, from: number, count: number, options?: PublishOptions) =>
  numbers(count, from).map((number) => ({
    id: `p${number}`,
    type: 'subscribe',
    payload: publishRequest({ channel }, number, options),
  }));

interface Read {
  /** The answers to publishes, by what was said. */
  receipts: Map<number, PublishResult>;
  /** What each subscription was handed, by its id. */
  heard: Map<string, number[]>;
}

/** Reads until this socket has answered a ping: what came in and was answered before is all here. */
async function readUntil(socket: RawSocket, isThrough: (read: Read) => boolean): Promise<Read> {
  const read: Read = { receipts: new Map(), heard: new Map() };
  while (!isThrough(read)) {
    const { id, type, payload } = await socket.next();
    if (type === 'error' || payload?.errors) throw new Error(JSON.stringify(payload));
    if (type !== 'next') continue;
    const { said, messages, events } = payload.data;
    const data: number | undefined = (messages ?? events?.message)?.data;
    if (said) read.receipts.set(said.message.data, said);
    else if (data !== undefined) read.heard.set(id, [...(read.heard.get(id) ?? []), data]);
  }
  return read;
}

/** Resolves once all that was asked for is answered. */
async function settle(socket: RawSocket): Promise<void> {
  socket.send(subscribe('viewer', '{ viewer { kind } }'));
  while ((await socket.next()).id !== 'viewer');
  await socket.next();
}

const PAST = 1000;
/** A burst is many operations of one socket. */
const ROOMY = { maxOperationsPerConnection: 200 };

const countsOf = ({ receipts }: Read) => [...receipts.values()].map(({ connections }) => connections);

test('a connection with several subscriptions counts once for each message of a burst', async () => {
  await using signalbox = await startService(ROOMY);
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['room'] });
  using listener = await connectSocket(signalbox, { token: token.credential });
  using speaker = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  listener.send(subscribe('a', MESSAGES, { channel: 'room' }));
  listener.send(subscribe('b', MESSAGES, { channel: 'room' }));
  listener.send(subscribe('c', EVENTS));
  speaker.send(subscribe('a', MESSAGES, { channel: 'room' }));
  speaker.send(subscribe('b', MESSAGES, { channel: 'other' }));
  await settle(listener);
  await settle(speaker);

  // More than are handed on together at once, and two more channels’ worth in between.
  sendTogether(speaker, [
    ...publishes('room', 0, 90),
    ...publishes('other', 90, 5),
    ...publishes('room', 95, 20, { ephemeral: true }),
    ...publishes('other', 115, 1, { ephemeral: true }),
    ...publishes('room', 116, 4),
  ]);
  const room = [...numbers(90), ...numbers(20, 95), ...numbers(4, 116)];
  const other = [...numbers(5, 90), 115];
  const read = await readUntil(speaker, ({ receipts }) => receipts.size === 120);
  for (const number of room) expect(read.receipts.get(number)?.connections).toBe(2);
  for (const number of other) expect(read.receipts.get(number)?.connections).toBe(1);
  expect(read.heard).toEqual(
    new Map([
      ['a', room],
      ['b', other],
    ]),
  );
  const { heard } = await readUntil(listener, ({ heard: { size }, heard: all }) => {
    return size === 3 && [...all.values()].every((data) => data.length === room.length);
  });
  expect([...heard.values()]).toEqual([room, room, room]);
});

test('it counts once too when a subscription begins, ends or resumes in the middle of the burst', async () => {
  await using signalbox = await startService(ROOMY);
  await createChannel(signalbox, 'room');
  using socket = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  // So much that who resumes is still catching up while the burst goes on.
  const [first] = await publishNumbers(signalbox, 'room', PAST, -PAST);
  socket.send(subscribe('live', MESSAGES, { channel: 'room' }));
  await settle(socket);
  sendTogether(socket, [
    ...publishes('room', 0, 20),
    subscribe('fresh', MESSAGES, { channel: 'room' }),
    ...publishes('room', 20, 20),
    subscribe('resumed', MESSAGES, { channel: 'room', since: first!.cursor }),
    ...publishes('room', 40, 20),
  ]);
  // Those that began are caught up or catching up now; the burst goes on.
  sendTogether(socket, publishes('room', 60, 20));
  sendTogether(socket, [
    subscribe('late', MESSAGES, { channel: 'room', since: first!.cursor }),
    ...publishes('room', 80, 20),
  ]);
  const isThrough = ({ receipts, heard }: Read) =>
    receipts.size === 100 && ['live', 'fresh', 'resumed', 'late'].every((id) => heard.get(id)?.at(-1) === 99);
  const read = await readUntil(socket, isThrough);
  expect(countsOf(read)).toEqual(Array(100).fill(1));
  expect(read.heard.get('live')).toEqual(numbers(100));
  for (const id of ['resumed', 'late']) expect(read.heard.get(id)).toEqual(numbers(99 + PAST, 1 - PAST));
  const fresh = read.heard.get('fresh')!;
  expect(fresh).toEqual(numbers(fresh.length, 100 - fresh.length));
});

test('a publish that is said again in the burst counts nobody, and takes nothing from its neighbours', async () => {
  await using signalbox = await startService(ROOMY);
  await createChannel(signalbox, 'room');
  using socket = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  socket.send(subscribe('a', MESSAGES, { channel: 'room' }));
  socket.send(subscribe('b', MESSAGES, { channel: 'room' }));
  await settle(socket);
  const once = publishes('room', 2, 1, { idempotencyKey: 'once' });
  sendTogether(socket, [
    ...publishes('room', 0, 2),
    ...once,
    ...once.map((one) => ({ ...one, id: 'again' })),
    ...publishes('room', 3, 2),
  ]);
  const receipts = new Map<string, PublishResult>();
  const heard: Record<string, number[]> = { a: [], b: [] };
  while (receipts.size < 6 || heard['b']!.length < 5) {
    const { id, type, payload } = await socket.next();
    if (type !== 'next') continue;
    const { said, messages } = payload.data;
    if (said) receipts.set(id, said);
    else heard[id]!.push(messages.data);
  }
  const { message, ...again } = receipts.get('again')!;
  expect(again).toEqual({ connections: 0, repeated: true });
  expect(message).toEqual(receipts.get('p2')!.message);
  receipts.delete('again');
  for (const [id, receipt] of receipts) {
    expect(receipt).toMatchObject({
      connections: 1,
      repeated: false,
      message: { data: Number(id.slice(1)) },
    });
  }
  expect(heard).toEqual({ a: numbers(5), b: numbers(5) });
});
