import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { Audience } from '../load/audience.ts';
import { Backend, type MintedCredential } from '../load/backend.ts';
import { SUBSCRIBE_EVENTS } from '../load/dialects/graphql.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { Publisher } from '../load/publisher.ts';
import { stream } from '../load/stream.ts';

const PAD_BYTES = 150;

/**
 * Thousands, each with a token and a cursor that is a hundred messages old, subscribe to their inbox in the same moment.
 * Each must get all that it missed, in order, once; a message that is published afterwards proves that nothing came twice.
 */
export async function resume({ endpoint, effort }: Job): Promise<Outcome> {
  const { resumers, missedMessages } = effort;
  const credentials = await missSome(endpoint, resumers, missedMessages);
  using audience = new Audience();
  // They connect and say nothing yet.
  await audience.join(endpoint, resumers, (index) => ({
    operations: [],
    connectionParams: { token: credentials[index]!.credential },
  }));
  await untilIdle(endpoint.pid);
  const meter = startMeter(endpoint.pid);
  for (let n = 1; n <= missedMessages; n++) audience.sent(n);
  // When each has caught up.
  audience.isKept = (n) => n === missedMessages;
  for (const { index, connection } of audience.subscribers) {
    const payload = { query: SUBSCRIBE_EVENTS, variables: { since: credentials[index]!.cursor } };
    connection.socket.sendText(JSON.stringify({ id: '1', type: 'subscribe', payload }));
  }
  await audience.untilDelivered(resumers * missedMessages);
  const { serverCpuMs, wallMs, ...shares } = meter.end();
  const { latenciesMs } = audience;
  await untilIdle(endpoint.pid);
  using publisher = await Publisher.open(endpoint, (what) => audience.fault(what));
  await stream({ audience, publisher }, { inFlight: 1, count: 1 });
  return {
    resume: measurementOf(
      {
        cpuUsPerMessage: (serverCpuMs * 1000) / (resumers * missedMessages),
        caughtUpMs: wallMs,
        messagesPerSecond: (resumers * missedMessages * 1000) / wallMs,
        resumers,
        ...shares,
      },
      { '': latenciesMs },
    ),
  };
}

/** Tokens that are subscribed to channel `bench`, and what is said there before they come back. */
async function missSome(
  endpoint: Job['endpoint'],
  count: number,
  messages: number,
): Promise<MintedCredential[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  const credentials = await backend.mint(count, { channels: ['bench'] });
  for (let n = 1; n <= messages; n++) await backend.publish(n, 'x'.repeat(PAD_BYTES));
  return credentials;
}
