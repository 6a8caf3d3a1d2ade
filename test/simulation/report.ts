import { type CheckResult } from './check.ts';
import { firstAfter } from './entitlement.ts';
import { RecordIndex, groupBy } from './record-index.ts';
import { type SimulationRecord } from './record.ts';

/** Summarises the activity of a simulation. All figures but `seconds` are counts. */
export function describeSimulation(record: SimulationRecord) {
  const index = new RecordIndex(record);
  const { streams, attempts, wallClock, tokens } = record;
  const deliveries = streams.flatMap((stream) => index.deliveriesOf(stream));
  const sessions = streams.flatMap((stream) => stream.sessions);
  const kept = attempts.filter(({ outcome }) => outcome === 'KEPT');
  // A message that was acknowledged before the socket was opened was read from the log.
  const replayed = deliveries.filter(({ session, attempt }) => attempt && attempt.returned < session.opened);
  const permissionPeriods = tokens.flatMap((token) => token.permissionPeriods);
  return {
    seconds: Math.round((wallClock.at(-1)! - wallClock[0]!) / 1000),
    tokens: tokens.length,
    clients: streams.length,
    published: kept.length,
    ephemeral: kept.filter(({ ephemeral }) => ephemeral).length,
    bySocket: kept.filter(({ by }) => by !== undefined).length,
    direct: kept.filter((one) => !index.channelOf(one)).length,
    refused: attempts.filter(({ outcome }) => outcome === 'REFUSED').length,
    unanswered: attempts.filter(({ outcome }) => outcome === 'UNKNOWN').length,
    deliveries: deliveries.length,
    replays: replayed.length,
    longestReplay: Math.max(
      ...[...groupBy(replayed, ({ session }) => session).values()].map(({ length }) => length),
    ),
    cuts: record.cuts,
    resumes: sessions.length - streams.filter((stream) => stream.sessions.length > 0).length,
    memberships: tokens.flatMap(({ membershipPeriods }) => membershipPeriods).length,
    unsubscribes: tokens.flatMap(({ membershipPeriods }) => membershipPeriods).filter(({ ended }) => ended)
      .length,
    tokenUpdates: permissionPeriods.length - tokens.length,
    revocations: permissionPeriods.filter(({ ended }) => ended === 'REVOKED').length,
    expiries: permissionPeriods.filter(
      ({ expiresAt }) => expiresAt !== null && firstAfter(wallClock, expiresAt) < wallClock.length,
    ).length,
    refusedClients: streams.filter(({ ended }) => ended !== undefined).length,
    patches: record.patches.length,
    onlineChecks: record.onlineChecks.length,
    onlineAtTheEnd: record.finalState.online.length,
  };
}

export function describeResult({ violations, coverage }: CheckResult): string[] {
  const { required, forbidden, undecided } = coverage;
  const all = required + forbidden + undecided;
  const share = (count: number) => `${count} (${Math.round((100 * count) / Math.max(1, all))} %)`;
  return [
    `pairs of client and message: ${share(required)} required, ${share(forbidden)} forbidden, ${share(undecided)} undecided`,
    `violations: ${violations.length}`,
    ...violations.slice(0, 20).map(({ law, description }) => `  law ${law}: ${description}`),
  ];
}
