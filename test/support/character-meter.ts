/** What reads characters of a string, and how many at most: all of the string, or as many as it is compared with. */
const READERS = {
  split: (text: string) => text.length,
  indexOf: (text: string) => text.length,
  slice: (text: string) => text.length,
  startsWith: (_: string, [start]: unknown[]) => String(start).length,
  endsWith: (_: string, [end]: unknown[]) => String(end).length,
};

/** Runs `work` and counts the characters that it reads by the methods of strings: a measure of time without a watch. */
export function countCharactersRead<T>(work: () => T): { result: T; characters: number } {
  let characters = 0;
  const prototype = String.prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
  const originals = Object.entries(READERS).map(([name, cost]) => {
    const original = prototype[name]!;
    prototype[name] = function (this: string, ...given: unknown[]) {
      characters += cost(this, given);
      return original.apply(this, given);
    };
    return [name, original] as const;
  });
  try {
    return { result: work(), characters };
  } finally {
    for (const [name, original] of originals) prototype[name] = original;
  }
}
