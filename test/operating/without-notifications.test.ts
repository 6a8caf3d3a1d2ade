import { expect, test } from 'vitest';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { publishTo } from '../support/publish.ts';
import { readMetric } from '../support/read-metric.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { startServiceOnPostgres } from '../support/service.ts';

test('while every NOTIFY fails, as it does when its queue is full, messages and changes of other nodes arrive by the looks at the database', async (context) => {
  requirePostgres(context);
  const server = await sharedPostgres();
  const owned = new URL(await server.createDatabase());
  const database = owned.pathname.slice(1);
  await server.query(
    owned.href,
    `create role silent login password 'silent'; alter database ${database} owner to silent`,
  );
  await server.query(owned.href, 'revoke execute on function pg_notify(text, text) from public');
  const url = Object.assign(owned, { username: 'silent', password: 'silent' }).href;
  await using first = await startServiceOnPostgres(url);
  await using second = await startServiceOnPostgres(url);
  await createChannel(first, 'room');
  const token = await mint(first, { channels: ['room'] });
  let close: (code: number) => void = () => undefined;
  const closed = new Promise<number>((resolve) => (close = resolve));
  const client = second.client(
    { token: token.credential },
    { on: { closed: (event) => close((event as CloseEvent).code) } },
  );
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  await inbox.until(({ events }) => events.length > 0);
  for (const data of [1, 2, 3]) await publishTo(first, { channel: 'room' }, data);
  await inbox.until(({ messages }) => messages.length === 3);
  expect(inbox.messages.map(({ data }) => data)).toEqual([1, 2, 3]);
  await revokeToken(first, token.id);
  expect(await closed).toBe(4403);
  expect(await readMetric(first, 'signalbox_notifications_sent_total')).toBe(0);
  expect(await readMetric(second, 'signalbox_repairs_total')).toBeGreaterThan(0);
  expect(await readMetric(first, 'signalbox_fences_total')).toBe(0);
});
