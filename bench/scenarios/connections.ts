import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { SubscriberGroup } from '../load/subscriber-group.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { Publisher } from '../load/publisher.ts';
import { padMessages, createSubscriberSpecs } from '../load/fixture.ts';
import { memoryKbOf } from '../process-usage.ts';

/** These connect and disconnect first, so that compilation and the first growth of the heap are not measured. */
const WARM_UP_CONNECTIONS = 500;

/**
 * Thousands of clients connect as fast as the server accepts them, each with a token and one subscription. Measures the CPU
 * time per connect, from the TCP handshake until the server is idle, and the memory per idle connection. Two messages at
 * the end must be delivered to all of them; otherwise the measurement fails.
 */
export async function connections({ endpoint, workload }: Job): Promise<Outcome> {
  const { pid } = endpoint;
  const count = workload.connections;
  const specs = await createSubscriberSpecs(endpoint, count);
  await connectAndDisconnect(endpoint, Math.min(WARM_UP_CONNECTIONS, count), specs);
  await sleep(workload.memorySettleMs);
  const memoryBefore = memoryKbOf(pid);
  using group = new SubscriberGroup();
  const meter = startMeter(pid);
  await group.connect(endpoint, count, specs);
  const { wallMs, generatorShare } = meter.read();
  await untilIdle(pid);
  const { serverCpuMs, othersShare } = meter.end();
  await sleep(workload.memorySettleMs);
  const memoryAfter = memoryKbOf(pid);
  using publisher = await Publisher.open(endpoint, (message) => group.fail(message));
  await padMessages({ group, publisher });
  return {
    connect: measurementOf(
      {
        cpuUsPerConnect: (serverCpuMs * 1000) / count,
        connectsPerSecond: (count * 1000) / wallMs,
        connections: count,
        generatorShare,
        othersShare,
      },
      { '': group.connectTimesMs },
    ),
    memory: { values: { kbPerConnection: (memoryAfter - memoryBefore) / count, connections: count } },
  };
}

async function connectAndDisconnect(
  endpoint: Job['endpoint'],
  count: number,
  specs: Awaited<ReturnType<typeof createSubscriberSpecs>>,
): Promise<void> {
  {
    using warmUp = new SubscriberGroup();
    await warmUp.connect(endpoint, count, specs);
    await untilIdle(endpoint.pid);
  }
  await untilIdle(endpoint.pid);
}
