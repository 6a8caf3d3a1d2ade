import { every, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type Store } from '../store/store.ts';
import { createMembershipStore } from './membership-store.ts';
import { type Tokens } from '../tokens/tokens.ts';

/** Forgets the records of bearers who cannot come back, with their memberships, mutes and bans, in small steps. */
export interface TokenSweeper extends Disposable {
  /** Resolves when nothing is left to forget now. */
  sweep(): Promise<void>;
}

/** Records that are forgotten in one step. */
const STEP = 200;

export function createTokenSweeper(parts: {
  store: Store;
  tokens: Tokens;
  clock: Clock;
  config: Config;
  onFault: (error: unknown) => void;
}): TokenSweeper {
  const { store, tokens, clock, config, onFault } = parts;
  const memberships = createMembershipStore(store);

  async function sweep(): Promise<void> {
    for (;;) {
      const { ids, removals } = await tokens.purgeableTokens(STEP);
      if (ids.length === 0) return;
      await store.batch([memberships.removalOf(ids), ...removals]);
    }
  }

  const sweeping = every(clock, config.purgeIntervalMs, () => void sweep().catch(onFault));
  return { sweep, [Symbol.dispose]: () => sweeping[Symbol.dispose]() };
}
