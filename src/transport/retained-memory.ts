import { type DocumentNode } from 'graphql';
import { limitExceeded, unavailable } from '../errors.ts';

/** A connection or a request for which memory is retained. */
export interface MemoryHolder {
  /** The network address of the client. */
  readonly address: string;
  /** Bytes that this holder retains now. Only `RetainedMemory` changes it. */
  retainedBytes: number;
  /** Whether only its address and the total are limited, not this holder itself. Default: false. */
  readonly isUnlimited?: boolean;
}

interface RetainedMemoryLimits {
  maxRetainedBytesPerConnection: number;
  maxRetainedBytesPerAddress: number;
  maxRetainedBytes: number;
}

/**
 * Counts the memory that clients make the service retain: variables and documents of running operations, and answers
 * that a client has not read. The numbers are estimates of heap bytes, because a few bytes of JSON
 * or GraphQL take many times as many bytes in memory.
 */
export class RetainedMemory {
  readonly #limits: RetainedMemoryLimits;
  readonly #bytesByAddress = new Map<string, number>();
  readonly #documents = new Map<
    DocumentNode,
    { holders: number; bytes: number; chargedHolder: MemoryHolder }
  >();
  #total = 0;

  constructor(limits: RetainedMemoryLimits) {
    this.#limits = limits;
  }

  /** Estimated bytes that all clients retain. */
  get totalBytes(): number {
    return this.#total;
  }

  /** Estimated bytes that the clients of one network address retain. */
  bytesOf(address: string): number {
    return this.#bytesByAddress.get(address) ?? 0;
  }

  /**
   * Counts `bytes` until `release`.
   * @throws LIMIT_EXCEEDED when the connection would retain too much, UNAVAILABLE when its address or all clients together would
   */
  hold(holder: MemoryHolder, bytes: number): void {
    if (bytes === 0) return;
    const { maxRetainedBytesPerConnection, maxRetainedBytesPerAddress, maxRetainedBytes } = this.#limits;
    const limit = maxRetainedBytesPerConnection;
    if (!holder.isUnlimited && holder.retainedBytes + bytes > limit) {
      throw limitExceeded(
        limit,
        `The running operations of a connection may retain at most ${limit} bytes of variables and documents. End some of them, or send smaller ones.`,
      );
    }
    const ofAddress = this.bytesOf(holder.address) + bytes;
    if (ofAddress > maxRetainedBytesPerAddress || this.#total + bytes > maxRetainedBytes) {
      throw unavailable(
        'The open requests and operations retain too much memory, from this address or in total. Try again later.',
      );
    }
    holder.retainedBytes += bytes;
    this.#total += bytes;
    this.#bytesByAddress.set(holder.address, ofAddress);
  }

  release(holder: MemoryHolder, bytes: number): void {
    if (bytes === 0) return;
    holder.retainedBytes -= bytes;
    this.#total -= bytes;
    const ofAddress = this.bytesOf(holder.address) - bytes;
    if (ofAddress > 0) this.#bytesByAddress.set(holder.address, ofAddress);
    else this.#bytesByAddress.delete(holder.address);
  }

  /**
   * Counts a document until `releaseDocument`. Operations with the same document share its syntax tree, so only the first
   * of them is charged, until the last of them ends.
   * @throws as `hold`
   */
  holdDocument(holder: MemoryHolder, document: DocumentNode): void {
    const held = this.#documents.get(document);
    if (held) {
      held.holders++;
      return;
    }
    const bytes = documentBytes(document);
    this.hold(holder, bytes);
    this.#documents.set(document, { holders: 1, bytes, chargedHolder: holder });
  }

  releaseDocument(document: DocumentNode): void {
    const held = this.#documents.get(document);
    if (!held || --held.holders > 0) return;
    this.#documents.delete(document);
    this.release(held.chargedHolder, held.bytes);
  }
}

/** Measured with graphql-js 16: the syntax tree, its locations and its tokens. */
const BYTES_PER_TOKEN = 450;

const bytesByDocument = new WeakMap<DocumentNode, number>();

/** Estimates the heap bytes of a parsed document and its text. */
export function documentBytes(document: DocumentNode): number {
  const known = bytesByDocument.get(document);
  if (known !== undefined) return known;
  let tokens = 0;
  for (let token = document.loc?.startToken; token; token = token.next ?? undefined) tokens++;
  const bytes = tokens * BYTES_PER_TOKEN + (document.loc?.source.body.length ?? 0) * 2;
  bytesByDocument.set(document, bytes);
  return bytes;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Estimates, before it is parsed, the heap bytes of the value of a JSON text: at least as many as `jsonHeapBytes`. */
export function jsonTextHeapBytes(text: Uint8Array): number {
  let bytes = text.length * 2 + BYTES_PER_ENTRY;
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i];
    if (byte === QUOTE) isString = !isString;
    else if (isString) i += byte === BACKSLASH ? 1 : 0;
    // { [ begin an object and its first entry, a comma ends an entry.
    else if (byte === 0x7b || byte === 0x5b) bytes += BYTES_PER_OBJECT + BYTES_PER_ENTRY;
    else if (byte === 0x2c) bytes += BYTES_PER_ENTRY;
  }
  return bytes;
}

const BYTES_PER_OBJECT = 64;
const BYTES_PER_ENTRY = 16;

/** Estimates the heap bytes of a value that was parsed from JSON. Its depth is bounded by the parser's input limit. */
export function jsonHeapBytes(value: unknown): number {
  let bytes = 0;
  // A loop instead of recursion: 64 KB of JSON nest deeper than the stack.
  const pending = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    bytes += BYTES_PER_ENTRY;
    if (typeof next === 'string') bytes += next.length * 2;
    else if (typeof next === 'object' && next !== null) {
      bytes += BYTES_PER_OBJECT;
      for (const [name, entry] of Object.entries(next)) {
        if (!Array.isArray(next)) bytes += name.length * 2;
        pending.push(entry);
      }
    }
  }
  return bytes;
}
