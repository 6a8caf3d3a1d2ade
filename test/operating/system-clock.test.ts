import { join } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { createSystemClock, requireFaketime } from '../support/faketime.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';
import { readMetric } from '../support/read-metric.ts';
import { revoke } from '../support/revocation.ts';

const HOUR_SECONDS = 3600;

async function startWithClock(context: TestContext) {
  requireFaketime(context);
  const folder = createFolder();
  const clock = createSystemClock(folder.path);
  const service = await startProcess({
    folder: join(folder.path, 'data'),
    env: { ...clock.env, SIGNALBOX_RETENTION_SECONDS: '1800', SIGNALBOX_PURGE_INTERVAL_MS: '100' },
  });
  return {
    service,
    /** Sets the clock, and resolves when the service has seen it. */
    async setClock(seconds: number) {
      clock.set(seconds);
      await expect.poll(() => offsetOf(service)).toBeCloseTo(seconds, -1);
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** The difference between the clock of the service and that of the test, in seconds. */
async function offsetOf({ request }: RunningProcess): Promise<number> {
  const { publishMessage } = await request(
    'mutation { publishMessage(channel: "clock", event: "tick", ephemeral: true) { message { publishedAt } } }',
  );
  return (Date.parse(publishMessage.message.publishedAt) - Date.now()) / 1000;
}

/** Resolves when two purges have begun and ended. */
async function untilPurged(service: RunningProcess): Promise<void> {
  const count = () => readMetric(service, 'signalbox_purge_duration_seconds_count');
  const before = await count();
  await expect.poll(count).toBeGreaterThan(before + 2);
}

async function eventsOf({ request }: RunningProcess): Promise<string[]> {
  const { channel } = await request('{ channel(id: "room") { messages(last: 10) { nodes { event } } } }');
  return channel.messages.nodes.map(({ event }: { event: string }) => event);
}

const codeOf = async ({ ask }: RunningProcess, credential: string) =>
  (await ask('{ viewer { kind } }', {}, credential)).errors?.[0]?.extensions['code'] ?? 'open';

test('keeps messages and credentials while the system clock is set forward and back', async (context) => {
  await using started = await startWithClock(context);
  const { service, setClock } = started;
  for (const id of ['clock', 'room']) await createChannel(service, id);
  await publish(service, 'room', 'first');
  const { credential: first } = await mint(service);

  await setClock(HOUR_SECONDS);
  await untilPurged(service);
  await publish(service, 'room', 'ahead');
  expect(await eventsOf(service)).toEqual(['first', 'ahead']);
  const { credential: ahead } = await mint(service);

  await setClock(-HOUR_SECONDS);
  await untilPurged(service);
  await publish(service, 'room', 'behind');
  expect(await eventsOf(service)).toEqual(['first', 'ahead', 'behind']);
  for (const credential of [first, ahead]) expect(await codeOf(service, credential)).toBe('open');

  // A revocation covers everything that was issued before it, by whatever clock, and nothing that is issued afterwards.
  await revoke(service, { all: true });
  for (const credential of [first, ahead]) expect(await codeOf(service, credential)).toBe('TOKEN_REVOKED');
  const { credential: after } = await mint(service);
  expect(await codeOf(service, after)).toBe('open');
  await setClock(0);
  expect(await codeOf(service, ahead)).toBe('TOKEN_REVOKED');
  expect(await codeOf(service, after)).toBe('open');
  expect(service.stderr).not.toMatch(/fault|at .*:\d+:\d+/);
});

test('accepts a credential from before a step of the clock of 10 seconds in either direction', async (context) => {
  await using started = await startWithClock(context);
  const { service, setClock } = started;
  await createChannel(service, 'clock');
  for (const step of [10, -10]) {
    const { credential } = await mint(service, { expiresIn: 120 });
    await setClock(step);
    expect(await codeOf(service, credential)).toBe('open');
    await setClock(0);
    expect(await codeOf(service, credential)).toBe('open');
  }
});
