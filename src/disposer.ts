/**
 * Owns resources and disposes them in reverse order. A small `AsyncDisposableStack`, which Node.js 20 does not have.
 *
 * @example
 * await using disposer = new Disposer();
 * const store = disposer.use(openSqlite(config));
 * await migrate(store); // if this throws, the store is closed
 * return disposer.move();
 */
export class Disposer implements AsyncDisposable {
  #resources: (Disposable | AsyncDisposable)[] = [];

  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** Moves all resources to a new disposer, so that disposing this one does nothing. */
  move(): Disposer {
    const moved = new Disposer();
    moved.#resources = this.#resources;
    this.#resources = [];
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#resources.splice(0).reverse()) {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    }
  }
}
