/** A sorted set of ids. Connection ids increase over time, so most additions append to the end of the array. */
export class SortedIds {
  readonly #ids: string[] = [];

  get length(): number {
    return this.#ids.length;
  }

  add(id: string): void {
    const index = this.#indexOf(id);
    if (this.#ids[index] !== id) this.#ids.splice(index, 0, id);
  }

  delete(id: string): void {
    const index = this.#indexOf(id);
    if (this.#ids[index] === id) this.#ids.splice(index, 1);
  }

  /** Yields the ids that sort after `id`, in ascending order. */
  *after(id: string): Generator<string> {
    const start = this.#indexOf(id);
    for (let index = this.#ids[start] === id ? start + 1 : start; index < this.#ids.length; index++) {
      yield this.#ids[index] as string;
    }
  }

  /** The index of `id`, or the index at which `id` would be inserted. */
  #indexOf(id: string): number {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] as string) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * The first ids in ascending order: at most `limit` that sort after `after`, each once. Does not sort all of them, because
 * there may be a hundred thousand.
 */
export function firstIds(
  ids: Iterable<string>,
  { after = '', limit }: { after?: string | undefined; limit: number },
): string[] {
  let first: string[] = [];
  /** An id from here on is not among the first. */
  let end: string | undefined;
  const shorten = () => [...new Set(first)].sort().slice(0, limit);
  for (const id of ids) {
    if (id <= after || (end !== undefined && id >= end)) continue;
    first.push(id);
    if (first.length < 4 * limit) continue;
    first = shorten();
    if (first.length === limit) end = first.at(-1);
  }
  return shorten();
}
