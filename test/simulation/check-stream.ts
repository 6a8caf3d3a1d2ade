import { groupBy, mailboxesOf, type Facts, type Sight, type Violation } from './facts.ts';
import {
  lastWordTo,
  NEVER,
  type Moment,
  type Place,
  type Said,
  type Session,
  type Stream,
} from './record.ts';

/** Of the messages that might have concerned a stream: how many it had to see, might not see, or might either way. */
export interface Coverage {
  required: number;
  forbidden: number;
  undecided: number;
}

const EXPIRY_MS = 1000;
/** How a socket ends whose line broke or whose client went. */
const ORDINARY_CODES: ReadonlySet<number | undefined> = new Set([undefined, 1000, 1005, 1006]);
const RENEW = 4403;

/** Laws 1 to 4, as far as they show in what one client saw. */
export function checkStream(facts: Facts, stream: Stream): { violations: Violation[]; coverage: Coverage } {
  const violations: Violation[] = [];
  const coverage: Coverage = { required: 0, forbidden: 0, undecided: 0 };
  const fault = (law: Violation['law'], what: string) => {
    violations.push({ law, what: `${stream.name} ${what}` });
  };
  const sights = facts.sightsOf(stream);
  const base = facts.baseOf(stream);
  if (base) {
    for (const sight of sights) checkSight(facts, stream, sight, base.sent, fault);
    checkEachOnce(sights, fault);
    checkChains(facts, stream, sights, fault);
    checkComplete(facts, stream, sights, base.returned, coverage, fault);
    checkEphemeral(facts, stream, sights, fault);
    checkVersions(facts, stream, fault);
  }
  checkEnds(facts, stream, fault);
  if (stream.seen.some(({ event }) => event.__typename === 'Gap')) fault(3, 'was told of a gap');
  if (stream.isHere && stream.ended === undefined) {
    const isThere = sights.some(({ message }) => message.data.text === lastWordTo(stream.bearer));
    if (!isThere) fault(3, 'never saw the last word');
  }
  return { violations, coverage };
}

type Fault = (law: Violation['law'], what: string) => void;

/** Whether what was seen was said, just so, and was the stream's to see when it may have been delivered. */
function checkSight(facts: Facts, stream: Stream, sight: Sight, base: Moment, fault: Fault): void {
  const { at, session, message, said } = sight;
  const { text } = message.data;
  if (!said) return fault(1, `saw “${text}”, which nobody said`);
  const place = facts.placeOf(said);
  if (said.outcome === 'REFUSED') fault(1, `saw “${text}”, which was refused`);
  if (said.message && JSON.stringify(said.message) !== JSON.stringify(message)) {
    fault(2, `saw “${text}” otherwise than it was said: ${JSON.stringify(message)}`);
  }
  if (message.channel !== (place?.id ?? null)) fault(1, `saw “${text}” in another place`);
  if (said.returned < base) fault(3, `saw “${text}”, which was said before it began`);
  if (said.ephemeral && said.returned < session.opened)
    fault(3, `saw “${text}” replayed, which is ephemeral`);
  if (said.sent > at) fault(0, `saw “${text}” before it was said`);

  const from = Math.max(session.opened, said.sent);
  const entitlement = facts.entitlementOf(stream.bearer);
  if (!entitlement.could(({ ended }) => !ended, from, at)) fault(1, `saw “${text}” after its end`);
  else if (!place) {
    const isAddressed =
      mailboxesOf(facts.bearerOf(stream)).includes(said.to) || said.to === `connection:${session.connection}`;
    if (!isAddressed) fault(1, `saw “${text}”, which was said to ${said.to}`);
  } else if (!entitlement.couldHear(place, said, from, at)) {
    const law = entitlement.couldBeMember(place, from, at) ? 1 : 4;
    fault(law, `saw “${text}” in ${place.id}, where it heard nothing then`);
  }
}

function checkEachOnce(sights: readonly Sight[], fault: Fault): void {
  const known = new Set<string>();
  for (const { message } of sights) {
    if (known.has(message.id)) fault(2, `saw “${message.data.text}” twice`);
    known.add(message.id);
  }
}

/** Each message names the one before it at its address: whoever heard the place all the while has seen that one last. */
function checkChains(facts: Facts, stream: Stream, sights: readonly Sight[], fault: Fault): void {
  const entitlement = facts.entitlementOf(stream.bearer);
  const last = new Map<string, Sight & { said: Said }>();
  for (const sight of sights) {
    const { at, message, said } = sight;
    if (!said || message.cursor === null) continue;
    const before = last.get(said.to);
    last.set(said.to, { ...sight, said });
    if (!before || message.previous === before.message.cursor) continue;
    const place = facts.placeOf(said);
    if (place && !entitlement.surelyHears(place, before.said.sent, at)) continue;
    fault(2, `saw “${before.message.data.text}” and then “${message.data.text}” with a break in between`);
  }
}

/**
 * Whether everything is there that was said while the bearer heard the place, and went on to hear it until the stream was
 * past it: until it saw something that was said later.
 */
function checkComplete(
  facts: Facts,
  stream: Stream,
  sights: readonly Sight[],
  base: Moment,
  coverage: Coverage,
  fault: Fault,
): void {
  const bearer = facts.bearerOf(stream);
  const entitlement = facts.entitlementOf(stream.bearer);
  const end = stream.seen.at(-1)?.at ?? 0;
  const seenAt = new Map(sights.map(({ at, message }) => [message.data.text, at]));
  const passed = firstSightAfter(sights.filter(({ message }) => message.cursor !== null));

  const look = (said: Said, place: Place | undefined) => {
    if (said.ephemeral || said.outcome === 'REFUSED' || said.sent > end) return;
    const isPast = said.outcome === 'KEPT' && said.sent > base ? passed(said.returned) : undefined;
    if (isPast !== undefined && (!place || entitlement.surelyHears(place, said.sent, isPast))) {
      coverage.required++;
      const at = seenAt.get(said.text);
      if (at === undefined) fault(3, `missed “${said.text}” to ${said.to}`);
      else if (at > isPast) fault(2, `saw “${said.text}” after something that was said later`);
    } else if (place && !entitlement.couldHear(place, said, said.sent, end)) coverage.forbidden++;
    else coverage.undecided++;
  };
  for (const channel of new Set(bearer.stays.map((stay) => stay.channel))) {
    const place = facts.places.get(channel)!;
    for (const said of facts.saidTo(`channel:${channel}`)) look(said, place);
  }
  for (const address of mailboxesOf(bearer)) {
    for (const said of facts.saidTo(address)) look(said, undefined);
  }
}

/** For a moment: when the stream first saw what was said after it. */
function firstSightAfter(sights: readonly Sight[]): (moment: Moment) => Moment | undefined {
  const bySent = sights
    .flatMap(({ at, said }) => (said ? { at, sent: said.sent } : []))
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
 * What is not kept is pushed to whoever is here: to a connection at once, in a channel once the session is live, as it
 * surely is when it has seen something ephemeral. From then on each thing comes before whatever was said later.
 */
function checkEphemeral(facts: Facts, stream: Stream, sights: readonly Sight[], fault: Fault): void {
  const entitlement = facts.entitlementOf(stream.bearer);
  const seen = new Set(sights.map(({ message }) => message.data.text));
  for (const [session, own] of groupBy(sights, (sight) => sight.session)) {
    const isMissed = ({ text, sent, outcome }: Said) =>
      outcome === 'KEPT' && sent > session.connected! && !seen.has(text);
    const passed = firstSightAfter(own);
    for (const said of facts.saidTo(`connection:${session.connection}`)) {
      if (isMissed(said) && passed(said.returned) !== undefined) {
        fault(3, `missed “${said.text}” to its connection`);
      }
    }
    const live = own.findIndex(({ said, message }) => said && facts.placeOf(said) && message.cursor === null);
    const passedLive = firstSightAfter(live < 0 ? [] : own.slice(live));
    for (const { channel } of facts.bearerOf(stream).stays) {
      const place = facts.places.get(channel)!;
      for (const said of facts.saidTo(`channel:${channel}`)) {
        const isPast = said.ephemeral && isMissed(said) ? passedLive(said.returned) : undefined;
        if (isPast !== undefined && entitlement.surelyHears(place, said.sent, isPast)) {
          fault(3, `missed “${said.text}” to ${said.to} while it was here`);
        }
      }
    }
  }
}

/** The states of a channel come in order, and only to whoever hears it. */
function checkVersions(facts: Facts, { bearer, seen, sessions }: Stream, fault: Fault): void {
  const entitlement = facts.entitlementOf(bearer);
  const versions = new Map<string, number>();
  for (const { at, session, event } of seen) {
    const channels =
      event.__typename === 'Connected' ? event.channels : 'channel' in event ? [event.channel] : [];
    for (const { id, version } of channels) {
      if (version < (versions.get(id) ?? 0)) fault(2, `saw ${id} go back to version ${version}`);
      versions.set(id, version);
      if (event.__typename === 'ChannelUnavailable') continue;
      const { opened } = sessions[session]!;
      const patch = event.__typename === 'ChannelStateUpdated' ? facts.patch(id, version) : undefined;
      const happened = patch ?? { sent: opened, returned: at };
      if (!entitlement.couldHear(facts.places.get(id)!, happened, Math.max(opened, happened.sent), at)) {
        fault(1, `saw version ${version} of ${id}, where it heard nothing then`);
      }
    }
  }
}

/** A token that has ended opens nothing; one that has not is not turned away. */
function checkEnds(facts: Facts, stream: Stream, fault: Fault): void {
  const { walls } = facts.evening;
  const entitlement = facts.entitlementOf(stream.bearer);
  const { credentialEnds } = facts.bearerOf(stream);
  const isOpen = ({ ended }: { ended?: unknown }) => !ended;
  for (const session of stream.sessions) {
    const { opened, connected, closed = walls.length, code } = session;
    if (!entitlement.could(isOpen, opened, connected ?? closed)) fault(1, 'was let in after its end');
    if (connected !== undefined && walls[opened]! >= credentialEnds)
      fault(1, 'came in with an old credential');
    if (!ORDINARY_CODES.has(code) && code !== RENEW) fault(0, `was closed with ${code}`);
    for (const { from, until, expiresAt } of entitlement.expiries) {
      if (from.returned <= opened || from.returned > closed) continue;
      const end = Math.min(closed, until, walls.length - 1);
      const late = walls[end]! - expiresAt - lostMs(facts, from.returned, end);
      if (late > EXPIRY_MS) fault(1, `went on for ${Math.round(late)} ms after it expired`);
    }
  }
  if (stream.ended === undefined || walls[stream.ended]! >= credentialEnds) return;
  const last: Session | undefined = stream.sessions.at(-1);
  if (entitlement.surely(isOpen, last?.opened ?? 0, stream.ended)) {
    fault(1, 'was turned away, though its token was open');
  }
}

/** How long the machine let the process wait: neither service nor client is late by that. */
function lostMs({ evening }: Facts, from: Moment, to: Moment): number {
  const lost = evening.lost.filter(({ at }) => at >= from && at <= to);
  return lost.reduce((sum, { ms }) => sum + ms, 0);
}
