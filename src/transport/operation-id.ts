import { textFrame } from './frame.ts';

/**
 * The id under which clients run an operation, and the beginning of every `next` message for it. Clients that number
 * their operations share one, and with it the frame of each result; a UUID is its client’s own.
 */
export class OperationId {
  readonly text: string;
  /** Operations that run under it now. */
  users = 0;
  readonly #head: Buffer;
  #last: { payload: Buffer; frame: Buffer } | undefined;

  constructor(text: string) {
    this.text = text;
    this.#head = Buffer.from(`{"id":${JSON.stringify(text)},"type":"next","payload":`);
  }

  /** The `next` message with this payload, as a frame. The last one is kept for whoever shares the id, and for nobody else. */
  frameOf(payload: Buffer): Buffer {
    if (this.#last?.payload === payload) return this.#last.frame;
    const frame = textFrame([this.#head, payload]);
    this.#last = this.users > 1 ? { payload, frame } : undefined;
    return frame;
  }
}

/** The ids that are in use. */
export class OperationIds {
  readonly #ids = new Map<string, OperationId>();

  /** To be released once. */
  take(text: string): OperationId {
    let id = this.#ids.get(text);
    if (!id) {
      id = new OperationId(text);
      this.#ids.set(text, id);
    }
    id.users++;
    return id;
  }

  release(id: OperationId): void {
    id.users--;
    if (id.users === 0) this.#ids.delete(id.text);
  }
}
