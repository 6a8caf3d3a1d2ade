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
import { NO_RECORDER } from '../support/recorder.ts';

const publish = fc.record({
  kind: fc.constantFrom('KEPT', 'KEPT', 'KEPT', 'EPHEMERAL', 'KEYED', 'CONFLICT'),
  channel: fc.constantFrom('lobby', 'lobby', 'lobby', 'attic'),
});
type Publish = typeof publish extends fc.Arbitrary<infer T> ? T : never;

/** One subscription: the number of its connection, and the sequence number through which it already knows the log. */
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

test('publish counts each connection once per message that is new to it, and delivers each message to each subscription once', async () => {
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
        await using broker = createInProcessBroker({
          log,
          rows: store,
          leases: createInProcessLeases(clock),
          onFault,
        });
        using subscriberIndex = createSubscriberIndex({ broker, clock, recorder: NO_RECORDER, onFault });
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
        const delivered = subscriptions.map(({ connection, channel, knows }) => {
          const messages: Message[] = [];
          const deps = { broker, subscriberIndex, recorder: NO_RECORDER, replayed: () => undefined };
          const logSubscriber = new LogSubscriber(deps, connections[connection]!);
          logSubscriber.subscribe(`channel:${channel}`, 0);
          const position = { epoch: 1, sequence: knows };
          logSubscriber.begin({ after: position, head: position });
          logSubscriber.start({
            deliver: (batch) => messages.push(...batch),
            whenWritable: () => undefined,
            onLost: () => undefined,
            end: onFault,
          });
          return messages;
        });

        const published: Message[] = [];
        for (const turn of turns) {
          const results = await Promise.allSettled(
            turn.map((one, index) => broker.publish(toDraft(one, index))),
          );
          for (const result of results) {
            if (result.status === 'rejected') continue;
            const { message, connections: count, repeated } = result.value;
            const recipients = subscriptions.filter((one) => !repeated && isNew(one, message));
            expect(count).toBe(new Set(recipients.map(({ connection }) => connection)).size);
            if (!repeated) published.push(message);
          }
        }
        subscriptions.forEach((one, index) =>
          expect(delivered[index]).toEqual(published.filter((message) => isNew(one, message))),
        );
        expect(faults).toEqual([]);
      },
    ),
    { interruptAfterTimeLimit: 15_000 },
  );
});

const isNew = ({ channel, knows }: { channel: string; knows: number }, { address, logged }: Message) =>
  address === `channel:${channel}` && (logged?.sequence ?? Number.POSITIVE_INFINITY) > knows;

/** Sends all messages in one TCP segment, so that the service reads them in one turn of the event loop. */
function sendTogether(socket: RawSocket, messages: readonly object[]): void {
  const { _socket: tcpSocket } = socket.ws as unknown as { _socket: Socket };
  tcpSocket.cork();
  for (const message of messages) socket.send(message);
  tcpSocket.uncork();
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

interface Received {
  /** The receipts of publishes, by the data of the message. */
  receipts: Map<number, PublishResult>;
  /** The data delivered to each subscription, by operation id. */
  delivered: Map<string, number[]>;
}

/** Reads messages from the socket until `isComplete` returns true. */
async function readUntil(socket: RawSocket, isComplete: (received: Received) => boolean): Promise<Received> {
  const received: Received = { receipts: new Map(), delivered: new Map() };
  while (!isComplete(received)) {
    const { id, type, payload } = await socket.next();
    if (type === 'error' || payload?.errors) throw new Error(JSON.stringify(payload));
    if (type !== 'next') continue;
    const { said, messages, events } = payload.data;
    const data: number | undefined = (messages ?? events?.message)?.data;
    if (said) received.receipts.set(said.message.data, said);
    else if (data !== undefined) received.delivered.set(id, [...(received.delivered.get(id) ?? []), data]);
  }
  return received;
}

/** Resolves when the service has processed everything that the socket sent so far. */
async function settle(socket: RawSocket): Promise<void> {
  socket.send(subscribe('viewer', '{ viewer { kind } }'));
  while ((await socket.next()).id !== 'viewer');
  await socket.next();
}

const EARLIER_MESSAGES = 1000;
/** A burst runs many operations on one socket. */
const MANY_OPERATIONS = { maxOperationsPerConnection: 200 };

const countsOf = ({ receipts }: Received) => [...receipts.values()].map(({ connections }) => connections);

test('a receipt counts a connection once when it has several subscriptions, for each message of a burst', async () => {
  await using signalbox = await startService(MANY_OPERATIONS);
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'other');
  const token = await mint(signalbox, { channels: ['room'] });
  using listener = await connectSocket(signalbox, { token: token.credential });
  using publisher = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  listener.send(subscribe('a', MESSAGES, { channel: 'room' }));
  listener.send(subscribe('b', MESSAGES, { channel: 'room' }));
  listener.send(subscribe('c', EVENTS));
  publisher.send(subscribe('a', MESSAGES, { channel: 'room' }));
  publisher.send(subscribe('b', MESSAGES, { channel: 'other' }));
  await settle(listener);
  await settle(publisher);

  // More messages than fit in one batch, with batches of another channel in between.
  sendTogether(publisher, [
    ...publishes('room', 0, 90),
    ...publishes('other', 90, 5),
    ...publishes('room', 95, 20, { ephemeral: true }),
    ...publishes('other', 115, 1, { ephemeral: true }),
    ...publishes('room', 116, 4),
  ]);
  const room = [...numbers(90), ...numbers(20, 95), ...numbers(4, 116)];
  const other = [...numbers(5, 90), 115];
  const received = await readUntil(publisher, ({ receipts }) => receipts.size === 120);
  for (const number of room) expect(received.receipts.get(number)?.connections).toBe(2);
  for (const number of other) expect(received.receipts.get(number)?.connections).toBe(1);
  expect(received.delivered).toEqual(
    new Map([
      ['a', room],
      ['b', other],
    ]),
  );
  const { delivered } = await readUntil(
    listener,
    ({ delivered: lists }) =>
      lists.size === 3 && [...lists.values()].every((data) => data.length === room.length),
  );
  expect([...delivered.values()]).toEqual([room, room, room]);
});

test('a receipt counts a connection once when one of its subscriptions starts or resumes during a burst', async () => {
  await using signalbox = await startService(MANY_OPERATIONS);
  await createChannel(signalbox, 'room');
  using socket = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  // Enough messages that a resumed subscription is still catching up during the burst.
  const [first] = await publishNumbers(signalbox, 'room', EARLIER_MESSAGES, -EARLIER_MESSAGES);
  socket.send(subscribe('live', MESSAGES, { channel: 'room' }));
  await settle(socket);
  sendTogether(socket, [
    ...publishes('room', 0, 20),
    subscribe('fresh', MESSAGES, { channel: 'room' }),
    ...publishes('room', 20, 20),
    subscribe('resumed', MESSAGES, { channel: 'room', since: first!.cursor }),
    ...publishes('room', 40, 20),
  ]);
  // The new subscriptions are catching up or live by now; the burst continues.
  sendTogether(socket, publishes('room', 60, 20));
  sendTogether(socket, [
    subscribe('late', MESSAGES, { channel: 'room', since: first!.cursor }),
    ...publishes('room', 80, 20),
  ]);
  const isComplete = ({ receipts, delivered }: Received) =>
    receipts.size === 100 &&
    ['live', 'fresh', 'resumed', 'late'].every((id) => delivered.get(id)?.at(-1) === 99);
  const received = await readUntil(socket, isComplete);
  expect(countsOf(received)).toEqual(Array(100).fill(1));
  expect(received.delivered.get('live')).toEqual(numbers(100));
  for (const id of ['resumed', 'late'])
    expect(received.delivered.get(id)).toEqual(numbers(99 + EARLIER_MESSAGES, 1 - EARLIER_MESSAGES));
  const fresh = received.delivered.get('fresh')!;
  expect(fresh).toEqual(numbers(fresh.length, 100 - fresh.length));
});

test('a repeated publish in a burst counts no connections and does not affect the other publishes', async () => {
  await using signalbox = await startService(MANY_OPERATIONS);
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
  const delivered: Record<string, number[]> = { a: [], b: [] };
  while (receipts.size < 6 || delivered['b']!.length < 5) {
    const { id, type, payload } = await socket.next();
    if (type !== 'next') continue;
    const { said, messages } = payload.data;
    if (said) receipts.set(id, said);
    else delivered[id]!.push(messages.data);
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
  expect(delivered).toEqual({ a: numbers(5), b: numbers(5) });
});
