import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { publishNumbers } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Retention is 30 minutes; the channel `short` keeps messages for 10 minutes. */
async function start() {
  const clock = createManualClock();
  const signalbox = await startService({ retentionSeconds: 1800, purgeIntervalMs: 3_600_000 }, { clock });
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'short', { history: { seconds: 600 } });
  return {
    clock,
    publish: async () => {
      for (const channel of ['room', 'short']) await publishNumbers(signalbox, channel, 5);
    },
    counts: () => counts(signalbox),
    [Symbol.asyncDispose]: () => signalbox[Symbol.asyncDispose](),
  };
}

/** Purges, then counts the messages in the log, whether or not a reader may see them. */
async function counts({ service }: TestService): Promise<{ room: number; short: number }> {
  await service.retention.purge();
  const { broker } = service.domain;
  const countOf = async (channel: 'room' | 'short') => {
    const page = await broker.read({
      projectId: 'default',
      after: 0,
      addresses: new Map([[`channel:${channel}` as const, 0]]),
      limit: 1000,
    });
    return page.messages.length;
  };
  return { room: await countOf('room'), short: await countOf('short') };
}

test.each([
  ['forward by an hour', HOUR_MS],
  ['forward by ten years', 87_600 * HOUR_MS],
  ['back by an hour', -HOUR_MS],
  ['back by twelve minutes', -12 * MINUTE_MS],
])('messages are removed by their age in elapsed time when the clock is set %s', async (_, jump) => {
  await using started = await start();
  const { clock, publish, counts } = started;
  await publish();
  await clock.advance(5 * MINUTE_MS);
  expect(await counts()).toEqual({ room: 5, short: 5 });
  clock.jump(jump);
  // Published after the jump and before it is noticed.
  await publish();
  expect(await counts()).toEqual({ room: 10, short: 10 });
  await publish();
  await clock.advance(5 * MINUTE_MS + 1000);
  expect((await counts()).short).toBe(10);
  await clock.advance(5 * MINUTE_MS);
  expect(await counts()).toEqual({ room: 15, short: 0 });
  await clock.advance(15 * MINUTE_MS);
  expect((await counts()).room).toBe(10);
  await clock.advance(5 * MINUTE_MS);
  expect((await counts()).room).toBe(0);
});

test('messages are removed by their age when the clock jumps several times', async () => {
  await using started = await start();
  const { clock, publish, counts } = started;
  for (const jump of [HOUR_MS, -HOUR_MS, -20 * MINUTE_MS, 40 * MINUTE_MS]) {
    await publish();
    clock.jump(jump);
    await counts();
    await clock.advance(5 * MINUTE_MS);
  }
  expect((await counts()).room).toBe(20);
  await clock.advance(5 * MINUTE_MS + 1000);
  for (const remaining of [15, 10, 5, 0]) {
    await clock.advance(5 * MINUTE_MS);
    expect((await counts()).room).toBe(remaining);
  }
});
