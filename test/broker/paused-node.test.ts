import { expect, test } from 'vitest';
import { FRESH_MS } from '../../src/broker/node-registration.ts';
import { type Published } from '../../src/broker/broker.ts';
import { type Message } from '../../src/broker/message.ts';
import { block } from '../support/block.ts';
import { openBroker } from '../support/broker-on-postgres.ts';
import { draft } from '../support/drafts.ts';
import { requirePostgres } from '../support/postgres.ts';

test('a node that was paused while it read answers only after it has looked for signals', async (context) => {
  requirePostgres(context);
  let waiting: (() => void)[] = [];
  let isPaused = false;
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const result = await store.rows<never>(sql, params);
        if (!isPaused) return result;
        await new Promise<void>((resolve) => {
          if (waiting.push(resolve) < 3) return;
          block(FRESH_MS + 100);
          for (const answer of waiting) answer();
          waiting = [];
        });
        return result;
      },
    }),
  });
  const { broker } = made;
  await broker.publish(draft());
  isPaused = true;
  const problems: (string | undefined)[] = [];
  const note = () => void problems.push(broker.problem());
  await Promise.all([
    broker.readBack('one', 'channel:lobby', { after: 0, before: 9 }, 9).then(note),
    broker.trimmedThrough('one', 'channel:lobby').then(note),
    broker.expiredThrough('one', 'channel:lobby', { keep: 1, since: undefined }, 0).then(note),
  ]);
  expect(problems).toEqual([undefined, undefined, undefined]);
});

test('a node that was paused delivers what arrived meanwhile after it has looked for signals, and closes no connection', async (context) => {
  requirePostgres(context);
  let isPaused = false;
  let publishNext = () => {};
  await using made = await openBroker({
    wrap: (store) => ({
      ...store,
      async rows(sql, params) {
        const isAppend = isPaused && sql.includes('append_messages');
        if (isAppend) publishNext();
        const result = await store.rows<never>(sql, params);
        if (isAppend) block(FRESH_MS + 100);
        return result;
      },
    }),
  });
  const { broker } = made;
  const received: Message[] = [];
  const problems = new Set<string | undefined>();
  let resets = 0;
  broker.listen({
    deliver(batch) {
      problems.add(broker.problem());
      received.push(...batch);
      return batch.map(() => 1);
    },
    reset: () => (resets += 1),
  });
  const first = await broker.publish(draft());
  isPaused = true;
  let ephemeral: Promise<Published> | undefined;
  // It waits for the append, and skips the log, which would refuse what a fenced node sends.
  publishNext = () => {
    const isStale = () => broker.problem() !== undefined;
    ephemeral = broker.publish(draft({ ephemeral: true }), isStale);
  };
  const second = await broker.publish(draft());
  isPaused = false;
  const between = await ephemeral!;
  const third = await broker.publish(draft());
  expect(received.filter(({ logged }) => logged)).toEqual(
    [first, second, third].map(({ message }) => message),
  );
  expect(received).toContainEqual(between.message);
  expect(second.connections).toBe(1);
  expect([...problems]).toEqual([undefined]);
  expect(resets).toBe(0);
});
