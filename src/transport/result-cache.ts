import { type Batch } from '../batch.ts';

/** Results of one batch. There is one for each connection, since its first event differs, so it has no closure. */
export interface CachedResults {
  bytes: number;
  /** Weak, so that the cache retains neither the owner nor the batch. */
  owner: WeakRef<{ evict(batch: Batch<unknown>): void }>;
  batch: WeakRef<Batch<unknown>>;
}

/**
 * Bounds the memory of recent results of all shared operations together, oldest first. When thousands of clients resume
 * at once, each from its own cursor, the last one receives a batch long after the first; the cache saves its execution.
 */
export class ResultCache {
  readonly #maxBytes: number;
  readonly #entries = new Set<CachedResults>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts results; they are evicted from their owner when newer results need the room. */
  add(results: CachedResults): void {
    this.#entries.add(results);
    this.#bytes += results.bytes;
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(oldest);
      this.#bytes -= oldest.bytes;
      const batch = oldest.batch.deref();
      if (batch) oldest.owner.deref()?.evict(batch);
    }
  }
}
