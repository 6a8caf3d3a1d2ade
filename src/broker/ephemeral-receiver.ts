import { type Delivery } from './delivery.ts';
import { decodeEphemeral } from './wire-messages.ts';

/** Ephemeral messages of other nodes that wait for their delivery, and their size as JSON. Further ones are dropped. */
const MAX_WAITING_MESSAGES = 10_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface EphemeralReceiver {
  /** Delivers the messages of a payload, or drops them if too many wait: nothing else bounds them on a slow node. */
  receive(payload: unknown): void;
  /** Messages that were dropped since the start of the process. */
  readonly dropped: number;
}

export function createEphemeralReceiver({ deliver }: Pick<Delivery, 'deliver'>): EphemeralReceiver {
  let waiting = 0;
  let waitingBytes = 0;
  let dropped = 0;
  return {
    receive(payload) {
      const messages = decodeEphemeral(payload);
      if (!messages) return;
      if (waiting + messages.length > MAX_WAITING_MESSAGES || waitingBytes > MAX_WAITING_BYTES) {
        dropped += messages.length;
        return;
      }
      let undelivered = messages.length;
      let bytes = 0;
      waiting += messages.length;
      const delivering = deliver(messages, ({ length }) => {
        undelivered -= length;
        waiting -= length;
        if (undelivered === 0) waitingBytes -= bytes;
      });
      // Measured only where it waits, because most payloads are delivered at once.
      if (!delivering || undelivered === 0) return;
      bytes = JSON.stringify(payload).length;
      waitingBytes += bytes;
    },
    get dropped() {
      return dropped;
    },
  };
}
