import { expect, test } from 'vitest';
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
  const reading = new Promise<void>((resolve) => (onRead = resolve));
  const made = await openBroker({
    url,
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        if (sql.includes('AS trimmed')) {
          onRead();
          await released;
        }
        return store.rows<never>(sql, params);
      },
    }),
  });
  return { ...made, reading, release };
}

test('a subscription that reads its past delivers what is published to a channel that it joins during the read', async (context) => {
  requirePostgres(context);
  await using a = await openBroker();
  await using b = await openBusyNode(a.url);
  const clock = createManualClock();
  const onFault = (error: unknown) => expect(error).toBeUndefined();
  await b.broker.follow('one');
  using subscriberIndex = createSubscriberIndex({ broker: b.broker, clock, recorder: NO_RECORDER, onFault });
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
  const joined = ADDRESSES.find((address) => address !== LOBBY)!;
  subscriber.subscribe(joined, (await b.broker.head('one')).sequence);
  const live = await a.broker.publish(draft({ address: joined }));
  const last = await a.broker.publish(draft());
  b.release();
  await expect.poll(() => delivered.length).toBeGreaterThanOrEqual(3);
  expect(delivered).toEqual([past, live, last].map(({ message }) => message));
});
