import { expect, test, type TestContext } from 'vitest';
import { type Message } from '../../src/broker/message.ts';
import { Connection } from '../../src/connections/connection.ts';
import { LogSubscriber } from '../../src/subscriptions/log-subscriber.ts';
import { createSubscriberIndex } from '../../src/subscriptions/subscriber-index.ts';
import { ADDRESSES, LOBBY } from '../support/broker.ts';
import { openBroker } from '../support/broker-on-postgres.ts';
import { apiKeyCaller } from '../support/callers.ts';
import { createManualClock } from '../support/clock.ts';
import { draft } from '../support/drafts.ts';
import { requirePostgres } from '../support/postgres.ts';
import { NO_RECORDER } from '../support/recorder.ts';

/** A node whose next read of a page waits for a connection to the database, until `release` is called. */
async function openBusyNode(url: string) {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let onRead: () => void = () => undefined;
  let reads = 0;
  const reading = new Promise<void>((resolve) => (onRead = resolve));
  const made = await openBroker({
    url,
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        if (sql.includes('AS trimmed')) {
          reads++;
          onRead();
          await released;
        }
        return store.rows<never>(sql, params);
      },
    }),
  });
  return { ...made, reading, release, readCount: () => reads };
}

/** A subscription to the lobby that has a message of the past to read, and does not get it yet. */
async function startReading(context: TestContext) {
  requirePostgres(context);
  const a = await openBroker();
  const b = await openBusyNode(a.url);
  const clock = createManualClock();
  const onFault = (error: unknown) => expect(error).toBeUndefined();
  await b.broker.follow('one');
  const subscriberIndex = createSubscriberIndex({ broker: b.broker, clock, recorder: NO_RECORDER, onFault });
  const connection = new Connection({
    id: 'conn_1',
    nodeId: 'node',
    caller: { ...apiKeyCaller(), projectId: 'one' },
    transport: 'WEBSOCKET',
    openedAt: clock.now(),
    applyDue: () => undefined,
  });
  const subscriber = new LogSubscriber(
    { broker: b.broker, subscriberIndex, recorder: NO_RECORDER, replayed: () => undefined },
    connection,
  );
  const after = await b.broker.head('one');
  subscriber.subscribe(LOBBY, 0);
  const past = await a.broker.publish(draft());
  subscriber.begin({ after, head: await b.broker.head('one') });
  const delivered: Message[] = [];
  subscriber.start({
    deliver: (batch) => delivered.push(...batch),
    whenWritable: () => undefined,
    onLost: () => undefined,
    end: onFault,
  });
  await b.reading;
  return {
    ...{ a, b, subscriber, delivered, past },
    async [Symbol.asyncDispose]() {
      subscriberIndex[Symbol.dispose]();
      await b[Symbol.asyncDispose]();
      await a[Symbol.asyncDispose]();
    },
  };
}

const JOINED = ADDRESSES.find((address) => address !== LOBBY)!;

test('a subscription that reads its past delivers what is published to a channel that it joins during the read', async (context) => {
  await using made = await startReading(context);
  const { a, b, subscriber, delivered, past } = made;
  subscriber.subscribe(JOINED, (await b.broker.head('one')).sequence);
  const live = await a.broker.publish(draft({ address: JOINED }));
  const last = await a.broker.publish(draft());
  b.release();
  await expect.poll(() => delivered.length).toBeGreaterThanOrEqual(3);
  expect(delivered).toEqual([past, live, last].map(({ message }) => message));
});

test('a subscription that reads its past reads nothing again for a channel that it joins at the end of the log', async (context) => {
  await using made = await startReading(context);
  const { b, subscriber, delivered, past } = made;
  subscriber.subscribe(JOINED, (await b.broker.head('one')).sequence);
  b.release();
  await expect.poll(() => delivered).toEqual([past.message]);
  await expect.poll(() => subscriber.progress().isCaughtUp).toBe(true);
  expect(b.readCount()).toBe(1);
});
