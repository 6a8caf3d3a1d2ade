import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { SubscriberGroup } from '../load/subscriber-group.ts';
import { Backend, type MintedToken } from '../load/backend.ts';
import { SUBSCRIBE_EVENTS } from '../load/protocols/graphql.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { Publisher } from '../load/publisher.ts';
import { stream } from '../load/stream.ts';

const PAD_BYTES = 150;

/**
 * Thousands of clients subscribe to their inbox at the same moment, each with a token and a cursor that is a hundred
 * messages old. Each must receive all missed messages, once and in order. A message that is published afterwards proves that
 * no message was delivered twice.
 */
export async function resume({ endpoint, workload }: Job): Promise<Outcome> {
  const { resumers, missedMessages } = workload;
  const tokens = await publishMissedMessages(endpoint, resumers, missedMessages);
  using group = new SubscriberGroup();
  // The clients connect without subscribing.
  await group.connect(endpoint, resumers, (index) => ({
    operations: [],
    connectionParams: { token: tokens[index]!.credential },
  }));
  await untilIdle(endpoint.pid);
  const meter = startMeter(endpoint.pid);
  for (let n = 1; n <= missedMessages; n++) group.markPublished(n);
  // Record when each client has caught up.
  group.recordsLatency = (n) => n === missedMessages;
  for (const { index, connection } of group.subscribers) {
    const payload = { query: SUBSCRIBE_EVENTS, variables: { since: tokens[index]!.cursor } };
    connection.socket.sendText(JSON.stringify({ id: '1', type: 'subscribe', payload }));
  }
  await group.untilDelivered(resumers * missedMessages);
  const { serverCpuMs, wallMs, ...shares } = meter.end();
  const { latenciesMs } = group;
  await untilIdle(endpoint.pid);
  using publisher = await Publisher.open(endpoint, (message) => group.fail(message));
  await stream({ group, publisher }, { inFlight: 1, count: 1 });
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

/** Mints tokens that are subscribed to channel `bench`, and publishes the messages that their clients miss. */
async function publishMissedMessages(
  endpoint: Job['endpoint'],
  count: number,
  messages: number,
): Promise<MintedToken[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  const tokens = await backend.mintTokens(count, { channels: ['bench'] });
  for (let n = 1; n <= messages; n++) await backend.publish(n, 'x'.repeat(PAD_BYTES));
  return tokens;
}
