import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { openFixture, type Fixture } from '../load/fixture.ts';
import { StallingReader } from '../load/stalling-reader.ts';
import { stream } from '../load/stream.ts';
import { residentKbOf } from '../process-usage.ts';

/** Messages a second: far from what the server could do, so that latencies are its own and not a queue's. */
const RATE = 40;
/** Of the one reader that will stall: so that it is soon behind by more than it may be. */
const OPERATIONS = 200;
/** Once for so many messages we ask whether it is still there; before it stalls too, since that is work as well. */
const ASK_EVERY = 10;
const CLOSES_WITHIN_MS = 20_000;

/**
 * A steady stream to a thousand readers, and to one more with hundreds of subscriptions. For a while it reads; then it
 * does not, until the server has closed it. What do the others notice of that, and what does the server hold?
 */
export async function stalled({ endpoint, effort }: Job): Promise<Outcome> {
  await using stage = await openFixture(endpoint, effort.subscribers);
  await stream(stage, { inFlight: 16, durationMs: effort.warmUpMs });
  using reader = await StallingReader.join(endpoint, OPERATIONS);
  await untilIdle(endpoint.pid);
  const phase = { reader, pid: endpoint.pid };
  await flow(stage, { ...phase, isOver: (ms) => ms >= effort.warmUpMs });
  const before = await flow(stage, { ...phase, isOver: (ms) => ms >= effort.stallMs });
  if (!reader.isOnline()) throw new Error('The reader was closed before it stalled.');
  reader.stall();
  const during = await flow(stage, {
    ...phase,
    isOver: (ms) => !reader.isOnline() || ms >= CLOSES_WITHIN_MS,
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
  /** @param ms since it began. */
  readonly isOver: (ms: number) => boolean;
}

/** Publishes at an even pace, whether or not what came before has arrived; waits for the last one. */
async function flow({ audience, publisher }: Fixture, { reader, pid, isOver }: Phase) {
  audience.latenciesMs = [];
  const { due } = audience.subscribers[0]!;
  const before = audience.deliveries;
  const meter = startMeter(pid);
  const startedAt = performance.now();
  let maxResidentKb = 0;
  let count = 0;
  while (!isOver(performance.now() - startedAt)) {
    audience.sent(due + count);
    publisher.publish(due + count);
    if (++count % ASK_EVERY === 0) reader.ask();
    maxResidentKb = Math.max(maxResidentKb, residentKbOf(pid));
    await sleep(Math.max(0, startedAt + (count * 1000) / RATE - performance.now()));
  }
  const deliveries = count * audience.subscribers.length;
  await audience.untilDelivered(before + deliveries);
  const { serverCpuMs, wallMs, ...shares } = meter.end();
  const { latenciesMs } = audience;
  return {
    deliveriesPerSecond: (deliveries * 1000) / wallMs,
    cpuUsPerDelivery: (serverCpuMs * 1000) / deliveries,
    latenciesMs,
    maxResidentKb,
    wallMs,
    shares,
  };
}
