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
  let state = seed >>> 0;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    between: (low, high) => low + next() * (high - low),
    pick: (items) => items[Math.floor(next() * items.length)],
    fork: () => createRandom(Math.floor(next() * 2 ** 32)),
  };
}
