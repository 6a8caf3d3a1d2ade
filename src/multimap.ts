/**
 * A map from a key to one or more distinct values. Most keys hold a single value (for example the connections of a
 * token) and there is at least one key per connection, so a single value is stored directly and a `Set` is allocated only
 * for the second value.
 */
export class Multimap<V extends object> {
  readonly #entries = new Map<string, V | Set<V>>();

  /** The number of keys. */
  get size(): number {
    return this.#entries.size;
  }

  add(key: string, value: V): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, value);
    else if (entry instanceof Set) entry.add(value);
    else if (entry !== value) this.#entries.set(key, new Set([entry, value]));
  }

  /** Returns whether the value was present. */
  delete(key: string, value: V): boolean {
    const entry = this.#entries.get(key);
    if (entry instanceof Set) {
      const wasPresent = entry.delete(value);
      if (entry.size === 0) this.#entries.delete(key);
      return wasPresent;
    }
    return entry === value && this.#entries.delete(key);
  }

  has(key: string, value: V): boolean {
    const entry = this.#entries.get(key);
    return entry instanceof Set ? entry.has(value) : entry === value;
  }

  countOf(key: string): number {
    const entry = this.#entries.get(key);
    if (entry === undefined) return 0;
    return entry instanceof Set ? entry.size : 1;
  }

  /** The values themselves: values that are added or deleted during an iteration affect it. See `of`. */
  live(key: string): Iterable<V> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return [];
    return entry instanceof Set ? entry : [entry];
  }

  /** A snapshot of the values, so that callers may add and delete values while they iterate. */
  of(key: string): V[] {
    const entry = this.#entries.get(key);
    if (entry === undefined) return [];
    return entry instanceof Set ? [...entry] : [entry];
  }
}
