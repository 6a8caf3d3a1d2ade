import { expect, test, type TestContext } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { startService } from '../../src/service.ts';
import { CLUSTER_METRICS } from '../../src/transport/cluster-metrics-catalogue.ts';
import { METRICS } from '../../src/transport/metrics-catalogue.ts';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { createProxy } from '../support/proxy.ts';
import { publishTo } from '../support/publish.ts';
import { readMetric } from '../support/read-metric.ts';
import { MESSAGES, subscribeResuming } from '../support/resuming-subscription.ts';
import { API_KEY, createServiceClient, silentLogger } from '../support/service.ts';

async function startNode(databaseUrl: string) {
  const service = await startService(
    defaultConfig({ port: 0, mode: 'test' }),
    { databaseUrl, apiKey: API_KEY, masterKeys: ['the-master-key-of-these-test-processes'] },
    { logger: silentLogger },
  );
  const client = createServiceClient(service.url);
  return {
    ...client,
    async ready() {
      const response = await fetch(`${service.url}/ready`);
      return `${response.status} ${await response.text()}`;
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** Two nodes; the second one reaches the database through a proxy. */
async function startNodes(context: TestContext) {
  requirePostgres(context);
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  const proxy = await createProxy(server.port);
  const first = await startNode(url);
  const second = await startNode(Object.assign(new URL(url), { port: String(proxy.port) }).href);
  return {
    proxy,
    first,
    second,
    async [Symbol.asyncDispose]() {
      for (const each of [second, first, proxy]) await each[Symbol.asyncDispose]();
    },
  };
}

test('/metrics of a node on PostgreSQL prints the metrics of the reference, and counts batches here and there', async (context) => {
  await using nodes = await startNodes(context);
  const { first, second } = nodes;
  // The first reading is that of the start.
  expect(await readMetric(second, 'signalbox_nodes')).toBe(2);
  await createChannel(first, 'room');
  const { message } = await publishTo(first, { channel: 'room' }, 'start');
  const subscription = subscribeResuming(second.client({ apiKey: API_KEY }), MESSAGES, {
    channel: 'room',
    since: message.cursor ?? '',
  });
  await publishTo(first, { channel: 'room' }, 'followed');
  await subscription.until(({ messages }) => messages.length === 1);
  const values = Array.from({ length: 20 }, (_, n) => n);
  await Promise.all(values.map((n) => publishTo(first, { channel: 'room' }, n)));
  await subscription.until(({ messages }) => messages.length === 1 + values.length);

  const text = await (await fetch(`${first.url}/metrics`)).text();
  const described = [...text.matchAll(/^# TYPE (signalbox_\S+) (\S+)$/gm)].map(([, ...entry]) => entry);
  const documented = Object.entries({ ...METRICS, ...CLUSTER_METRICS }).map(([name, { kind }]) => [
    name,
    kind,
  ]);
  expect(described.sort()).toEqual(documented.sort());
  for (const [name, { kind }] of Object.entries(CLUSTER_METRICS))
    expect(name.endsWith('_total')).toBe(kind === 'counter');

  const batches = await readMetric(first, 'signalbox_append_messages_count');
  expect(batches).toBeGreaterThanOrEqual(3);
  expect(batches).toBeLessThanOrEqual(22);
  expect(await readMetric(first, 'signalbox_append_messages_sum')).toBe(22);
  expect(await readMetric(first, 'signalbox_append_duration_seconds_count')).toBe(batches);
  const [received, repaired] = [
    await readMetric(second, 'signalbox_received_messages_total'),
    await readMetric(second, 'signalbox_repaired_messages_total'),
  ];
  // A batch that arrives while an earlier one is repaired can be counted twice.
  expect(received + repaired).toBeGreaterThanOrEqual(20);
  expect(await readMetric(second, 'signalbox_append_messages_count')).toBe(0);
  for (const node of [first, second]) {
    expect(await readMetric(node, 'signalbox_suspended')).toBe(0);
    expect(await readMetric(node, 'signalbox_receiving_notifications')).toBe(1);
    expect(await readMetric(node, 'signalbox_registrations_total')).toBe(1);
    expect(await readMetric(node, 'signalbox_lag_messages')).toBe(0);
    expect(await node.ready()).toBe('200 ready');
  }
  // The node asks the database again when it is read again.
  await expect.poll(() => readMetric(first, 'signalbox_nodes')).toBe(2);
  expect(await readMetric(first, 'signalbox_log_messages')).toBe(22);
  expect(await readMetric(first, 'signalbox_notification_queue_ratio')).toBe(0);
});

test('/ready of a node that is cut off from the database names the cause, and the node counts afterwards that it was fenced', async (context) => {
  await using nodes = await startNodes(context);
  const { first, second, proxy } = nodes;
  proxy.cut();
  proxy.setBlackHole(true);
  await expect.poll(() => readMetric(second, 'signalbox_suspended')).toBe(1);
  await expect.poll(() => second.ready()).toMatch(/^503 .*cannot be reached/);
  expect(await readMetric(second, 'signalbox_receiving_notifications')).toBe(0);
  expect(await first.ready()).toBe('200 ready');
  // The other node must confirm this change, and cannot.
  await revokeToken(first, (await mint(first, { identity: 'ada' })).id);
  expect(await readMetric(first, 'signalbox_fences_total')).toBe(1);

  proxy.setBlackHole(false);
  await expect.poll(() => second.ready()).toBe('200 ready');
  expect(await readMetric(second, 'signalbox_suspended')).toBe(0);
  expect(await readMetric(second, 'signalbox_registrations_total')).toBe(2);
  expect(await readMetric(second, 'signalbox_receiving_notifications')).toBe(1);
});
