import { type Job, type Outcome } from '../job.ts';
import { SubscriberGroup } from '../load/subscriber-group.ts';
import { Backend, type MintedToken } from '../load/backend.ts';
import { SUBSCRIBE_EVENTS } from '../load/protocols/graphql.ts';
import { untilIdle } from '../load/meter.ts';
import { Publisher } from '../load/publisher.ts';
import { padMessages, operationOf } from '../load/fixture.ts';
import { stream } from '../load/stream.ts';
import { measureStream, publishSentinel } from './fan-out.ts';

/**
 * Connections with one `events` subscription each. Every token is subscribed to all channels, and the variant is the number
 * of channels. Messages are published to the channels in turn, so that every message is delivered to every connection.
 */
export async function channels({ endpoint, workload, variant }: Job): Promise<Outcome> {
  const ids = Array.from({ length: variant }, (_, index) => `channel-${index}`);
  const channelOf = (n: number) => ids[n % ids.length]!;
  const tokens = await mintMembers(endpoint, workload.members, ids);
  using group = new SubscriberGroup();
  await group.connect(endpoint, workload.members, (index) => ({
    operations: [operationOf(endpoint, { query: SUBSCRIBE_EVENTS })],
    connectionParams: { token: tokens[index]!.credential },
  }));
  await untilIdle(endpoint.pid);
  using publisher = await Publisher.open(endpoint, (message) => group.fail(message));
  await padMessages({ group, publisher }, channelOf);
  await stream({ group, publisher }, { inFlight: 1, durationMs: workload.warmUpMs, channelOf });
  const options = { inFlight: 1, durationMs: workload.measureMs, channelOf };
  const measurement = await measureStream({ group, publisher }, endpoint.pid, options);
  await publishSentinel({ group, publisher }, channelOf);
  return { channels: measurement };
}

async function mintMembers(
  endpoint: Job['endpoint'],
  count: number,
  channelIds: readonly string[],
): Promise<MintedToken[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(channelIds);
  return await backend.mintTokens(count, { channels: channelIds });
}
