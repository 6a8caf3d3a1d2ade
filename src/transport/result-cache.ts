/**
 * Bounds the memory of recent results of all shared operations together, oldest first. When thousands of clients resume
 * at once, each from its own cursor, the last one receives a batch long after the first; the cache saves its execution.
 */
export class ResultCache {
  readonly #maxBytes: number;
  readonly #entries = new Set<{ bytes: number; evict: () => void }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts `bytes` of results; `evict` is called when newer results need the room. */
  add(bytes: number, evict: () => void): void {
    this.#entries.add({ bytes, evict });
    this.#bytes += bytes;
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(oldest);
      this.#bytes -= oldest.bytes;
      oldest.evict();
    }
  }
}
