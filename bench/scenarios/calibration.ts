import { type Endpoint } from '../contender.ts';
import { type Job, type Outcome } from '../job.ts';
import { SubscriberGroup } from '../load/subscriber-group.ts';
import { untilIdle } from '../load/meter.ts';
import { Connection } from '../load/connection.ts';
import { type MessagePublisher, stream } from '../load/stream.ts';
import { measureStream } from './fan-out.ts';

/**
 * Measures the maximum rate of the load generator: a server writes prebuilt frames to the same number of sockets, one frame
 * and sixteen frames per read. The result of a contender near these rates is limited by the load generator.
 */
export async function calibration({ endpoint, workload }: Job): Promise<Outcome> {
  using group = new SubscriberGroup();
  await group.connect(endpoint, workload.subscribers, () => ({ operations: [{ id: '1', query: '' }] }));
  await untilIdle(endpoint.pid);
  const publisher = await openPublisher(endpoint, group);
  await stream({ group, publisher }, { inFlight: 16, durationMs: workload.warmUpMs });
  const durationMs = workload.measureMs;
  return {
    'calibration-single': await measureStream({ group, publisher }, endpoint.pid, {
      inFlight: 1,
      durationMs,
    }),
    'calibration-burst': await measureStream({ group, publisher }, endpoint.pid, {
      inFlight: 16,
      durationMs,
    }),
  };
}

/** A publisher that requests all messages of one turn of the event loop together. */
async function openPublisher(endpoint: Endpoint, group: SubscriberGroup): Promise<MessagePublisher> {
  const listener = {
    onMessage: () => undefined,
    onClose: () => group.fail('The server closed the publisher.'),
  };
  const connection = new Connection(endpoint, { operations: [] }, listener);
  await connection.ready;
  let first = 0;
  let count = 0;
  return {
    publish(n) {
      if (count++ > 0) return;
      first = n;
      process.nextTick(() => {
        connection.socket.sendText(JSON.stringify([first, count]));
        count = 0;
      });
    },
  };
}
