/** Ids in order, each once. Ids of connections grow with time, so that most are added at the end. */
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

  /** Those that sort after `id`, one by one. */
  *after(id: string): Generator<string> {
    const start = this.#indexOf(id);
    for (let index = this.#ids[start] === id ? start + 1 : start; index < this.#ids.length; index++) {
      yield this.#ids[index] as string;
    }
  }

  /** Where it is, or would be. */
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
