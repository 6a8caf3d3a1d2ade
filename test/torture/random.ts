import { createNumberGenerator } from '../support/number-generator.ts';

/** Reproducible choices. */
export interface Random {
  /** A number from `low`, included, to `high`, excluded. */
  between(low: number, high: number): number;
  /** Undefined if there is no item. */
  pick<T>(items: readonly T[]): T | undefined;
  /** Another source that depends on this one's seed. */
  fork(): Random;
}

export function createRandom(seed: number): Random {
  const next = createNumberGenerator(seed);
  return {
    between: (low, high) => low + next() * (high - low),
    pick: (items) => items[Math.floor(next() * items.length)],
    fork: () => createRandom(Math.floor(next() * 2 ** 32)),
  };
}
