import { type Verdict } from './check.ts';
import { firstAfter } from './entitlement.ts';
import { Facts, groupBy } from './facts.ts';
import { type Evening } from './record.ts';

/** How busy an evening was: counts, and times in milliseconds. */
export function describeEvening(evening: Evening) {
  const facts = new Facts(evening);
  const { streams, said, walls, bearers } = evening;
  const sights = streams.flatMap((stream) => facts.sightsOf(stream));
  const sessions = streams.flatMap((stream) => stream.sessions);
  const kept = said.filter(({ outcome }) => outcome === 'KEPT');
  // Acknowledged before the socket was opened: read from the log.
  const replayed = sights.filter(({ session, said: one }) => one && one.returned < session.opened);
  const regimes = bearers.flatMap((bearer) => bearer.regimes);
  return {
    seconds: Math.round((walls.at(-1)! - walls[0]!) / 1000),
    tokens: bearers.length,
    clients: streams.length,
    published: kept.length,
    ephemeral: kept.filter(({ ephemeral }) => ephemeral).length,
    bySocket: kept.filter(({ by }) => by !== undefined).length,
    direct: kept.filter((one) => !facts.placeOf(one)).length,
    refused: said.filter(({ outcome }) => outcome === 'REFUSED').length,
    unanswered: said.filter(({ outcome }) => outcome === 'UNKNOWN').length,
    deliveries: sights.length,
    replays: replayed.length,
    longestReplay: Math.max(
      ...[...groupBy(replayed, ({ session }) => session).values()].map(({ length }) => length),
    ),
    cuts: evening.cuts,
    resumes: sessions.length - streams.filter((stream) => stream.sessions.length > 0).length,
    memberships: bearers.flatMap(({ stays }) => stays).length,
    partings: bearers.flatMap(({ stays }) => stays).filter(({ ended }) => ended).length,
    changes: regimes.length - bearers.length,
    revocations: regimes.filter(({ ended }) => ended === 'REVOKED').length,
    expiries: regimes.filter(
      ({ expiresAt }) => expiresAt !== null && firstAfter(walls, expiresAt) < walls.length,
    ).length,
    turnedAway: streams.filter(({ ended }) => ended !== undefined).length,
    patches: evening.patches.length,
    asked: evening.asked.length,
    onlineAtTheEnd: evening.ending.online.length,
  };
}

export function describeVerdict({ violations, coverage }: Verdict): string[] {
  const { required, forbidden, undecided } = coverage;
  const all = required + forbidden + undecided;
  const share = (count: number) => `${count} (${Math.round((100 * count) / Math.max(1, all))} %)`;
  return [
    `pairs of client and message: ${share(required)} had to be seen, ${share(forbidden)} might not be, ${share(undecided)} might either way`,
    `violations: ${violations.length}`,
    ...violations.slice(0, 20).map(({ law, what }) => `  law ${law}: ${what}`),
  ];
}
