/** A message as a subscriber received it. */
export interface ReceivedMessage {
  id: string;
  channel: string;
  cursor: string;
  previous: string | null;
  ordinal: number;
  data: string;
}

/** What happened during a run. The data of each publish is unique, and is its idempotency key, too. */
export interface History {
  /** Everything that was published or tried, by its data. */
  readonly published: ReadonlyMap<string, PublishedMessage>;
  readonly subscribers: readonly SubscriberHistory[];
  readonly visits: readonly VisitHistory[];
  /**
   * The promotions of standbys that may lack commits. What was published before one may be lost; then each subscriber that had
   * received it must receive POSITION_LOST.
   */
  readonly losses: readonly Loss[];
}

/** A promotion of a standby that may lack commits. Moments are milliseconds on the clock of `performance.now` of the test. */
export interface Loss {
  /** Until then, every node used the primary of before. */
  readonly from: number;
  /** When the standby had become the primary. */
  readonly to: number;
}

/** A publish. Moments are milliseconds on the clock of `performance.now` of the test. */
export interface PublishedMessage {
  readonly channel: string;
  /** When the first attempt was sent. */
  readonly startedAt: number;
  /** The id in the receipt, and when it arrived. Undefined: the publish was never acknowledged. */
  readonly acknowledged?: { readonly id: string; readonly at: number };
}

/** What a token received that was a member of a channel for a moment. */
export interface VisitHistory {
  readonly name: string;
  readonly channel: string;
  /** When the request was sent that made the token a member. */
  readonly startedAt: number;
  /** When the request was answered that ended its access; infinity if it never was. */
  readonly endedAt: number;
  /** The data of the messages, in the order of delivery, and when each arrived. */
  readonly received: readonly { readonly data: string; readonly at: number }[];
}

/** A lost position: the subscriber drops its newest messages, which may be lost as well, and resumes after the others. */
export interface Restart {
  /** The number of messages that had been received by then. */
  readonly received: number;
  /** The number of messages that the subscriber keeps. */
  readonly kept: number;
}

export interface SubscriberHistory {
  readonly name: string;
  readonly channels: readonly string[];
  /** In the order of delivery. */
  readonly received: readonly ReceivedMessage[];
  /** The position from which the subscriber started, for each channel: that of its first message. */
  readonly start: ReadonlyMap<string, { cursor: string; ordinal: number }>;
  /** Where the subscriber received POSITION_LOST. */
  readonly restarts: readonly Restart[];
  /** Answers that must not occur: gaps, lost positions and refusals. */
  readonly problems: readonly string[];
}

/** The violations of a history, as sentences; empty if there are none. */
export function findViolations({ published, subscribers, visits, losses }: History): string[] {
  const ofSubscribers = subscribers.flatMap((subscriber) => [
    ...subscriber.problems.map((problem) => `${subscriber.name}: ${problem}`),
    ...(new Set(subscriber.restarts.map(({ received }) => received)).size > losses.length
      ? [`${subscriber.name}: a position was lost without a cause`]
      : []),
    ...subscriber.channels.flatMap((channel) =>
      checkChannel(subscriber, channel, published, losses).map(
        (violation) => `${subscriber.name}, ${channel}: ${violation}`,
      ),
    ),
  ]);
  return [...ofSubscribers, ...visits.flatMap((visit) => checkVisit(visit, published, losses))];
}

/** What a token may not have received: what was there before its membership, and what was published after its end. */
function checkVisit(
  { name, startedAt, endedAt, received }: VisitHistory,
  published: ReadonlyMap<string, PublishedMessage>,
  losses: readonly Loss[],
): string[] {
  // The end of the access may be lost as well, but only by a promotion after it.
  const hasEnded = (at: number) => losses.every(({ from, to }) => to < endedAt || at < from);
  return received.flatMap(({ data, at }) => {
    const message = published.get(data);
    if (message?.acknowledged && message.acknowledged.at < startedAt)
      return [`${name}: “${data}” was received, and acknowledged before the membership began`];
    if (message && message.startedAt > endedAt && hasEnded(at))
      return [`${name}: “${data}” was received, and published after the access had ended`];
    return [];
  });
}

function checkChannel(
  { received, start, restarts }: SubscriberHistory,
  channel: string,
  published: ReadonlyMap<string, PublishedMessage>,
  losses: readonly Loss[],
): string[] {
  const violations: string[] = [];
  /** The messages that the subscriber holds. */
  let kept: ReceivedMessage[] = [];
  let ids = new Map<string, string>();
  let last = start.get(channel);
  function restartAt(index: number): void {
    const count = restarts.findLast((restart) => restart.received === index)?.kept;
    if (count === undefined) return;
    kept = kept.slice(0, count);
    const ofChannel = kept.filter((message) => message.channel === channel);
    ids = new Map(ofChannel.map(({ data, id }) => [data, id]));
    last = ofChannel.at(-1) ?? start.get(channel);
  }
  for (const [index, message] of received.entries()) {
    restartAt(index);
    kept.push(message);
    const { id, channel: from, data, cursor, previous, ordinal } = message;
    if (from !== channel) continue;
    const known = ids.get(data);
    if (known === id) violations.push(`“${data}” was received twice`);
    else if (known !== undefined) violations.push(`“${data}” was published twice, as ${known} and ${id}`);
    ids.set(data, id);
    if (last && ordinal !== last.ordinal + 1)
      violations.push(`“${data}” has number ${ordinal} after ${last.ordinal}`);
    if (last && previous !== last.cursor)
      violations.push(`“${data}” does not name the message before it as the previous one`);
    last = { cursor, ordinal };
  }
  restartAt(received.length);
  for (const [data, { channel: publishedTo, startedAt, acknowledged }] of published) {
    if (publishedTo !== channel || !acknowledged) continue;
    const { id } = acknowledged;
    const receivedId = ids.get(data);
    const mayBeLost = losses.some(({ to }) => startedAt < to);
    if (receivedId === undefined && mayBeLost) continue;
    if (receivedId === undefined) violations.push(`“${data}” was acknowledged and not received`);
    else if (receivedId !== id)
      violations.push(`“${data}” was acknowledged as ${id}, received as ${receivedId}`);
  }
  return violations;
}
