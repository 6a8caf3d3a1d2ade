/** The string methods that read characters, each with an upper bound of the characters that one call reads. */
const READERS = {
  split: (text: string) => text.length,
  indexOf: (text: string) => text.length,
  slice: (text: string) => text.length,
  startsWith: (_: string, [start]: unknown[]) => String(start).length,
  endsWith: (_: string, [end]: unknown[]) => String(end).length,
};

/** Runs `work` and counts the characters that it reads through string methods: a measure of cost that needs no timer. */
export function countCharactersRead<T>(work: () => T): { result: T; characters: number } {
  let characters = 0;
  const prototype = String.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = Object.entries(READERS).map(([name, cost]) => {
    const original = prototype[name]!;
    prototype[name] = function (this: string, ...args: unknown[]) {
      characters += cost(this, args);
      return original.apply(this, args);
    };
    return [name, original] as const;
  });
  try {
    return { result: work(), characters };
  } finally {
    for (const [name, original] of originals) prototype[name] = original;
  }
}
