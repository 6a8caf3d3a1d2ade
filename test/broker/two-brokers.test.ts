import { describe, expect, test } from 'vitest';
import { type Message } from '../../src/broker/message.ts';
import { type Wire, type WireHandler } from '../../src/broker/wire.ts';
import { Connection } from '../../src/connections/connection.ts';
import { createSweepDuty } from '../../src/messages/log/sweeping-node.ts';
import { SLICE_MS } from '../../src/slices.ts';
import { LogSubscriber } from '../../src/subscriptions/log-subscriber.ts';
import { createSubscriberIndex } from '../../src/subscriptions/subscriber-index.ts';
import { twoBrokersContract } from '../contracts/two-brokers-contract.ts';
import { block } from '../support/block.ts';
import { ADDRESSES, LOBBY, publishAll } from '../support/broker.ts';
import { apiKeyCaller } from '../support/callers.ts';
import { createManualClock } from '../support/clock.ts';
import { draft } from '../support/drafts.ts';
import { openBroker } from '../support/broker-on-postgres.ts';
import { NO_RECORDER } from '../support/recorder.ts';
import { hasPostgres, requirePostgres } from '../support/postgres.ts';

async function open() {
  let areLost = false;
  const wrapWire = (wire: Wire): Wire => ({
    ...wire,
    send: (kind, payload) => {
      if (!areLost) wire.send(kind, payload);
    },
  });
  const a = await openBroker({ wrapWire });
  const b = await openBroker({ url: a.url, wrapWire });
  return {
    a: a.broker,
    b: b.broker,
    loseHints: (isOn: boolean) => void (areLost = isOn),
    async [Symbol.asyncDispose]() {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
  twoBrokersContract('The brokers with lanes', open);
});

test('a live subscription to a channel delivers nothing that was published before its membership, although this node receives it later', async (context) => {
  requirePostgres(context);
  await using made = await open();
  const { a, b } = made;
  await b.follow('one');
  const clock = createManualClock();
  const onFault = (error: unknown) => expect(error).toBeUndefined();
  using subscriberIndex = createSubscriberIndex({ broker: b, clock, recorder: NO_RECORDER, onFault });
  const connection = new Connection({
    id: 'conn_1',
    nodeId: 'node',
    caller: { ...apiKeyCaller(), projectId: 'one' },
    transport: 'WEBSOCKET',
    openedAt: clock.now(),
    applyDue: () => undefined,
  });
  const subscriber = new LogSubscriber(
    { broker: b, subscriberIndex, recorder: NO_RECORDER, replayed: () => undefined },
    connection,
  );
  const head = await b.head('one');
  subscriber.begin({ after: head, head });
  const delivered: Message[] = [];
  subscriber.start({
    deliver: (batch) => delivered.push(...batch),
    whenWritable: () => undefined,
    onLost: () => undefined,
    end: onFault,
  });
  made.loseHints(true);
  const before = await a.publish(draft());
  subscriber.subscribe(LOBBY, (await b.head('one')).sequence);
  const after = await a.publish(draft());
  expect(before.message.logged?.sequence).toBe(1);
  await expect.poll(() => delivered).toEqual([after.message]);
});

/** A node that learns of no message, neither over the wire (of one kind) nor from the heads of the logs, until `listen` is called. */
async function openCutOff(url: string, cutOff: 'batch' | 'ephemeral' = 'batch') {
  const payloads: unknown[] = [];
  let receive: WireHandler = (payload) => void payloads.push(payload);
  let listen: () => void = () => undefined;
  const listening = new Promise<void>((resolve) => (listen = resolve));
  const made = await openBroker({
    url,
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        if (sql.includes('LEFT JOIN logs ON project_id = id')) await listening;
        return store.rows<never>(sql, params);
      },
    }),
    wrapWire: (wire) => ({
      ...wire,
      listen(kind, handler) {
        if (kind !== cutOff) return wire.listen(kind, handler);
        const subscription = wire.listen(kind, (payload, from) => receive(payload, from));
        const late = handler;
        void listening.then(() => {
          receive = late;
          for (const payload of payloads) late(payload, 'node');
        });
        return subscription;
      },
    }),
  });
  return { ...made, payloads, listen };
}

test('messages that arrive during a delivery wait in a bounded queue, and further ones in the log', async (context) => {
  requirePostgres(context);
  await using a = await openBroker();
  await using b = await openCutOff(a.url);
  const received: Message[] = [];
  await b.broker.follow('one');
  b.broker.listen({
    deliver(batch) {
      // Longer than a slice of the event loop's turn.
      if (received.length < 2) block(SLICE_MS + 1);
      received.push(...batch);
      return batch.map(() => 1);
    },
  });
  const published = await publishAll(a.broker, ADDRESSES);
  for (let n = 0; n < 300; n++) published.push((await a.broker.publish(draft())).message);
  await expect.poll(() => b.payloads.length).toBe(301);
  b.listen();
  await expect.poll(() => received.length).toBe(published.length);
  expect(received).toEqual(published);
  expect(b.broker.followers.counts.batches).toBeLessThan(210);
});

test('ephemeral messages that arrive during a delivery wait up to a limit, and further ones are dropped and counted', async (context) => {
  requirePostgres(context);
  await using a = await openBroker();
  await using b = await openCutOff(a.url, 'ephemeral');
  let received = 0;
  b.broker.listen({
    deliver(batch) {
      // Longer than a slice of the event loop's turn.
      if (received === 0) block(SLICE_MS + 1);
      received += batch.length;
      return batch.map(() => 1);
    },
  });
  await a.broker.publish(draft({ ephemeral: true }));
  await expect.poll(() => b.payloads.length).toBeGreaterThan(0);
  const [payload] = b.payloads as [{ messages: unknown[] }];
  // As another node sends them, 10,000 in one notification.
  const messages = Array.from({ length: 10_000 }, () => payload.messages[0]);
  b.payloads.splice(0, b.payloads.length, { ...payload, messages }, { ...payload, messages });
  b.listen();
  await expect.poll(() => received).toBe(10_000);
  expect(b.broker.followers.ephemeralDropped).toBe(10_000);
  await a.broker.publish(draft({ ephemeral: true }));
  await expect.poll(() => received).toBe(10_001);
});

test('a node that missed much reads at most 1 MB at a time', async (context) => {
  requirePostgres(context);
  await using a = await openBroker();
  await using b = await openCutOff(a.url);
  const received: Message[] = [];
  await b.broker.follow('one');
  b.broker.listen({ deliver: (batch) => (received.push(...batch), batch.map(() => 1)) });
  const published: Message[] = [];
  const data = 'x'.repeat(600_000);
  for (let n = 0; n < 3; n++)
    published.push((await a.broker.publish(draft({ data, bytes: 600_002 }))).message);
  await expect.poll(() => b.payloads.length).toBe(3);
  b.listen();
  await expect.poll(() => received).toEqual(published);
  expect(b.broker.followers.counts.repairs).toBe(3);
});

test('the node that has been registered longest sweeps for all, until it leaves', async (context) => {
  requirePostgres(context);
  await using first = await openBroker();
  await using second = await openBroker({ url: first.url });
  const [dutyOfFirst, dutyOfSecond] = [createSweepDuty(first.store), createSweepDuty(second.store)];
  expect(await dutyOfFirst()).toEqual({ isSweeper: true, hasNodeLeft: false });
  expect(await dutyOfSecond()).toEqual({ isSweeper: false, hasNodeLeft: false });
  await second.store.rows(`UPDATE nodes SET fenced = true WHERE id LIKE $1`, [`${first.nodeId}%`]);
  expect(await dutyOfSecond()).toEqual({ isSweeper: true, hasNodeLeft: true });
  expect(await dutyOfFirst()).toEqual({ isSweeper: false, hasNodeLeft: true });
});
