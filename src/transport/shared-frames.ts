import { headerLength, writeHeader } from './websocket-frame.ts';
import { type OperationId } from './operation-id.ts';

/** A `next` message up to its operation id, between the id and the payload. The payload brings its own last brace. */
const BEFORE_ID = Buffer.from('{"id":');
const AFTER_ID = Buffer.from(',"type":"next","payload":');

/**
 * The `next` messages of one run for every operation id of one length, as the bytes of their frames, one after the other.
 *
 * For two such ids the bytes differ in nothing but the ids, so they are put together once, and what a socket is sent is
 * the same memory with its own id written into it. That holds until the next id is asked for: whoever cannot use the
 * bytes up before says so, and they are left alone from then on.
 */
export class SharedFrames {
  readonly byteLength: number;
  /** Of the ids that it is for, in bytes of JSON. */
  readonly idLength: number;
  #bytes: Buffer;
  readonly #idOffsets: number[] = [];
  #id: OperationId;
  #isHeld = false;

  constructor(payloads: readonly Buffer[], id: OperationId) {
    this.idLength = id.json.length;
    const around = BEFORE_ID.length + this.idLength + AFTER_ID.length;
    const lengths = payloads.map((payload) => around + payload.length);
    this.byteLength = lengths.reduce((sum, length) => sum + headerLength(length) + length, 0);
    this.#bytes = Buffer.allocUnsafe(this.byteLength);
    this.#id = id;
    let offset = 0;
    const add = (part: Uint8Array) => {
      this.#bytes.set(part, offset);
      offset += part.length;
    };
    payloads.forEach((payload, index) => {
      offset = writeHeader(this.#bytes, offset, lengths[index] ?? 0);
      add(BEFORE_ID);
      this.#idOffsets.push(offset);
      add(id.json);
      add(AFTER_ID);
      add(payload);
    });
  }

  /** The bytes for this id, until the next call. */
  bytesFor(id: OperationId): Buffer {
    if (id === this.#id) return this.#bytes;
    if (this.#isHeld) {
      this.#bytes = Buffer.from(this.#bytes);
      this.#isHeld = false;
    }
    for (const offset of this.#idOffsets) this.#bytes.set(id.json, offset);
    this.#id = id;
    return this.#bytes;
  }

  /** The bytes that were asked for last are still being read: they are never written to again. */
  hold(): void {
    this.#isHeld = true;
  }
}
