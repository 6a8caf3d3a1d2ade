import { type Endpoint } from '../contender.ts';
import { type Job, type Measurement, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { Backend } from '../load/backend.ts';
import { HttpConnections } from '../load/http-connections.ts';
import { startMeter } from '../load/meter.ts';
import { Pipeline } from '../load/pipeline.ts';

const HTTP_CONNECTIONS = 32;
const IN_FLIGHT = 256;

/** Acknowledged publishes, to nobody: kept in the log by Signalbox, answered and forgotten by its peers. */
export async function publishes({ endpoint, effort, parts }: Job): Promise<Outcome> {
  if (endpoint.apiKey !== undefined) {
    using backend = await Backend.open(endpoint);
    await backend.createChannels(['bench']);
  }
  const outcome: Record<string, Measurement> = {};
  if (parts.includes('publish-http')) {
    using crowd = new HttpConnections(endpoint, HTTP_CONNECTIONS);
    await crowd.run({ durationMs: effort.publishWarmUpMs });
    outcome['publish-http'] = await measured(endpoint, () => crowd.run({ durationMs: effort.measureMs }));
  }
  if (parts.includes('publish-ws')) {
    using pipeline = await Pipeline.open(endpoint);
    await pipeline.run({ inFlight: IN_FLIGHT, durationMs: effort.publishWarmUpMs });
    outcome['publish-ws'] = await measured(endpoint, () =>
      pipeline.run({ inFlight: IN_FLIGHT, durationMs: effort.measureMs }),
    );
  }
  return outcome;
}

async function measured({ pid }: Endpoint, run: () => Promise<number[]>): Promise<Measurement> {
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
