import { checkFinalState } from './check-final-state.ts';
import { checkOrder } from './check-order.ts';
import { checkStream, type Coverage } from './check-stream.ts';
import { mayPublish } from './entitlement.ts';
import { RecordIndex, type Violation } from './record-index.ts';
import { type PublishAttempt, type SimulationRecord } from './record.ts';

export interface CheckResult {
  violations: Violation[];
  coverage: Coverage;
}

/** Checks laws 1 to 5 of docs/architecture.md, from requests, answers and events alone. */
export function check(record: SimulationRecord): CheckResult {
  const index = new RecordIndex(record);
  const streams = record.streams.map((stream) => checkStream(index, stream));
  const sum = (name: keyof Coverage) => streams.reduce((total, { coverage }) => total + coverage[name], 0);
  return {
    violations: [
      ...record.unexpectedErrors.map((description) => ({ law: 0 as const, description })),
      ...streams.flatMap(({ violations }) => violations),
      ...checkOrder(index),
      ...checkPublishes(index),
      ...checkFinalState(index),
    ],
    coverage: { required: sum('required'), forbidden: sum('forbidden'), undecided: sum('undecided') },
  };
}

/** Checks that tokens may publish exactly where they have permission, and the API key everywhere. */
function checkPublishes(index: RecordIndex): Violation[] {
  return index.record.attempts.flatMap((attempt) => {
    const { text, by, outcome, code, sent, returned, to } = attempt;
    const channel = index.channelOf(attempt);
    if (by === undefined || !channel) return outcome === 'REFUSED' ? checkRefusal(index, attempt) : [];
    const entitlement = index.entitlementOf(by);
    const rule = (isMember: boolean) => (period: Parameters<typeof mayPublish>[0]) =>
      mayPublish(period, channel, isMember);
    if (outcome === 'KEPT') {
      const isMember = entitlement.couldBeMember(channel, sent, returned);
      if (entitlement.could(rule(isMember), sent, returned)) return [];
      return { law: 1 as const, description: `${by} published “${text}” to ${to} without permission` };
    }
    if (outcome === 'UNKNOWN') return [];
    const isMember = entitlement.isSurelyMember(channel, sent, returned);
    if (code === 'FORBIDDEN' && !entitlement.surely(rule(isMember), sent, returned)) return [];
    return {
      law: 1 as const,
      description: `${by} had permission to publish “${text}” to ${to}, but was refused with ${code}`,
    };
  });
}

/** Checks a refusal of the API key: only a revoked token or a closed connection cannot be addressed. */
function checkRefusal(index: RecordIndex, { text, to, code, sent, returned }: PublishAttempt): Violation[] {
  const [kind, name = ''] = to.split(/:(.*)/s);
  const isRevoked =
    kind === 'token' && index.entitlementOf(name).could(({ ended }) => ended === 'REVOKED', sent, returned);
  if (isRevoked && code === 'TOKEN_REVOKED') return [];
  const isConnected = index.record.streams.some((stream) =>
    index
      .deliveriesOf(stream)
      .some(({ session, attempt }) => session.connection === name && attempt && attempt.sent > returned),
  );
  if (kind === 'connection' && code === 'NOT_FOUND' && !isConnected) return [];
  return [{ law: 0, description: `“${text}” to ${to} was refused with ${code}` }];
}
