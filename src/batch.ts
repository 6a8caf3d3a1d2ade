/**
 * Consecutive values that are delivered together. A batch is immutable, and all subscribers that receive the same values
 * share one object, so results derived from a batch are computed once.
 */
export type Batch<T> = readonly T[];

/** Batches remembered per first value. */
const MAX_BATCHES_PER_FIRST_VALUE = 4;

const interned = new WeakMap<object, Batch<object>[]>();

/**
 * The canonical batch for these values. Returns an earlier batch with identical values (compared by identity, in order)
 * when that batch is among the last 4 with the same first value; otherwise returns `values` itself and remembers it.
 *
 * @example
 * internBatch([a, b]) === internBatch([a, b]); // true
 */
export function internBatch<T extends object>(values: readonly T[]): Batch<T> {
  const first = values[0];
  if (!first) return values;
  const known = interned.get(first) ?? [];
  const found = known.find((batch) => haveSameValues(batch, values));
  if (found) return found as Batch<T>;
  if (known.length === 0) interned.set(first, known);
  if (known.push(values) > MAX_BATCHES_PER_FIRST_VALUE) known.shift();
  return values;
}

function haveSameValues(one: readonly object[], other: readonly object[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}
