import { type Clock } from '../clock.ts';
import { type Store } from '../store/store.ts';
import { createIssueClockStore } from './issue-clock-store.ts';
import { MAX_SKEW_SECONDS } from './issuers/claims.ts';

const SKEW_MS = MAX_SKEW_SECONDS * 1000;

/**
 * The times at which this service issues its own credentials. They never go back, also when the system clock is set back
 * and the process restarts: a credential issued before that stays valid, and a revocation still tells old from new. All
 * times are in milliseconds since 1970.
 */
export interface IssueClock {
  /** The time of issue of a new credential: now, or later while the system clock is behind an earlier time of issue. */
  next(): Promise<number>;
  /** Whether this service can have issued a credential at this time. */
  canHaveIssued(issuedAt: number): boolean;
  /**
   * The earliest time that is later than every credential issued so far. As `issuedBefore` of a revocation it covers them all,
   * and none that follows. It is now, unless the system clock was set back.
   */
  cutOff(): number;
}

/** Reads the latest time of issue from the store. To save writes, the row is updated once for each 5 seconds of issuing. */
export async function createIssueClock(store: Store, clock: Clock): Promise<IssueClock> {
  const rows = createIssueClockStore(store);
  let stored = await rows.read();
  // The latest credential may be 5 seconds newer than the row.
  let latest = stored > clock.now() ? stored + SKEW_MS : 0;

  return {
    async next() {
      latest = Math.max(latest, clock.now());
      const issuedAt = latest;
      if (issuedAt > stored + SKEW_MS) {
        await rows.save(issuedAt);
        stored = Math.max(stored, issuedAt);
      }
      return issuedAt;
    },
    canHaveIssued: (issuedAt) => issuedAt <= Math.max(latest, clock.now()) + SKEW_MS,
    cutOff() {
      if (latest <= clock.now()) return clock.now();
      latest += 1;
      return latest;
    },
  };
}
