/** A message as a subscriber received it. */
export interface ReceivedMessage {
  id: string;
  channel: string;
  cursor: string;
  previous: string | null;
  sequence: number;
  data: string;
}

/** What happened during a run. The data of each publish is unique, and is its idempotency key, too. */
export interface History {
  /** The data of the acknowledged publishes of each channel, with the ids in the receipts. */
  readonly acknowledged: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly subscribers: readonly SubscriberHistory[];
}

export interface SubscriberHistory {
  readonly name: string;
  readonly channels: readonly string[];
  /** In the order of delivery. */
  readonly received: readonly ReceivedMessage[];
  /** The position from which the subscriber started, for each channel: that of its first message. */
  readonly start: ReadonlyMap<string, { cursor: string; sequence: number }>;
  /** Answers that must not occur: gaps, lost positions and refusals. */
  readonly problems: readonly string[];
}

/** The violations of a history, as sentences; empty if there are none. */
export function findViolations({ acknowledged, subscribers }: History): string[] {
  return subscribers.flatMap((subscriber) => [
    ...subscriber.problems.map((problem) => `${subscriber.name}: ${problem}`),
    ...subscriber.channels.flatMap((channel) =>
      checkChannel(subscriber, channel, acknowledged.get(channel) ?? new Map<string, string>()).map(
        (violation) => `${subscriber.name}, ${channel}: ${violation}`,
      ),
    ),
  ]);
}

function checkChannel(
  { received, start }: SubscriberHistory,
  channel: string,
  acknowledged: ReadonlyMap<string, string>,
): string[] {
  const violations: string[] = [];
  const ids = new Map<string, string>();
  let last = start.get(channel);
  for (const { id, data, cursor, previous, sequence } of received.filter((one) => one.channel === channel)) {
    const known = ids.get(data);
    if (known === id) violations.push(`“${data}” was received twice`);
    else if (known !== undefined) violations.push(`“${data}” was published twice, as ${known} and ${id}`);
    ids.set(data, id);
    if (last && sequence !== last.sequence + 1)
      violations.push(`“${data}” has number ${sequence} after ${last.sequence}`);
    if (last && previous !== last.cursor)
      violations.push(`“${data}” does not name the message before it as the previous one`);
    last = { cursor, sequence };
  }
  for (const [data, id] of acknowledged) {
    const receivedId = ids.get(data);
    if (receivedId === undefined) violations.push(`“${data}” was acknowledged and not received`);
    else if (receivedId !== id)
      violations.push(`“${data}” was acknowledged as ${id}, received as ${receivedId}`);
  }
  return violations;
}
