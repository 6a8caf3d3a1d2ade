import {
  NEVER,
  type Action,
  type Token,
  type Grant,
  type Moment,
  type Channel,
  type PermissionPeriod,
  type Role,
  type Span,
} from './record.ts';

// The permission rules, written a second time from the design, so that the simulation can contradict the service.

type Permissions = Pick<PermissionPeriod, 'role' | 'grants' | 'ended'>;

const PUBLISHING_ROLES: readonly Role[] = ['PUBLISHER', 'MODERATOR'];

/** Whether a member of the channel receives its messages. */
export function mayReceive({ role, grants, ended }: Permissions, channel: Channel): boolean {
  return (
    !ended && (role !== 'GUEST' || channel.type !== 'PRIVATE') && allows(grants, 'SUBSCRIBE', channel.id)
  );
}

export function mayPublish(
  { role, grants, ended }: Permissions,
  channel: Channel,
  isMember: boolean,
): boolean {
  const mayEnter = channel.type !== 'PRIVATE' || isMember;
  return !ended && mayEnter && PUBLISHING_ROLES.includes(role) && allows(grants, 'PUBLISH', channel.id);
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

/** A permission period, with the first and the last moment at which it may have been in force. */
interface PossiblePeriod {
  period: PermissionPeriod;
  first: Moment;
  last: Moment;
}

/**
 * What a token was entitled to, as far as it can be inferred from requests and answers. The exact moment of a change is
 * unknown, so that every question has two variants: `could…` (possibly) and `surely…` (certainly).
 */
export class Entitlement {
  readonly #token: Token;
  readonly #possiblePeriods: PossiblePeriod[];

  constructor(token: Token, wallClock: readonly number[]) {
    this.#token = token;
    const periods = withExpiry(token.permissionPeriods, wallClock);
    this.#possiblePeriods = periods.map((period, index) => {
      const { sent, returned } = period.from;
      const next = periods[index + 1]?.from.returned ?? NEVER;
      return { period, first: sent, last: Math.max(next, returned) };
    });
  }

  /** The expiries of the token. `until`: the first moment at which it may have been open again. */
  get expiries(): { expiresAt: number; from: Span; until: Moment }[] {
    return this.#possiblePeriods.flatMap(({ period: { ended, expiresAt, from } }, index) => {
      if (ended !== 'EXPIRED' || expiresAt === null) return [];
      return { expiresAt, from, until: this.#possiblePeriods[index + 1]?.first ?? NEVER };
    });
  }

  /** Whether the rule may have held at some moment from `from` to `to`. */
  could(rule: (period: PermissionPeriod) => boolean, from: Moment, to: Moment): boolean {
    return this.#possiblePeriods.some(
      ({ period, first, last }) => first <= to && last >= from && rule(period),
    );
  }

  /** Whether the rule certainly held at every moment from `from` to `to`. */
  surely(rule: (period: PermissionPeriod) => boolean, from: Moment, to: Moment): boolean {
    return !this.could((period) => !rule(period), from, to) && this.could(rule, from, to);
  }

  couldBeMember(channel: Channel, from: Moment, to: Moment): boolean {
    return this.#membershipsIn(channel).some(
      ({ began, ended }) => began.sent <= to && (ended?.returned ?? NEVER) >= from,
    );
  }

  isSurelyMember(channel: Channel, from: Moment, to: Moment): boolean {
    return this.#membershipsIn(channel).some(
      ({ began, ended }) => began.returned < from && (ended?.sent ?? NEVER) > to,
    );
  }

  /**
   * Whether an event of the channel that happened during `happened` may have been delivered from `from` to `to`. The token
   * must have been a member when the event happened, and its permissions must have allowed the delivery.
   */
  couldReceive(channel: Channel, happened: Span, from: Moment, to: Moment): boolean {
    return this.#membershipsIn(channel).some(({ began, ended }) => {
      if (happened.returned < began.sent) return false;
      const first = Math.max(from, began.sent);
      const last = Math.min(to, ended?.returned ?? NEVER);
      return first <= last && this.could((period) => mayReceive(period, channel), first, last);
    });
  }

  /** Whether the token was a member that may receive the messages of the channel, at every moment from `from` to `to`. */
  surelyReceives(channel: Channel, from: Moment, to: Moment): boolean {
    return (
      this.isSurelyMember(channel, from, to) && this.surely((period) => mayReceive(period, channel), from, to)
    );
  }

  #membershipsIn({ id }: Channel) {
    return this.#token.membershipPeriods.filter(({ channel }) => channel === id);
  }
}

/**
 * Adds a period for each expiry. An expiry happens between the last moment before and the first moment after `expiresAt`.
 */
function withExpiry(periods: readonly PermissionPeriod[], wallClock: readonly number[]): PermissionPeriod[] {
  return periods.flatMap((period, index) => {
    const { expiresAt, ended } = period;
    if (expiresAt === null || ended) return [period];
    const after = firstAfter(wallClock, expiresAt);
    if (after <= period.from.sent) return [{ ...period, ended: 'EXPIRED' as const }];
    const next = periods[index + 1]?.from.returned ?? NEVER;
    if (after === wallClock.length || after - 1 > next) return [period];
    return [period, { ...period, from: { sent: after - 1, returned: after }, ended: 'EXPIRED' as const }];
  });
}

/** The first moment at or after a time. */
export function firstAfter(wallClock: readonly number[], time: number): Moment {
  let low = 0;
  let high = wallClock.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (wallClock[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
