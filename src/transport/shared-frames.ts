/**
 * Delivery: frames the serialized results as WebSocket messages, once for all operation ids of one length.
 * Before this step: `serialized-results`. Next: `outbox` writes the frames to the socket.
 */
import { headerLength, writeHeader } from './websocket-frame.ts';
import { type OperationId } from './operation-id.ts';

/** The parts of a `next` message before and after the operation id. The payload ends with the closing brace of the message. */
const BEFORE_ID = Buffer.from('{"id":');
const AFTER_ID = Buffer.from(',"type":"next","payload":');

/**
 * The `next` messages of one batch as contiguous WebSocket frames, for operation ids of one length.
 *
 * Messages for two such ids differ only in the id, so the bytes are built once and each subscriber's id is written into
 * the same memory. `bytesFor` therefore invalidates the bytes it returned before. A socket that still reads them calls
 * `hold`; the next `bytesFor` with another id then writes into a copy.
 */
export class SharedFrames {
  readonly byteLength: number;
  /** Length of the operation ids, in bytes of JSON. */
  readonly idLength: number;
  #bytes: Buffer;
  readonly #idOffsets: number[] = [];
  #id: OperationId;
  #isHeld = false;

  /** @param payloads the payload of each message, followed by the closing brace of the message */
  constructor(payloads: readonly Buffer[], id: OperationId) {
    this.idLength = id.json.length;
    const envelopeLength = BEFORE_ID.length + this.idLength + AFTER_ID.length;
    const lengths = payloads.map((payload) => envelopeLength + payload.length);
    this.byteLength = lengths.reduce((sum, length) => sum + headerLength(length) + length, 0);
    this.#bytes = Buffer.allocUnsafe(this.byteLength);
    this.#id = id;
    let offset = 0;
    const append = (bytes: Uint8Array) => {
      this.#bytes.set(bytes, offset);
      offset += bytes.length;
    };
    payloads.forEach((payload, index) => {
      offset = writeHeader(this.#bytes, offset, lengths[index] ?? 0);
      append(BEFORE_ID);
      this.#idOffsets.push(offset);
      append(id.json);
      append(AFTER_ID);
      append(payload);
    });
  }

  /** The frames for this id. The bytes are valid until the next call, unless `hold` is called before it. */
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

  /** Marks the bytes returned last as still being read by a socket: they are never overwritten. */
  hold(): void {
    this.#isHeld = true;
  }
}
