import { createNumberGenerator } from '../support/number-generator.ts';

/** Random numbers from a seed: equal seeds yield equal sequences. */
export interface RandomSource {
  /** A number in [0, 1). */
  next(): number;
  /** An integer from `from` to `to`, both inclusive. */
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  /** One of the names, with a probability in proportion to its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  /** A source of its own for `name`, independent of the numbers drawn from this one. */
  fork(name: string): RandomSource;
}

export function createRandomSource(seed: number): RandomSource {
  const next = createNumberGenerator(seed);
  const source: RandomSource = {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick(items) {
      if (items.length === 0) throw new TypeError('pick() needs at least one item.');
      return items[Math.floor(next() * items.length)]!;
    },
    weighted(weights) {
      const entries = Object.entries<number>(weights);
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      const found = entries.find(([, weight]) => (left -= weight) < 0) ?? entries.at(-1);
      return found![0] as keyof typeof weights;
    },
    fork: (name) => createRandomSource(hash(`${seed} ${name}`)),
  };
  return source;
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  return state >>> 0;
}
