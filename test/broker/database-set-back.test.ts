import { expect, test } from 'vitest';
import { type Message } from '../../src/broker/message.ts';
import { openBroker } from '../support/broker-on-postgres.ts';
import { draft } from '../support/drafts.ts';
import { requirePostgres } from '../support/postgres.ts';

test('subscribers are reset when the database was set back: its next messages have numbers that they have seen', async (context) => {
  requirePostgres(context);
  await using made = await openBroker();
  const { broker, store } = made;
  let resets = 0;
  broker.listen({ reset: () => (resets += 1) });
  await broker.follow('one');
  for (let n = 0; n < 3; n++) await broker.publish(draft());
  await store.rows(
    `WITH a AS (UPDATE logs SET head = 1), b AS (UPDATE addresses SET last = 1) DELETE FROM messages WHERE sequence > 1`,
    [],
  );
  await expect.poll(() => resets).toBe(1);
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), []) });
  const { message } = await broker.publish(draft());
  expect(message.logged?.sequence).toBe(2);
  expect(received).toEqual([message]);
});

test('subscribers are reset when the log was set back and has grown beyond that again before the next look', async (context) => {
  requirePostgres(context);
  await using made = await openBroker();
  const { broker, store } = made;
  let resets = 0;
  broker.listen({ reset: () => (resets += 1) });
  await broker.follow('one');
  for (let n = 0; n < 3; n++) await broker.publish(draft());
  // The history after the first message is another one, as long as the one before.
  const replace = () =>
    store.rows(
      `WITH a AS (UPDATE messages SET id = id || '-new' WHERE sequence > 1)
       INSERT INTO log_epochs (project_id, began_after, epoch) VALUES ('one', 1, 1)
       ON CONFLICT (project_id, began_after) DO UPDATE SET epoch = log_epochs.epoch + 1`,
      [],
    );
  await replace();
  await expect.poll(() => resets).toBe(1);
  await broker.publish(draft());
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), []) });
  await replace();
  // Subscribers that received it would have a cursor of the new history, without its messages.
  await broker.publish(draft());
  expect(resets).toBe(2);
  expect(received).toEqual([]);
});
