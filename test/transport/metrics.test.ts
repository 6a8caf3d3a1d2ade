import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { METRICS, PROCESS_METRICS } from '../../src/transport/metrics-catalogue.ts';
import { createChannel, publish } from '../support/backend.ts';
import { startService } from '../support/service.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

async function close(url: string, code: number): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.close(code);
  await once(socket, 'close');
}

test('/metrics prints exactly the metrics of the reference, and follows the rules of Prometheus', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await publish(signalbox, 'room', 'tick');
  await signalbox.service.retention.purge();
  await signalbox.ask('{ channel(id: "absent") { id } }', {}, null);
  await close(signalbox.wsUrl, 1000);
  await close(signalbox.wsUrl, 4999);
  const socket = new WebSocket(signalbox.wsUrl, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init","payload":{"token":"nonsense"}}');
  await once(socket, 'close');
  const read = async () => (await fetch(`${signalbox.url}/metrics`)).text();
  await expect.poll(read).toMatch(/^signalbox_websocket_closes_total\{code="4401"\} 1$/m);
  const text = await read();
  const described = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]),
  );
  const own = [...described].filter(([name]) => name?.startsWith('signalbox_'));
  expect(Object.fromEntries(own)).toEqual(
    Object.fromEntries(Object.entries(METRICS).map(([name, { kind }]) => [name, kind])),
  );
  for (const name of Object.keys(PROCESS_METRICS)) expect(described.has(name)).toBe(true);
  for (const [name, { kind }] of Object.entries(METRICS)) {
    expect(name).toMatch(/^signalbox_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/);
  }
  expect(text).toContain(`signalbox_build_info{version="${version}"} 1`);
  expect(text).toMatch(/^signalbox_websocket_closes_total\{code="1000"\} 1$/m);
  expect(text).toMatch(/^signalbox_websocket_closes_total\{code="other"\} 1$/m);
  expect(text).toMatch(/^signalbox_publish_duration_seconds_count 1$/m);
  expect(text).toMatch(/^signalbox_purge_duration_seconds_count 1$/m);
  expect(text).toMatch(/^signalbox_purged_rows_total 0$/m);
  expect(text).toMatch(/^signalbox_log_messages 1$/m);
  expect(text).toMatch(/^signalbox_store_bytes\{file="database"\} [1-9]\d+$/m);
  expect(text).toMatch(/^signalbox_refusals_total\{code="UNAUTHENTICATED"\} \d$/m);
});
