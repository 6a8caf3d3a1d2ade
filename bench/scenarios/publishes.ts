import { type Endpoint } from '../contender.ts';
import { type Job, type Measurement, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { Backend } from '../load/backend.ts';
import { HttpPublishers } from '../load/http-publishers.ts';
import { startMeter } from '../load/meter.ts';
import { Pipeline } from '../load/pipeline.ts';

const HTTP_CONNECTIONS = 32;
const IN_FLIGHT = 256;

/** Acknowledged publishes without subscribers. Signalbox keeps the messages in its log; the other servers do not. */
export async function publishes({ endpoint, workload, parts }: Job): Promise<Outcome> {
  if (endpoint.apiKey !== undefined) {
    using backend = await Backend.open(endpoint);
    await backend.createChannels(['bench']);
  }
  const outcome: Record<string, Measurement> = {};
  if (parts.includes('publish-http')) {
    using publishers = new HttpPublishers(endpoint, HTTP_CONNECTIONS);
    await publishers.run({ durationMs: workload.publishWarmUpMs });
    outcome['publish-http'] = await measurePublishes(endpoint, () =>
      publishers.run({ durationMs: workload.measureMs }),
    );
  }
  if (parts.includes('publish-ws')) {
    using pipeline = await Pipeline.open(endpoint);
    await pipeline.run({ inFlight: IN_FLIGHT, durationMs: workload.publishWarmUpMs });
    outcome['publish-ws'] = await measurePublishes(endpoint, () =>
      pipeline.run({ inFlight: IN_FLIGHT, durationMs: workload.measureMs }),
    );
  }
  return outcome;
}

async function measurePublishes({ pid }: Endpoint, run: () => Promise<number[]>): Promise<Measurement> {
  const meter = startMeter(pid);
  const latenciesMs = await run();
  const { serverCpuMs, wallMs, ...shares } = meter.end();
  const acknowledged = latenciesMs.length;
  return measurementOf(
    {
      publishesPerSecond: (acknowledged * 1000) / wallMs,
      cpuUsPerPublish: (serverCpuMs * 1000) / acknowledged,
      acknowledged,
      ...shares,
    },
    { '': latenciesMs },
  );
}
