import {
  NEVER,
  type Action,
  type Bearer,
  type Grant,
  type Moment,
  type Place,
  type Regime,
  type Role,
  type Span,
} from './record.ts';

/** Who may do what, written down a second time from the design, so that the first time can be wrong. */

type Rule = Pick<Regime, 'role' | 'grants' | 'ended'>;

const SPEAKERS: readonly Role[] = ['PUBLISHER', 'MODERATOR'];

/** Whether a member of the place hears it. */
export function mayHear({ role, grants, ended }: Rule, place: Place): boolean {
  return !ended && (role !== 'GUEST' || place.type !== 'PRIVATE') && allows(grants, 'SUBSCRIBE', place.id);
}

export function maySpeak({ role, grants, ended }: Rule, place: Place, isMember: boolean): boolean {
  const isIn = place.type !== 'PRIVATE' || isMember;
  return !ended && isIn && SPEAKERS.includes(role) && allows(grants, 'PUBLISH', place.id);
}

export function mayModerate({ role, grants, ended }: Rule, place: Place, isMember: boolean): boolean {
  const isIn = place.type !== 'PRIVATE' || isMember;
  return !ended && isIn && role === 'MODERATOR' && allows(grants, 'MODERATE', place.id);
}

function allows(grants: readonly Grant[] | null, action: Action, channel: string): boolean {
  return (
    grants === null ||
    grants.some(
      ({ channels, actions }) =>
        actions.includes(action) && new RegExp(`^${channels.replaceAll('*', '[^:]*')}$`).test(channel),
    )
  );
}

/** A regime and when it may have been in force. */
interface Reign {
  regime: Regime;
  first: Moment;
  last: Moment;
}

/** What a bearer was entitled to, as far as it can be known from outside: surely, or possibly. */
export class Entitlement {
  readonly #bearer: Bearer;
  readonly #reigns: Reign[];

  constructor(bearer: Bearer, walls: readonly number[]) {
    this.#bearer = bearer;
    const regimes = withExpiry(bearer.regimes, walls);
    this.#reigns = regimes.map((regime, index) => {
      const { sent, returned } = regime.from;
      const next = regimes[index + 1]?.from.returned ?? NEVER;
      return { regime, first: sent, last: Math.max(next, returned) };
    });
  }

  /** When it expired, and from when on it was open again, perhaps. */
  get expiries(): { expiresAt: number; from: Span; until: Moment }[] {
    return this.#reigns.flatMap(({ regime: { ended, expiresAt, from } }, index) => {
      if (ended !== 'EXPIRED' || expiresAt === null) return [];
      return { expiresAt, from, until: this.#reigns[index + 1]?.first ?? NEVER };
    });
  }

  /** Whether at some moment from `from` to `to` it may have been allowed what `rule` says. */
  could(rule: (regime: Regime) => boolean, from: Moment, to: Moment): boolean {
    return this.#reigns.some(({ regime, first, last }) => first <= to && last >= from && rule(regime));
  }

  /** Whether all the time from `from` to `to` it was allowed what `rule` says. */
  surely(rule: (regime: Regime) => boolean, from: Moment, to: Moment): boolean {
    return !this.could((regime) => !rule(regime), from, to) && this.could(rule, from, to);
  }

  couldBeMember(place: Place, from: Moment, to: Moment): boolean {
    return this.#staysIn(place).some(
      ({ began, ended }) => began.sent <= to && (ended?.returned ?? NEVER) >= from,
    );
  }

  isSurelyMember(place: Place, from: Moment, to: Moment): boolean {
    return this.#staysIn(place).some(
      ({ began, ended }) => began.returned < from && (ended?.sent ?? NEVER) > to,
    );
  }

  /**
   * Whether what happened in the place at `happened` may have been delivered from `from` to `to`: to a member who was
   * one when it happened, while its regime let it hear the place.
   */
  couldHear(place: Place, happened: Span, from: Moment, to: Moment): boolean {
    return this.#staysIn(place).some(({ began, ended }) => {
      if (happened.returned < began.sent) return false;
      const first = Math.max(from, began.sent);
      const last = Math.min(to, ended?.returned ?? NEVER);
      return first <= last && this.could((regime) => mayHear(regime, place), first, last);
    });
  }

  /** Whether it was a member who may hear the place all the time from `from` to `to`. */
  surelyHears(place: Place, from: Moment, to: Moment): boolean {
    return this.isSurelyMember(place, from, to) && this.surely((regime) => mayHear(regime, place), from, to);
  }

  #staysIn(place: Place) {
    return this.#bearer.stays.filter(({ channel }) => channel === place.id);
  }
}

/** An expiry is a change of regime like any other: it happens between the last moment before and the first one after. */
function withExpiry(regimes: readonly Regime[], walls: readonly number[]): Regime[] {
  return regimes.flatMap((regime, index) => {
    const { expiresAt, ended } = regime;
    if (expiresAt === null || ended) return [regime];
    const after = firstAfter(walls, expiresAt);
    if (after <= regime.from.sent) return [{ ...regime, ended: 'EXPIRED' as const }];
    const next = regimes[index + 1]?.from.returned ?? NEVER;
    if (after === walls.length || after - 1 > next) return [regime];
    return [regime, { ...regime, from: { sent: after - 1, returned: after }, ended: 'EXPIRED' as const }];
  });
}

/** The first moment at or after a time. */
export function firstAfter(walls: readonly number[], time: number): Moment {
  let low = 0;
  let high = walls.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (walls[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
