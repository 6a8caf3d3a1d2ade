import { type Endpoint } from '../contender.ts';
import { type Job, type Outcome } from '../job.ts';
import { Audience } from '../load/audience.ts';
import { untilIdle } from '../load/meter.ts';
import { Connection } from '../load/connection.ts';
import { type Speaker, stream } from '../load/stream.ts';
import { measureStream } from './fan-out.ts';

/**
 * What the load generator can take: a server that writes frames which cost nothing to make, to the same number of
 * sockets, one at a time and sixteen at a time. Where a contender comes near, it is the generator that was measured.
 */
export async function calibration({ endpoint, effort }: Job): Promise<Outcome> {
  using audience = new Audience();
  await audience.join(endpoint, effort.subscribers, () => ({ operations: [{ id: '1', query: '' }] }));
  await untilIdle(endpoint.pid);
  const publisher = await openSpeaker(endpoint, audience);
  await stream({ audience, publisher }, { inFlight: 16, durationMs: effort.warmUpMs });
  const durationMs = effort.measureMs;
  return {
    'calibration-single': await measureStream({ audience, publisher }, endpoint.pid, {
      inFlight: 1,
      durationMs,
    }),
    'calibration-burst': await measureStream({ audience, publisher }, endpoint.pid, {
      inFlight: 16,
      durationMs,
    }),
  };
}

/** Asks for all messages of one turn of the event loop at once. */
async function openSpeaker(endpoint: Endpoint, audience: Audience): Promise<Speaker> {
  const listener = { onText: () => undefined, onLost: () => audience.fault('The server is gone.') };
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
