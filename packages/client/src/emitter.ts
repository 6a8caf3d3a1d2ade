/** A list of listeners. */
export interface Emitter<Args extends unknown[]> {
  readonly size: number;
  /** Adds a listener and returns a function that removes it. The same function may be added twice. */
  on(listener: (...args: Args) => void): () => void;
  emit(...args: Args): void;
}

/** Calls a function of the application. What it throws is thrown in a microtask of its own, where the page reports it. */
export function isolate(call: () => void): void {
  try {
    call();
  } catch (error) {
    void Promise.resolve().then(() => {
      throw error;
    });
  }
}

/**
 * Creates a list of listeners. A listener that throws hurts neither the client nor other listeners. It is never called
 * after it was removed.
 */
export function createEmitter<Args extends unknown[]>(): Emitter<Args> {
  const listeners = new Set<{ listener: (...args: Args) => void }>();
  return {
    get size() {
      return listeners.size;
    },
    on(listener) {
      const entry = { listener };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
    emit(...args) {
      for (const entry of [...listeners]) {
        if (listeners.has(entry)) isolate(() => entry.listener(...args));
      }
    },
  };
}
