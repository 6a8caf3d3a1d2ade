/**
 * Frames that leave in one write, in the order in which they came.
 *
 * Sockets that are sent the same frames in the same turn share one batch, so that its bytes are put together once for
 * all of them: each frame knows which came after it last time, which is the same for socket after socket.
 */
export class Batch {
  readonly #frame: Buffer;
  readonly #before: Batch | undefined;
  /** Of all of its frames. */
  readonly byteLength: number;
  #after: Batch | undefined;
  #bytes: Buffer | undefined;

  private constructor(frame: Buffer, before: Batch | undefined) {
    this.#frame = frame;
    this.#before = before;
    this.byteLength = frame.length + (before?.byteLength ?? 0);
  }

  /** `before` and then `frame`. */
  static of(before: Batch | undefined, frame: Buffer): Batch {
    const last = before ? before.#after : lastAlone;
    if (last && last.#frame === frame) return last;
    const batch = new Batch(frame, before);
    if (before) before.#after = batch;
    else lastAlone = batch;
    return batch;
  }

  /** Nothing is shared with what comes later, and nothing is held. */
  static forget(): void {
    lastAlone = undefined;
  }

  /** All of its frames as one. */
  get bytes(): Buffer {
    if (this.#before === undefined) return this.#frame;
    this.#bytes ??= Batch.#join(this);
    return this.#bytes;
  }

  static #join(whole: Batch): Buffer {
    const bytes = Buffer.allocUnsafe(whole.byteLength);
    for (let batch: Batch | undefined = whole; batch; batch = batch.#before)
      bytes.set(batch.#frame, batch.byteLength - batch.#frame.length);
    return bytes;
  }
}

/** The last batch that began. */
let lastAlone: Batch | undefined;
