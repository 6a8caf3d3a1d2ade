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
