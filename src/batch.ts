/**
 * Things that follow each other and are handed on together. Never changed, and one object for all who get the same
 * things, so that what is made of it is made once.
 */
export type Batch<T> = readonly T[];

/** Runs remembered for each thing that one may begin with. */
const REMEMBERED = 4;

const interned = new WeakMap<object, Batch<object>[]>();

/** The run of these things: the object that the same things were given before, if it is one of the last that began alike. */
export function internBatch<T extends object>(things: readonly T[]): Batch<T> {
  const first = things[0];
  if (!first) return things;
  const known = interned.get(first) ?? [];
  const found = known.find((run) => areSame(run, things));
  if (found) return found as Batch<T>;
  if (known.length === 0) interned.set(first, known);
  if (known.push(things) > REMEMBERED) known.shift();
  return things;
}

function areSame(one: readonly object[], other: readonly object[]): boolean {
  return one.length === other.length && one.every((thing, index) => thing === other[index]);
}
