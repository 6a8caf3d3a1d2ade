import { type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { type Batch } from '../../batch.ts';

/** What one look at the log found. */
export interface Page {
  readonly messages: Batch<Message>;
  /** Of their data. */
  readonly bytes: number;
  /** Through where it looked. */
  readonly through: number;
  /** Whether there is more than fits: what is said later does not change it. */
  readonly isFull: boolean;
}

/** Kept at most, as far as it is known: bytes of data, and for each message what else there is of it. */
const MAX_BYTES = 16 * 1024 * 1024;
const BYTES_PER_MESSAGE = 1024;

/**
 * Pages of the log that were read lately. Thousands who come back in the same moment read the same pages, and whatever
 * is made of them is made once, for each gets the same objects.
 */
export class SharedPages {
  readonly #pages = new Map<string, { page: Page; head: Position }>();
  #bytes = 0;

  /** @param key what is looked for. @param head how far the log goes now. */
  take(key: string, head: Position, read: () => Page): Page {
    const known = this.#pages.get(key);
    if (known && (known.page.isFull || known.head === head)) return known.page;
    if (known) this.#remove(key, known.page);
    const page = read();
    this.#pages.set(key, { page, head });
    this.#bytes += bytesOf(page);
    for (const [oldest, { page: old }] of this.#pages) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#remove(oldest, old);
    }
    return page;
  }

  forget(): void {
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
