import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { createFixture, type Fixture } from '../load/fixture.ts';
import { StallingReader } from '../load/stalling-reader.ts';
import { stream } from '../load/stream.ts';
import { residentKbOf } from '../process-usage.ts';

/** Messages per second: far below the capacity of the server, so that latencies contain no queueing. */
const RATE = 40;
/** Number of subscriptions of the stalling reader: many, so that it soon exceeds the limit of unread bytes. */
const OPERATIONS = 200;
/** The state of the reader is polled once per so many messages, also before it stalls, since polling costs time as well. */
const POLL_EVERY = 10;
const CLOSES_WITHIN_MS = 20_000;

/**
 * A steady stream to a thousand readers, and to one more with hundreds of subscriptions. That one reads for a while, then
 * stops reading until the server closes it. Measures the latencies of the other readers and the memory of the server, before
 * and during the stall.
 */
export async function stalled({ endpoint, workload }: Job): Promise<Outcome> {
  await using fixture = await createFixture(endpoint, workload.subscribers);
  await stream(fixture, { inFlight: 16, durationMs: workload.warmUpMs });
  using reader = await StallingReader.connect(endpoint, OPERATIONS);
  await untilIdle(endpoint.pid);
  const phase = { reader, pid: endpoint.pid };
  await publishAtRate(fixture, { ...phase, isEnded: (ms) => ms >= workload.warmUpMs });
  const before = await publishAtRate(fixture, { ...phase, isEnded: (ms) => ms >= workload.stallMs });
  if (!reader.isOnline()) throw new Error('The reader was closed before it stalled.');
  reader.stall();
  const during = await publishAtRate(fixture, {
    ...phase,
    isEnded: (ms) => !reader.isOnline() || ms >= CLOSES_WITHIN_MS,
  });
  if (reader.isOnline()) throw new Error('The stalled reader was not closed.');
  return {
    stalled: measurementOf(
      {
        deliveriesPerSecond: during.deliveriesPerSecond,
        cpuUsBefore: before.cpuUsPerDelivery,
        cpuUsDuring: during.cpuUsPerDelivery,
        residentMbBefore: before.maxResidentKb / 1024,
        residentMbDuring: during.maxResidentKb / 1024,
        closedAfterMs: during.wallMs,
        ...during.shares,
      },
      { Before: before.latenciesMs, During: during.latenciesMs },
    ),
  };
}

interface Phase {
  readonly reader: StallingReader;
  readonly pid: number;
  /** @param ms the time since the start of the phase. */
  readonly isEnded: (ms: number) => boolean;
}

/** Publishes at a constant rate, whether or not earlier messages have been delivered; waits for the last delivery. */
async function publishAtRate({ group, publisher }: Fixture, { reader, pid, isEnded }: Phase) {
  group.latenciesMs = [];
  const { expectedNumber } = group.subscribers[0]!;
  const before = group.deliveries;
  const meter = startMeter(pid);
  const startedAt = performance.now();
  let maxResidentKb = 0;
  let count = 0;
  while (!isEnded(performance.now() - startedAt)) {
    group.markPublished(expectedNumber + count);
    publisher.publish(expectedNumber + count);
    if (++count % POLL_EVERY === 0) reader.pollOnline();
    maxResidentKb = Math.max(maxResidentKb, residentKbOf(pid));
    await sleep(Math.max(0, startedAt + (count * 1000) / RATE - performance.now()));
  }
  const deliveries = count * group.subscribers.length;
  await group.untilDelivered(before + deliveries);
  const { serverCpuMs, wallMs, ...shares } = meter.end();
  const { latenciesMs } = group;
  return {
    deliveriesPerSecond: (deliveries * 1000) / wallMs,
    cpuUsPerDelivery: (serverCpuMs * 1000) / deliveries,
    latenciesMs,
    maxResidentKb,
    wallMs,
    shares,
  };
}
