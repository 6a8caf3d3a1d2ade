import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { startCommand, type RunningCommand } from '../support/command-line.ts';
import { readMetric } from '../support/read-metric.ts';
import { startService, type TestService } from '../support/service.ts';

/** What `listen` does while its output is read too slowly, and when its reader has gone. */
const BATCH = 20;
const DATA = 'x'.repeat(30_000);
/** Far more than the memory that sockets and pipes have for what is on its way. */
const MAX_MESSAGES = 1_000;

let service: TestService;
beforeAll(async () => {
  service = await startService({ maxQueueBytes: 64 * 1024, maxAliases: BATCH });
});
afterAll(() => service[Symbol.asyncDispose]());

/** Starts `listen` as a new token, which is the only member of the channel. */
async function startListening(channel: string): Promise<RunningCommand> {
  await createChannel(service, channel);
  const { credential } = await mint(service, { channels: [channel] });
  const listening = startCommand(['listen', '--json'], {
    ...{ SIGNALBOX_URL: service.url, SIGNALBOX_CREDENTIAL: credential },
  });
  await listening.until(/"Connected"/);
  return listening;
}

/** Publishes a batch of large messages whose events are their numbers. */
async function publishBatch(channel: string, from: number): Promise<void> {
  const fields = Array.from(
    { length: BATCH },
    (_, i) =>
      `_${i}: publishMessage(channel: "${channel}", event: "n${from + i}", data: $data) { connections }`,
  );
  await service.request(`mutation ($data: JSON) { ${fields.join(' ')} }`, { data: DATA });
}

/** Publishes until the service has closed a slow client. Returns the number of messages. */
async function publishUntilTooSlow(channel: string): Promise<number> {
  const before = await readMetric(service, 'signalbox_slow_consumers_total');
  for (let count = 0; count < MAX_MESSAGES; count += BATCH) {
    if ((await readMetric(service, 'signalbox_slow_consumers_total')) > before) return count;
    await publishBatch(channel, count);
  }
  throw new Error(`${MAX_MESSAGES} messages were read, although the output was not.`);
}

interface Line {
  cursor?: string;
  message?: { cursor: string; event: string };
}
/** The lines that were printed as a whole. */
const linesOf = ({ stdout }: RunningCommand): Line[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
/** The end of the line of a message. */
const endOf = (number: number) => new RegExp(`"event":"n${number}".*\\n`);
const lastCursorOf = (command: RunningCommand) =>
  linesOf(command)
    .map(({ cursor, message }) => message?.cursor ?? cursor)
    .findLast((cursor) => cursor !== undefined);
const resumeCursorOf = ({ output }: RunningCommand) => /Resume with --since (\S+)/.exec(output)?.[1];

test('listen reads nothing while its output is not read, and prints every message once afterwards', async () => {
  await using listening = await startListening('paused');
  listening.pauseReading();
  const count = await publishUntilTooSlow('paused');
  listening.resumeReading();
  await listening.until(endOf(count - 1));
  await listening.interrupt();
  const events = linesOf(listening).flatMap(({ message }) => message?.event ?? []);
  expect(events).toEqual(Array.from({ length: count }, (_, i) => `n${i}`));
  expect(resumeCursorOf(listening)).toBe(lastCursorOf(listening));
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'listen ends at %s while its output is not read, with the cursor of the last line that was written',
  async (signal) => {
    await using listening = await startListening(signal);
    listening.pauseReading();
    await publishUntilTooSlow(signal);
    listening.kill(signal);
    expect(await listening.exited).toBe(0);
    listening.resumeReading();
    await listening.closed;
    expect(resumeCursorOf(listening)).toBe(lastCursorOf(listening));
  },
);

test('listen ends with the cursor of the last line that was written when its reader has gone', async () => {
  await using listening = await startListening('gone');
  await publishBatch('gone', 0);
  await listening.until(endOf(BATCH - 1));
  listening.closeOutput();
  await publishBatch('gone', BATCH);
  expect(await listening.closed).toBe(0);
  expect(resumeCursorOf(listening)).toBe(lastCursorOf(listening));
});
