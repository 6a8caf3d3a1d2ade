/** The uses of one scope: a single key that is used once, or the number of uses of each key. */
export type Uses = string | Map<string, number>;

/** Where the uses of each scope are kept: a map, or a property of the scopes. */
interface UsesByScope<S> {
  get(scope: S): Uses | undefined;
  set(scope: S, uses: Uses): unknown;
  delete(scope: S): unknown;
}

/**
 * How often each scope uses each key. There is a scope for each connection, and most use one key once, so that is stored as
 * the key itself, without a map.
 */
export class UseCounts<S> {
  readonly #usesByScope: UsesByScope<S>;

  constructor(usesByScope: UsesByScope<S> = new Map<S, Uses>()) {
    this.#usesByScope = usesByScope;
  }

  has(scope: S, key: string): boolean {
    const uses = this.#usesByScope.get(scope);
    return uses instanceof Map ? uses.has(key) : uses === key;
  }

  /** The keys that the scope uses. A copy, so that callers may add and remove uses while they iterate. */
  keys(scope: S): string[] {
    const uses = this.#usesByScope.get(scope);
    if (uses === undefined) return [];
    return uses instanceof Map ? [...uses.keys()] : [uses];
  }

  /** The number of different keys that the scope uses. */
  distinct(scope: S): number {
    const uses = this.#usesByScope.get(scope);
    if (uses === undefined) return 0;
    return uses instanceof Map ? uses.size : 1;
  }

  /** Counts a use. */
  add(scope: S, key: string): void {
    const uses = this.#usesByScope.get(scope);
    if (uses === undefined) this.#usesByScope.set(scope, key);
    else if (uses instanceof Map) uses.set(key, (uses.get(key) ?? 0) + 1);
    else if (uses === key) this.#usesByScope.set(scope, new Map([[key, 2]]));
    else this.#usesByScope.set(scope, new Map([uses, key].map((used) => [used, 1])));
  }

  /** Removes a use. Does nothing if there is none. */
  remove(scope: S, key: string): void {
    const uses = this.#usesByScope.get(scope);
    if (uses === key) this.#usesByScope.delete(scope);
    if (!(uses instanceof Map)) return;
    const count = (uses.get(key) ?? 0) - 1;
    if (count > 0) uses.set(key, count);
    else uses.delete(key);
    if (uses.size === 0) this.#usesByScope.delete(scope);
  }
}
