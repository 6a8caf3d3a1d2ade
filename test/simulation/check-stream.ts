import {
  groupBy,
  directAddressesOf,
  type RecordIndex,
  type Delivery,
  type Violation,
} from './record-index.ts';
import {
  finalMessageTo,
  NEVER,
  type Moment,
  type Channel,
  type PublishAttempt,
  type Session,
  type Stream,
} from './record.ts';

/**
 * The number of messages to the channels and addresses of a stream that the stream must receive (`required`), must not
 * receive (`forbidden`), or may or may not receive (`undecided`).
 */
export interface Coverage {
  required: number;
  forbidden: number;
  undecided: number;
}

const EXPIRY_MS = 1000;
/** Close codes after a cut connection or a disconnect by the client. */
const ORDINARY_CODES: ReadonlySet<number | undefined> = new Set([undefined, 1000, 1005, 1006]);
const RENEW = 4403;

/** Checks laws 1 to 4 against the events that one client received. */
export function checkStream(
  index: RecordIndex,
  stream: Stream,
): { violations: Violation[]; coverage: Coverage } {
  const violations: Violation[] = [];
  const coverage: Coverage = { required: 0, forbidden: 0, undecided: 0 };
  const report = (law: Violation['law'], description: string) => {
    violations.push({ law, description: `${stream.name} ${description}` });
  };
  const deliveries = index.deliveriesOf(stream);
  const start = index.startOf(stream);
  if (start) {
    for (const delivery of deliveries) checkDelivery(index, stream, delivery, start.sent, report);
    checkDuplicates(deliveries, report);
    checkChains(index, stream, deliveries, report);
    checkCompleteness(index, stream, deliveries, start.returned, coverage, report);
    checkEphemeral(index, stream, deliveries, report);
    checkVersions(index, stream, report);
  }
  checkSessions(index, stream, report);
  // Members leave and come back; a Gap reports what was published in between. Nothing else may be missing.
  if (stream.received.some(({ event }) => event.__typename === 'Gap' && event.reason !== 'MEMBERSHIP'))
    report(3, 'received a Gap event');
  if (stream.isActive && stream.ended === undefined) {
    const isReceived = deliveries.some(({ message }) => message.data.text === finalMessageTo(stream.token));
    if (!isReceived) report(3, 'did not receive the final message');
  }
  return { violations, coverage };
}

type Report = (law: Violation['law'], description: string) => void;

/** Checks that the message was published with these fields, and that the stream was entitled to it at its delivery. */
function checkDelivery(
  index: RecordIndex,
  stream: Stream,
  delivery: Delivery,
  start: Moment,
  report: Report,
): void {
  const { at, session, message, attempt } = delivery;
  const { text } = message.data;
  if (!attempt) return report(1, `received “${text}”, which was never published`);
  const channel = index.channelOf(attempt);
  if (attempt.outcome === 'REFUSED') report(1, `received “${text}”, whose publish was refused`);
  if (attempt.message && JSON.stringify(attempt.message) !== JSON.stringify(message)) {
    report(2, `received “${text}” with other fields than it was published with: ${JSON.stringify(message)}`);
  }
  if (message.channel !== (channel?.id ?? null)) report(1, `received “${text}” in another channel`);
  if (attempt.returned < start) report(3, `received “${text}”, which was published before its start`);
  if (attempt.ephemeral && attempt.returned < session.opened)
    report(3, `received “${text}” in a replay, although the message is ephemeral`);
  if (attempt.sent > at) report(0, `received “${text}” before it was published`);

  const from = Math.max(session.opened, attempt.sent);
  const entitlement = index.entitlementOf(stream.token);
  if (!entitlement.could(({ ended }) => !ended, from, at))
    report(1, `received “${text}” after its token had ended`);
  else if (!channel) {
    const isAddressed =
      directAddressesOf(index.tokenOf(stream)).includes(attempt.to) ||
      attempt.to === `connection:${session.connection}`;
    if (!isAddressed) report(1, `received “${text}”, which was addressed to ${attempt.to}`);
  } else if (!entitlement.couldReceive(channel, attempt, from, at)) {
    const law = entitlement.couldBeMember(channel, from, at) ? 1 : 4;
    report(law, `received “${text}” in ${channel.id}, which it could not receive at that time`);
  }
}

function checkDuplicates(deliveries: readonly Delivery[], report: Report): void {
  const known = new Set<string>();
  for (const { message } of deliveries) {
    if (known.has(message.id)) report(2, `received “${message.data.text}” twice`);
    known.add(message.id);
  }
}

/**
 * Checks the chain of each address: a message names the previous one of its address, and a stream that was entitled to both
 * has received that one last.
 */
function checkChains(
  index: RecordIndex,
  stream: Stream,
  deliveries: readonly Delivery[],
  report: Report,
): void {
  const entitlement = index.entitlementOf(stream.token);
  const last = new Map<string, Delivery & { attempt: PublishAttempt }>();
  for (const delivery of deliveries) {
    const { at, message, attempt } = delivery;
    if (!attempt || message.cursor === null) continue;
    const before = last.get(attempt.to);
    last.set(attempt.to, { ...delivery, attempt });
    if (!before || message.previous === before.message.cursor) continue;
    const channel = index.channelOf(attempt);
    if (channel && !entitlement.surelyReceives(channel, before.attempt.sent, at)) continue;
    report(
      2,
      `received “${before.message.data.text}” and then “${message.data.text}” with a missing message in between`,
    );
  }
}

/**
 * Checks that no message is missing: the stream must receive each message that was published while the token was entitled
 * to it, provided that the token stayed entitled until the stream received a message that was published later.
 */
function checkCompleteness(
  index: RecordIndex,
  stream: Stream,
  deliveries: readonly Delivery[],
  start: Moment,
  coverage: Coverage,
  report: Report,
): void {
  const token = index.tokenOf(stream);
  const entitlement = index.entitlementOf(stream.token);
  const end = stream.received.at(-1)?.at ?? 0;
  const receivedAt = new Map(deliveries.map(({ at, message }) => [message.data.text, at]));
  const passedAt = firstDeliveryAfter(deliveries.filter(({ message }) => message.cursor !== null));

  const checkAttempt = (attempt: PublishAttempt, channel: Channel | undefined) => {
    if (attempt.ephemeral || attempt.outcome === 'REFUSED' || attempt.sent > end) return;
    const pastAt =
      attempt.outcome === 'KEPT' && attempt.sent > start ? passedAt(attempt.returned) : undefined;
    if (pastAt !== undefined && (!channel || entitlement.surelyReceives(channel, attempt.sent, pastAt))) {
      coverage.required++;
      const at = receivedAt.get(attempt.text);
      if (at === undefined) report(3, `missed “${attempt.text}” to ${attempt.to}`);
      else if (at > pastAt) report(2, `received “${attempt.text}” after a message that was published later`);
    } else if (channel && !entitlement.couldReceive(channel, attempt, attempt.sent, end))
      coverage.forbidden++;
    else coverage.undecided++;
  };
  for (const id of new Set(token.membershipPeriods.map((membership) => membership.channel))) {
    const channel = index.channels.get(id)!;
    for (const attempt of index.attemptsTo(`channel:${id}`)) checkAttempt(attempt, channel);
  }
  for (const address of directAddressesOf(token)) {
    for (const attempt of index.attemptsTo(address)) checkAttempt(attempt, undefined);
  }
}

/** Returns a function of a moment: when the stream first received a message that was published after that moment. */
function firstDeliveryAfter(deliveries: readonly Delivery[]): (moment: Moment) => Moment | undefined {
  const bySent = deliveries
    .flatMap(({ at, attempt }) => (attempt ? { at, sent: attempt.sent } : []))
    .sort((a, b) => b.sent - a.sent);
  let first = NEVER;
  const firsts = bySent.map(({ at }) => (first = Math.min(first, at)));
  return (moment) => {
    let [low, high] = [0, bySent.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bySent[middle]!.sent > moment) low = middle + 1;
      else high = middle;
    }
    return firsts[low - 1];
  };
}

/**
 * Checks that no ephemeral message is missing. A connected client receives them at once if they are addressed to its
 * connection, and once the session is live if they are published to a channel. A session is certainly live when it has
 * received an ephemeral message. From then on, messages arrive in the order in which they were published.
 */
function checkEphemeral(
  index: RecordIndex,
  stream: Stream,
  deliveries: readonly Delivery[],
  report: Report,
): void {
  const entitlement = index.entitlementOf(stream.token);
  const received = new Set(deliveries.map(({ message }) => message.data.text));
  for (const [session, ofSession] of groupBy(deliveries, (delivery) => delivery.session)) {
    const isMissed = ({ text, sent, outcome }: PublishAttempt) =>
      outcome === 'KEPT' && sent > session.connected! && !received.has(text);
    const passedAt = firstDeliveryAfter(ofSession);
    for (const attempt of index.attemptsTo(`connection:${session.connection}`)) {
      if (isMissed(attempt) && passedAt(attempt.returned) !== undefined) {
        report(3, `missed “${attempt.text}” to its connection`);
      }
    }
    const live = ofSession.findIndex(
      ({ attempt, message }) => attempt && index.channelOf(attempt) && message.cursor === null,
    );
    const passedLiveAt = firstDeliveryAfter(live < 0 ? [] : ofSession.slice(live));
    for (const { channel: id } of index.tokenOf(stream).membershipPeriods) {
      const channel = index.channels.get(id)!;
      for (const attempt of index.attemptsTo(`channel:${id}`)) {
        const pastAt = attempt.ephemeral && isMissed(attempt) ? passedLiveAt(attempt.returned) : undefined;
        if (pastAt !== undefined && entitlement.surelyReceives(channel, attempt.sent, pastAt)) {
          report(3, `missed “${attempt.text}” to ${attempt.to} while it was connected`);
        }
      }
    }
  }
}

/** Checks that the state versions of a channel increase, and that the stream was entitled to each of them. */
function checkVersions(index: RecordIndex, { token, received, sessions }: Stream, report: Report): void {
  const entitlement = index.entitlementOf(token);
  const versions = new Map<string, number>();
  for (const { at, session, event } of received) {
    const channels =
      event.__typename === 'Connected' ? event.channels : 'channel' in event ? [event.channel] : [];
    for (const { id, version } of channels) {
      if (version < (versions.get(id) ?? 0)) report(2, `received ${id} go back to version ${version}`);
      versions.set(id, version);
      if (event.__typename === 'ChannelUnavailable') continue;
      const { opened } = sessions[session]!;
      const patch = event.__typename === 'ChannelStateUpdated' ? index.patch(id, version) : undefined;
      const happened = patch ?? { sent: opened, returned: at };
      if (!entitlement.couldReceive(index.channels.get(id)!, happened, Math.max(opened, happened.sent), at)) {
        report(1, `received version ${version} of ${id}, which it could not receive at that time`);
      }
    }
  }
}

/** Checks that an ended token has no sessions, and that no token is refused before its end. */
function checkSessions(index: RecordIndex, stream: Stream, report: Report): void {
  const { wallClock } = index.record;
  const entitlement = index.entitlementOf(stream.token);
  const { credentialEnds } = index.tokenOf(stream);
  const isOpen = ({ ended }: { ended?: unknown }) => !ended;
  for (const session of stream.sessions) {
    const { opened, connected, closed = wallClock.length, code } = session;
    if (!entitlement.could(isOpen, opened, connected ?? closed))
      report(1, 'was connected after its token had ended');
    if (connected !== undefined && wallClock[opened]! >= credentialEnds)
      report(1, 'was connected with an expired credential');
    if (!ORDINARY_CODES.has(code) && code !== RENEW) report(0, `was closed with ${code}`);
    for (const { from, until, expiresAt } of entitlement.expiries) {
      if (from.returned <= opened || from.returned > closed) continue;
      const end = Math.min(closed, until, wallClock.length - 1);
      const late = wallClock[end]! - expiresAt - stalledMs(index, from.returned, end);
      if (late > EXPIRY_MS) report(1, `stayed connected for ${Math.round(late)} ms after its token expired`);
    }
  }
  if (stream.ended === undefined || wallClock[stream.ended]! >= credentialEnds) return;
  const last: Session | undefined = stream.sessions.at(-1);
  if (entitlement.surely(isOpen, last?.opened ?? 0, stream.ended)) {
    report(1, 'was told not to reconnect although its token was open');
  }
}

/** For how long the machine did not run the process. Deadlines of the service do not include this time. */
function stalledMs({ record }: RecordIndex, from: Moment, to: Moment): number {
  const stalls = record.stalls.filter(({ at }) => at >= from && at <= to);
  return stalls.reduce((sum, { ms }) => sum + ms, 0);
}
