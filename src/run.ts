/**
 * Things that follow each other and are handed on together. Never changed, and one object for all who get the same
 * things, so that what is made of it is made once.
 */
export type Run<T> = readonly T[];

/** Runs remembered for each thing that one may begin with. */
const REMEMBERED = 4;

const runs = new WeakMap<object, Run<object>[]>();

/** The run of these things: the object that the same things were given before, if it is one of the last that began alike. */
export function runOf<T extends object>(things: readonly T[]): Run<T> {
  const first = things[0];
  if (!first) return things;
  const known = runs.get(first) ?? [];
  const found = known.find((run) => areSame(run, things));
  if (found) return found as Run<T>;
  if (known.length === 0) runs.set(first, known);
  if (known.push(things) > REMEMBERED) known.shift();
  return things;
}

function areSame(one: readonly object[], other: readonly object[]): boolean {
  return one.length === other.length && one.every((thing, index) => thing === other[index]);
}
