import { type Job, type Outcome } from '../job.ts';
import { Audience } from '../load/audience.ts';
import { Backend, type MintedCredential } from '../load/backend.ts';
import { SUBSCRIBE_EVENTS } from '../load/dialects/graphql.ts';
import { untilIdle } from '../load/meter.ts';
import { Publisher } from '../load/publisher.ts';
import { fitMessages, operationOf } from '../load/fixture.ts';
import { stream } from '../load/stream.ts';
import { measureStream, proveNothingCameTwice } from './fan-out.ts';

/**
 * Connections with one `events` subscription each, whose tokens are all subscribed to as many channels as the variant
 * says; messages go to the channels in turn, so that every message reaches every connection whatever their number.
 */
export async function channels({ endpoint, effort, variant }: Job): Promise<Outcome> {
  const ids = Array.from({ length: variant }, (_, index) => `channel-${index}`);
  const channelOf = (n: number) => ids[n % ids.length]!;
  const credentials = await subscribeMembers(endpoint, effort.members, ids);
  using audience = new Audience();
  await audience.join(endpoint, effort.members, (index) => ({
    operations: [operationOf(endpoint, { query: SUBSCRIBE_EVENTS })],
    connectionParams: { token: credentials[index]!.credential },
  }));
  await untilIdle(endpoint.pid);
  using publisher = await Publisher.open(endpoint, (what) => audience.fault(what));
  await fitMessages({ audience, publisher }, channelOf);
  await stream({ audience, publisher }, { inFlight: 1, durationMs: effort.warmUpMs, channelOf });
  const options = { inFlight: 1, durationMs: effort.measureMs, channelOf };
  const measurement = await measureStream({ audience, publisher }, endpoint.pid, options);
  await proveNothingCameTwice({ audience, publisher }, channelOf);
  return { channels: measurement };
}

async function subscribeMembers(
  endpoint: Job['endpoint'],
  count: number,
  channelIds: readonly string[],
): Promise<MintedCredential[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(channelIds);
  return await backend.mint(count, { channels: channelIds });
}
