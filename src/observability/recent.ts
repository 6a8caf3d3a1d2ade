/** The newest entries, at least half of `limit` and at most `limit`. */
export class Recent<T> {
  readonly #limit: number;
  #entries: T[] = [];
  /** The newest entry that was dropped. */
  forgotten: T | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get all(): readonly T[] {
    return this.#entries;
  }

  /** Drops half at once: to drop one each time would move all others. */
  add(entry: T): void {
    this.#entries.push(entry);
    if (this.#entries.length <= this.#limit) return;
    const kept = this.#entries.splice(Math.floor(this.#limit / 2));
    this.forgotten = this.#entries.at(-1);
    this.#entries = kept;
  }
}
