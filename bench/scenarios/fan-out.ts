import { type Job, type Measurement, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { type SubscriberGroup } from '../load/subscriber-group.ts';
import { startMeter } from '../load/meter.ts';
import { createFixture } from '../load/fixture.ts';
import { stream, type MessagePublisher } from '../load/stream.ts';

/** Number of messages in flight, by part. */
const IN_FLIGHT: Readonly<Record<string, number>> = {
  'fanout-single': 1,
  'fanout-burst': 16,
  'size-single': 1,
  'size-burst': 16,
};

/**
 * One channel with a thousand subscribers, or as many as the variant. With one message in flight, the next message is
 * published when the last one has been delivered to all subscribers; in a burst, sixteen messages are in flight.
 */
export async function fanOut({ endpoint, workload, parts, variant }: Job): Promise<Outcome> {
  await using fixture = await createFixture(endpoint, variant === 0 ? workload.subscribers : variant);
  const outcome: Record<string, Measurement> = {};
  for (const part of parts) {
    const inFlight = IN_FLIGHT[part] ?? 1;
    await stream(fixture, { inFlight, durationMs: workload.warmUpMs });
    outcome[part] = await measureStream(fixture, endpoint.pid, { inFlight, durationMs: workload.measureMs });
  }
  await publishSentinel(fixture);
  return outcome;
}

/** Publishes one more message, which must be the next delivery to every subscriber: no message was delivered twice. */
export async function publishSentinel(
  fixture: { group: SubscriberGroup; publisher: MessagePublisher },
  channelOf?: (n: number) => string,
): Promise<void> {
  await stream(fixture, { inFlight: 1, count: 1, ...(channelOf && { channelOf }) });
}

/** Measures the CPU time and the latency per delivery. */
export async function measureStream(
  fixture: { group: SubscriberGroup; publisher: MessagePublisher },
  pid: number,
  options: { inFlight: number; durationMs: number; channelOf?: (n: number) => string },
): Promise<Measurement> {
  const { group } = fixture;
  group.latenciesMs = [];
  const meter = startMeter(pid);
  const published = await stream(fixture, options);
  const { serverCpuMs, wallMs, ...shares } = meter.end();
  const deliveries = published * group.subscribers.length;
  return measurementOf(
    {
      cpuUsPerDelivery: (serverCpuMs * 1000) / deliveries,
      deliveriesPerSecond: (deliveries * 1000) / wallMs,
      deliveriesPerCpuSecond: (deliveries * 1000) / serverCpuMs,
      deliveries,
      messageBytes: group.subscribers[0]!.messageBytes,
      ...shares,
    },
    { '': group.latenciesMs },
  );
}
