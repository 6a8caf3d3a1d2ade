import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Outcome } from '../job.ts';
import { Backend } from '../load/backend.ts';
import { guestOf, setStage, type Stage } from '../load/stage.ts';
import { Seat, type Ear } from '../load/seat.ts';
import { residentKbOf } from '../process-usage.ts';
import { orderStatistics, percentile } from '../statistics.ts';

/** Messages a second: far from what the server could do, so that latencies are its own and not a queue's. */
const RATE = 40;
/** Of the one reader that will stall: so that it is soon behind by more than it may be. */
const OPERATIONS = 200;
const CLOSES_WITHIN_MS = 10_000;

/**
 * A steady stream to a thousand readers, and to one more with a hundred subscriptions. First it reads, then it does not:
 * what do the others notice, what does the server hold, and is the one who stalled closed?
 */
export async function stalled({ endpoint, effort }: Job): Promise<Outcome> {
  await using stage = await setStage(endpoint, effort.subscribers);
  const reader = await openReader(endpoint);
  await flow(stage, effort.warmUpMs);
  const before = await flow(stage, effort.stallMs, endpoint.pid);
  reader.seat.socket.stall();
  const during = await flow(stage, effort.stallMs, endpoint.pid);
  reader.seat.socket.unstall();
  const isClosed = await Promise.race([
    reader.closed.then(() => true),
    sleep(CLOSES_WITHIN_MS, false, { ref: false }),
  ]);
  reader.seat.socket.destroy();
  if (!isClosed) throw new Error('The stalled reader was not closed.');
  return {
    stalled: {
      values: {
        p50MsBefore: percentile(before.latenciesMs, 0.5),
        p50MsDuring: percentile(during.latenciesMs, 0.5),
        p99MsBefore: percentile(before.latenciesMs, 0.99),
        p99MsDuring: percentile(during.latenciesMs, 0.99),
        residentMbBefore: before.maxResidentKb / 1024,
        residentMbDuring: during.maxResidentKb / 1024,
      },
      latenciesMs: orderStatistics(during.latenciesMs),
    },
  };
}

/** Publishes at an even pace, whether or not what came before has arrived; waits for the last one. */
async function flow({ audience, publisher }: Stage, durationMs: number, pid = process.pid) {
  audience.latenciesMs = [];
  const first = audience.subscribers[0]!.due;
  const before = audience.deliveries;
  const startedAt = performance.now();
  const count = Math.ceil((durationMs * RATE) / 1000);
  let maxResidentKb = 0;
  for (let index = 0; index < count; index++) {
    await sleep(Math.max(0, startedAt + (index * 1000) / RATE - performance.now()));
    audience.sent(first + index);
    publisher.publish(first + index);
    maxResidentKb = Math.max(maxResidentKb, residentKbOf(pid));
  }
  await audience.untilDelivered(before + count * audience.subscribers.length);
  return { latenciesMs: audience.latenciesMs, maxResidentKb };
}

async function openReader(endpoint: Job['endpoint']): Promise<{ seat: Seat; closed: Promise<void> }> {
  using backend = await Backend.open(endpoint);
  const [ticket] = await backend.mint(1);
  const guest = guestOf(endpoint, ticket);
  const operations = Array.from({ length: OPERATIONS }, (_, index) => ({
    ...guest.operations[0]!,
    id: String(index + 1),
  }));
  let closed!: () => void;
  const whenClosed = new Promise<void>((resolve) => (closed = resolve));
  const ear: Ear = { hear: () => undefined, lost: () => closed() };
  const seat = new Seat(endpoint, { ...guest, operations }, ear);
  await seat.joined;
  return { seat, closed: whenClosed };
}
