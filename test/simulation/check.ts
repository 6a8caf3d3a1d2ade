import { checkEnding } from './check-ending.ts';
import { checkOrder } from './check-order.ts';
import { checkStream, type Coverage } from './check-stream.ts';
import { maySpeak } from './entitlement.ts';
import { Facts, type Violation } from './facts.ts';
import { type Evening } from './record.ts';

export interface Verdict {
  violations: Violation[];
  coverage: Coverage;
}

/** Laws 1 to 5 of design.md, judged by what was seen, asked and acknowledged alone. */
export function check(evening: Evening): Verdict {
  const facts = new Facts(evening);
  const streams = evening.streams.map((stream) => checkStream(facts, stream));
  const sum = (name: keyof Coverage) => streams.reduce((total, { coverage }) => total + coverage[name], 0);
  return {
    violations: [
      ...evening.surprises.map((what) => ({ law: 0 as const, what })),
      ...streams.flatMap(({ violations }) => violations),
      ...checkOrder(facts),
      ...checkSpeech(facts),
      ...checkEnding(facts),
    ],
    coverage: { required: sum('required'), forbidden: sum('forbidden'), undecided: sum('undecided') },
  };
}

/** A token speaks where it may, and nowhere else; the API key everywhere, to whoever there is. */
function checkSpeech(facts: Facts): Violation[] {
  return facts.evening.said.flatMap((said) => {
    const { text, by, outcome, code, sent, returned, to } = said;
    const place = facts.placeOf(said);
    if (by === undefined || !place) return outcome === 'REFUSED' ? checkRefusal(facts, said) : [];
    const entitlement = facts.entitlementOf(by);
    const rule = (isMember: boolean) => (regime: Parameters<typeof maySpeak>[0]) =>
      maySpeak(regime, place, isMember);
    if (outcome === 'KEPT') {
      const isMember = entitlement.couldBeMember(place, sent, returned);
      if (entitlement.could(rule(isMember), sent, returned)) return [];
      return { law: 1 as const, what: `${by} said “${text}” to ${to}, where it might not` };
    }
    if (outcome === 'UNKNOWN') return [];
    const isMember = entitlement.isSurelyMember(place, sent, returned);
    if (code === 'FORBIDDEN' && !entitlement.surely(rule(isMember), sent, returned)) return [];
    return { law: 1 as const, what: `${by} was refused “${text}” to ${to} with ${code}, where it might` };
  });
}

/** By the API key: a token that was revoked, or a connection that went, cannot be spoken to. */
function checkRefusal(
  facts: Facts,
  { text, to, code, sent, returned }: Facts['evening']['said'][number],
): Violation[] {
  const [kind, name = ''] = to.split(/:(.*)/s);
  const isRevoked =
    kind === 'token' && facts.entitlementOf(name).could(({ ended }) => ended === 'REVOKED', sent, returned);
  if (isRevoked && code === 'TOKEN_REVOKED') return [];
  const isHere = facts.evening.streams.some((stream) =>
    facts
      .sightsOf(stream)
      .some(({ session, said }) => session.connection === name && said && said.sent > returned),
  );
  if (kind === 'connection' && code === 'NOT_FOUND' && !isHere) return [];
  return [{ law: 0, what: `“${text}” to ${to} was refused with ${code}` }];
}
