import { type DocumentNode } from 'graphql';
import { jsonHeapBytes, type MemoryHolder, type RetainedMemory } from './retained-memory.ts';

/**
 * The memory that an HTTP request retains until its response is closed: its body, what is parsed from it, and its document.
 * The size of one request is limited elsewhere, so only sums are limited, unless the response is an event stream.
 */
export class RequestMemory implements MemoryHolder {
  readonly address: string;
  readonly #memory: RetainedMemory;
  #document: DocumentNode | undefined;
  #isReleased = false;
  #bodyBytes = 0;
  retainedBytes = 0;
  isUnlimited = true;

  constructor(memory: RetainedMemory, address: string) {
    this.#memory = memory;
    this.address = address;
  }

  /** Counts bytes of the body as they arrive. @throws UNAVAILABLE */
  holdBody(bytes: number): void {
    if (this.#isReleased) return;
    this.#memory.hold(this, bytes);
    this.#bodyBytes += bytes;
  }

  /** Counts what was parsed from the body. @throws UNAVAILABLE */
  hold(bytes: number): void {
    if (!this.#isReleased) this.#memory.hold(this, bytes);
  }

  /** Counts the document of the operation. @throws UNAVAILABLE */
  holdDocument(document: DocumentNode): void {
    if (this.#isReleased || this.#document) return;
    this.#memory.holdDocument(this, document);
    this.#document = document;
  }

  /**
   * Counts a subscription like an operation of a connection: its body, its variables and its document.
   * @throws LIMIT_EXCEEDED, UNAVAILABLE
   */
  holdSubscription(document: DocumentNode, variables: unknown): void {
    this.#memory.release(this, this.retainedBytes - this.#bodyBytes);
    this.isUnlimited = false;
    if (this.#isReleased) return;
    this.#memory.hold(this, jsonHeapBytes(variables));
    this.holdDocument(document);
  }

  /** Only the first call counts. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#document) this.#memory.releaseDocument(this.#document);
    this.#memory.release(this, this.retainedBytes);
  }
}
