import { type Clock } from '../clock.ts';
import { MAX_SKEW_SECONDS } from './issuers/claims.ts';
import { isRevoked, type RevocableCredential, type Revocation } from './revocation.ts';

/** The most entries that are kept; the oldest are dropped first. An entry is needed for `MAX_SKEW_SECONDS` only. */
const MAX_ENTRIES = 10_000;

/**
 * Remembers credentials that were presented before their time of issue, because the clock of their issuer is ahead. A
 * revocation of that moment must cover them, although they state a later time.
 */
export function createFutureCredentials(clock: Clock) {
  const seen = new Set<{ projectId: string; credential: RevocableCredential; issuedAt: number }>();

  return {
    /** Call it for each credential that was verified. */
    remember(projectId: string, credential: RevocableCredential): void {
      const { issuedAt } = credential;
      const now = clock.now();
      if (issuedAt === null || issuedAt <= now || isSignedBySignalbox(credential)) return;
      for (const entry of seen) {
        if (entry.issuedAt > now && seen.size < MAX_ENTRIES) break;
        seen.delete(entry);
      }
      seen.add({ projectId, credential, issuedAt });
    },
    /** A moment after the time of issue of every credential that the target covers; 0 when none is ahead. */
    cutOff(target: Pick<Revocation, 'projectId' | 'scope' | 'subject'>): number {
      const covered = [...seen].filter(
        ({ projectId, credential }) =>
          projectId === target.projectId && isRevoked({ ...target, issuedBefore: Infinity }, credential),
      );
      return Math.max(0, ...covered.map(({ issuedAt }) => issuedAt + 1));
    },
    /** Whether a credential is presented before its time of issue, soon after a revocation of its target. */
    isCovered(revocation: Revocation, credential: RevocableCredential): boolean {
      const now = clock.now();
      return (
        !isSignedBySignalbox(credential) &&
        (credential.issuedAt ?? 0) > now &&
        revocation.createdAt > now - MAX_SKEW_SECONDS * 1000 &&
        isRevoked({ ...revocation, issuedBefore: Infinity }, credential)
      );
    },
  };
}

/** Signalbox dates its own credentials by a clock that never goes back; see IssueClock. */
const isSignedBySignalbox = ({ rights }: RevocableCredential) => rights === null;
