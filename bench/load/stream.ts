import { type SubscriberGroup } from './subscriber-group.ts';

export interface MessagePublisher {
  publish(n: number, channel?: string): void;
}

export interface StreamOptions {
  /** Number of messages that are published and not yet delivered to all subscribers. */
  inFlight: number;
  /** Number of messages to publish. Default: unlimited. */
  count?: number;
  /** Time after which no further message is published. Default: unlimited. */
  durationMs?: number;
  channelOf?: (n: number) => string;
}

/**
 * Publishes messages with a fixed number in flight: the next one when another one has been delivered to all subscribers.
 * Resolves to the number of messages when all of them are delivered. Rejects if a delivery is missing or repeated.
 */
export async function stream(
  { group, publisher }: { group: SubscriberGroup; publisher: MessagePublisher },
  { inFlight, count = Infinity, durationMs = Infinity, channelOf }: StreamOptions,
): Promise<number> {
  const first = group.subscribers[0]!.expectedNumber;
  const before = group.deliveries;
  const deadline = performance.now() + durationMs;
  let published = 0;
  let delivered = 0;
  const publish = () => {
    const n = first + published++;
    group.markPublished(n);
    publisher.publish(n, channelOf?.(n));
  };
  group.onDeliveredToAll = () => {
    delivered++;
    if (published < count && performance.now() < deadline) publish();
  };
  while (published < Math.min(inFlight, count)) publish();
  await group.until(
    () => delivered === published,
    () => `${group.deliveries - before} deliveries of ${published} messages were made.`,
  );
  const expected = published * group.subscribers.length;
  const deliveries = group.deliveries - before;
  if (deliveries !== expected) throw new Error(`${deliveries} deliveries were made, not ${expected}.`);
  return published;
}
