import { type Job, type Measurement, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { type Audience } from '../load/audience.ts';
import { startMeter } from '../load/meter.ts';
import { openFixture } from '../load/fixture.ts';
import { stream, type Speaker } from '../load/stream.ts';

/** Messages on their way at once, by part. */
const IN_FLIGHT: Readonly<Record<string, number>> = {
  'fanout-single': 1,
  'fanout-burst': 16,
  'size-single': 1,
  'size-burst': 16,
};

/**
 * One channel, a thousand subscribers, or as many as the variant says: the next message when the last one has reached
 * everybody, or sixteen on their way at a time.
 */
export async function fanOut({ endpoint, effort, parts, variant }: Job): Promise<Outcome> {
  await using stage = await openFixture(endpoint, variant === 0 ? effort.subscribers : variant);
  const outcome: Record<string, Measurement> = {};
  for (const part of parts) {
    const inFlight = IN_FLIGHT[part] ?? 1;
    await stream(stage, { inFlight, durationMs: effort.warmUpMs });
    outcome[part] = await measureStream(stage, endpoint.pid, { inFlight, durationMs: effort.measureMs });
  }
  await proveNothingCameTwice(stage);
  return outcome;
}

/** One more message, which must be the next that everybody gets. */
export async function proveNothingCameTwice(
  stage: { audience: Audience; publisher: Speaker },
  channelOf?: (n: number) => string,
): Promise<void> {
  await stream(stage, { inFlight: 1, count: 1, ...(channelOf && { channelOf }) });
}

/** What a delivery costs and how long it takes. */
export async function measureStream(
  stage: { audience: Audience; publisher: Speaker },
  pid: number,
  options: { inFlight: number; durationMs: number; channelOf?: (n: number) => string },
): Promise<Measurement> {
  const { audience } = stage;
  audience.latenciesMs = [];
  const meter = startMeter(pid);
  const published = await stream(stage, options);
  const { serverCpuMs, wallMs, ...shares } = meter.end();
  const deliveries = published * audience.subscribers.length;
  return measurementOf(
    {
      cpuUsPerDelivery: (serverCpuMs * 1000) / deliveries,
      deliveriesPerSecond: (deliveries * 1000) / wallMs,
      deliveriesPerCpuSecond: (deliveries * 1000) / serverCpuMs,
      deliveries,
      messageBytes: audience.subscribers[0]!.messageBytes,
      ...shares,
    },
    { '': audience.latenciesMs },
  );
}
