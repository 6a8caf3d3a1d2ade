import { type Address, type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { type Batch } from '../../batch.ts';

/** The result of one read of the log. */
export interface Page {
  readonly messages: Batch<Message>;
  /** The addresses of messages that are damaged in the store and skipped. */
  readonly damaged: Address[];
  /** Size of all `data`, in bytes. */
  readonly bytes: number;
  /** The last sequence number that was examined. */
  readonly through: number;
  /** Whether the page reached a limit. Later publishes do not change a full page. */
  readonly isFull: boolean;
}

/** Estimated memory of all shared pages: the bytes of data plus a fixed overhead per message. */
const MAX_BYTES = 16 * 1024 * 1024;
const BYTES_PER_MESSAGE = 1024;

/**
 * A cache of recently read pages of the log. When thousands of clients reconnect at once, they read the same pages;
 * because all of them receive the same objects, results derived from a page are computed once.
 */
export class SharedPages {
  readonly #pages = new Map<string, { page: Page; head: Position }>();
  #bytes = 0;

  /**
   * Returns the cached page for `key`, or calls `read` and caches the result. A page that is not full is valid only until
   * the head of the log moves.
   * @param key identifies the request
   * @param head the current head of the log, compared by identity
   */
  getOrRead(key: string, head: Position, read: () => Page): Page {
    const cached = this.#pages.get(key);
    if (cached && (cached.page.isFull || cached.head === head)) return cached.page;
    if (cached) this.#remove(key, cached.page);
    const page = read();
    this.#pages.set(key, { page, head });
    this.#bytes += bytesOf(page);
    for (const [oldestKey, { page: oldest }] of this.#pages) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#remove(oldestKey, oldest);
    }
    return page;
  }

  clear(): void {
    this.#pages.clear();
    this.#bytes = 0;
  }

  #remove(key: string, page: Page): void {
    this.#pages.delete(key);
    this.#bytes -= bytesOf(page);
  }
}

function bytesOf({ messages, bytes }: Page): number {
  return bytes + (messages.length + 1) * BYTES_PER_MESSAGE;
}
