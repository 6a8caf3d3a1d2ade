import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { Audience } from '../load/audience.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { Publisher } from '../load/publisher.ts';
import { fitMessages, prepareSubscribers } from '../load/fixture.ts';
import { memoryKbOf } from '../process-usage.ts';

/** Come and go first, so that neither compilation nor a first growth of the heap is counted. */
const EARLY = 500;

/**
 * Thousands connect, as fast as the server lets them, each with a token and one subscription: what a connect costs, from
 * the TCP handshake until the server has nothing to do any more, and what a connection that waits holds in memory.
 * Two messages at the end reach all of them, or nothing was measured.
 */
export async function connections({ endpoint, effort }: Job): Promise<Outcome> {
  const { pid } = endpoint;
  const count = effort.connections;
  const specs = await prepareSubscribers(endpoint, count);
  await comeAndGo(endpoint, Math.min(EARLY, count), specs);
  await sleep(effort.memorySettleMs);
  const memoryBefore = memoryKbOf(pid);
  using audience = new Audience();
  const meter = startMeter(pid);
  await audience.join(endpoint, count, specs);
  const { wallMs, generatorShare } = meter.read();
  await untilIdle(pid);
  const { serverCpuMs, othersShare } = meter.end();
  await sleep(effort.memorySettleMs);
  const memoryAfter = memoryKbOf(pid);
  using publisher = await Publisher.open(endpoint, (what) => audience.fault(what));
  await fitMessages({ audience, publisher });
  return {
    connect: measurementOf(
      {
        cpuUsPerConnect: (serverCpuMs * 1000) / count,
        connectsPerSecond: (count * 1000) / wallMs,
        connections: count,
        generatorShare,
        othersShare,
      },
      { '': audience.joinsMs },
    ),
    memory: { values: { kbPerConnection: (memoryAfter - memoryBefore) / count, connections: count } },
  };
}

async function comeAndGo(
  endpoint: Job['endpoint'],
  count: number,
  specs: Awaited<ReturnType<typeof prepareSubscribers>>,
): Promise<void> {
  {
    using early = new Audience();
    await early.join(endpoint, count, specs);
    await untilIdle(endpoint.pid);
  }
  await untilIdle(endpoint.pid);
}
