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
   * The earliest time that is later than every credential issued so far, by any node. As `issuedBefore` of a revocation it covers them
   * all, and none that follows. It is now or, with several nodes, a tenth of a second later, unless the system clock was set back.
   */
  cutOff(): number;
  /** Issues no credential with an earlier time from now on: a revocation of any node covers those. */
  advance(to: number): void;
  /** As `advance`, by the revocations in the store: after signals of other nodes were missed. */
  refresh(): Promise<void>;
}

/** The time of the nodes of one store. */
export interface SharedTime {
  /** Milliseconds since 1970. */
  now(): number;
  /** How far the times of two nodes may differ, in milliseconds. 0 for a single node. */
  readonly maxDifferenceMs: number;
}

/** Reads the latest time of issue from the store. To save writes, the row is updated once for each 5 seconds of issuing. */
export async function createIssueClock(store: Store, time: SharedTime): Promise<IssueClock> {
  const rows = createIssueClockStore(store);
  let stored = await rows.read();
  // The latest credential may be 5 seconds newer than the row.
  let latest = stored > time.now() ? stored + SKEW_MS : 0;
  /** The earliest time of the next credential: revocations cover those before it. */
  let earliest = await rows.latestRevocation();
  const advance = (to: number) => void (earliest = Math.max(earliest, to));
  const current = () => Math.max(latest, earliest, time.now());

  return {
    async next() {
      latest = current();
      const issuedAt = latest;
      if (issuedAt > stored + SKEW_MS) {
        await rows.save(issuedAt);
        stored = Math.max(stored, issuedAt);
      }
      return issuedAt;
    },
    canHaveIssued: (issuedAt) => issuedAt <= current() + SKEW_MS,
    cutOff() {
      // Another node may have signed at the earliest time that is left.
      const ofOthers =
        time.maxDifferenceMs > 0 ? Math.max(earliest + 1, time.now() + time.maxDifferenceMs) : time.now();
      const cutOff = Math.max(latest + 1, ofOthers);
      advance(cutOff);
      return cutOff;
    },
    advance,
    refresh: async () => advance(await rows.latestRevocation()),
  };
}
