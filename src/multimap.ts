/**
 * Values by key, several to a key. Most keys here have one value (the connections of a token, who watches it), and there
 * is a key for every connection: one value is held as it is, and a set is made for the second.
 */
export class Multimap<V extends object> {
  readonly #entries = new Map<string, V | Set<V>>();

  get size(): number {
    return this.#entries.size;
  }

  add(key: string, value: V): void {
    const held = this.#entries.get(key);
    if (held === undefined) this.#entries.set(key, value);
    else if (held instanceof Set) held.add(value);
    else if (held !== value) this.#entries.set(key, new Set([held, value]));
  }

  /** Whether it was there. */
  delete(key: string, value: V): boolean {
    const held = this.#entries.get(key);
    if (held instanceof Set) {
      const wasThere = held.delete(value);
      if (held.size === 0) this.#entries.delete(key);
      return wasThere;
    }
    return held === value && this.#entries.delete(key);
  }

  has(key: string, value: V): boolean {
    const held = this.#entries.get(key);
    return held instanceof Set ? held.has(value) : held === value;
  }

  countOf(key: string): number {
    const held = this.#entries.get(key);
    if (held === undefined) return 0;
    return held instanceof Set ? held.size : 1;
  }

  /** A copy: what is done with the values may change them. */
  of(key: string): V[] {
    const held = this.#entries.get(key);
    if (held === undefined) return [];
    return held instanceof Set ? [...held] : [held];
  }
}
