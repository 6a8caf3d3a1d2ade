import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ClockHistory } from '../clock-history.ts';
import { every, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type Store } from '../store/store.ts';
import { createMembershipStore } from './membership-store.ts';
import { createRemovalStore } from './removal-store.ts';
import { type TokensOfProject } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';

/**
 * Deletes the rows of tokens that can never connect again, with their memberships, mutes and bans. Runs every
 * `purgeIntervalMs` until disposed.
 */
export interface TokenSweeper extends Disposable {
  /** Deletes all tokens that are due now; resolves when none is left. */
  sweep(): Promise<void>;
}

/** Tokens that one transaction deletes. A small number, because SQLite blocks the event loop for the whole transaction. */
const TOKENS_PER_TRANSACTION = 200;
/** Memberships and removals of memberships that one transaction deletes, unless a single token has more. */
const MEMBERSHIPS_PER_TRANSACTION = 1000;
/** How long no tokens are deleted after a jump of the system clock, in milliseconds: a day, in which an operator can set it right. */
const HOLD_MS = 86_400_000;

export function createTokenSweeper(deps: {
  store: Store;
  tokens: Tokens;
  clock: Clock;
  clockHistory: ClockHistory;
  config: Config;
  /** Receives the error of a scheduled sweep that failed; the next interval tries again. */
  onFault: (error: unknown) => void;
}): TokenSweeper {
  const { store, tokens, clock, clockHistory, config, onFault } = deps;
  const memberships = createMembershipStore(store);
  const membershipRemovals = createRemovalStore(store, config.maxMembershipsPerToken);

  async function sweep(): Promise<void> {
    for (;;) {
      const now = clockHistory.settledNow(HOLD_MS);
      const due = await tokens.purgeableTokens(now, TOKENS_PER_TRANSACTION);
      if (!due) return;
      const { projectId } = due;
      const ids = await firstWithinLimit(due);
      // The tokens first: one that is extended meanwhile stays, with everything that belongs to it.
      await store.batch([
        ...tokens.removalOf({ projectId, ids }, now),
        memberships.removalOf(projectId, ids),
        membershipRemovals.removalOf(projectId, ids),
      ]);
      // Awaiting the store does not end the turn, because its writes are synchronous.
      await nextTurn();
    }
  }

  /** The first of the tokens, as many as one transaction may delete with their memberships; at least one. */
  async function firstWithinLimit({ projectId, ids }: TokensOfProject): Promise<readonly string[]> {
    const counts = await memberships.countsOf(projectId, ids);
    const removalCounts = await membershipRemovals.countsOf(projectId, ids);
    let total = 0;
    const end = ids.findIndex((id, index) => {
      total += (counts.get(id) ?? 0) + (removalCounts.get(id) ?? 0);
      return index > 0 && total > MEMBERSHIPS_PER_TRANSACTION;
    });
    return end === -1 ? ids : ids.slice(0, end);
  }

  const schedule = every(clock, config.purgeIntervalMs, () => void sweep().catch(onFault));
  return { sweep, [Symbol.dispose]: () => schedule[Symbol.dispose]() };
}
