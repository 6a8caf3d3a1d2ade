import { type Audience } from './audience.ts';

/** A source of publishes. */
export interface Speaker {
  publish(n: number, channel?: string): void;
}

export interface StreamOptions {
  /** Messages that are published and have not reached everybody yet. */
  inFlight: number;
  /** How many are published; or */
  count?: number;
  /** for how long. */
  durationMs?: number;
  channelOf?: (n: number) => string;
}

/** Publishes, a message for each that has reached everybody. Returns how many when all have reached everybody. */
export async function stream(
  { audience, publisher }: { audience: Audience; publisher: Speaker },
  { inFlight, count = Infinity, durationMs = Infinity, channelOf }: StreamOptions,
): Promise<number> {
  const first = audience.subscribers[0]!.due;
  const before = audience.deliveries;
  const deadline = performance.now() + durationMs;
  let published = 0;
  let arrived = 0;
  const publish = () => {
    const n = first + published++;
    audience.sent(n);
    publisher.publish(n, channelOf?.(n));
  };
  audience.reachedAll = () => {
    arrived++;
    if (published < count && performance.now() < deadline) publish();
  };
  while (published < Math.min(inFlight, count)) publish();
  await audience.until(
    () => arrived === published,
    () => `${audience.deliveries - before} deliveries of ${published} messages were made.`,
  );
  const expected = published * audience.subscribers.length;
  const made = audience.deliveries - before;
  if (made !== expected) throw new Error(`${made} deliveries were made, not ${expected}.`);
  return published;
}
