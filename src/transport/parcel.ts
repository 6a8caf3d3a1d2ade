import { textFrame } from './websocket-frame.ts';
import { type SharedFrames } from './shared-frames.ts';
import { type OperationId } from './operation-id.ts';

/** Something to be sent. */
export interface OutgoingFrame {
  readonly byteLength: number;
  /** Good until anybody asks for bytes again; unless they are held, which may be said until then. */
  bytes(): Buffer;
  hold(): void;
}

/** Bytes of one socket’s own. */
export class OwnParcel implements OutgoingFrame {
  readonly #bytes: Buffer;
  readonly byteLength: number;

  constructor(text: string) {
    this.#bytes = textFrame(text);
    this.byteLength = this.#bytes.length;
  }

  bytes(): Buffer {
    return this.#bytes;
  }

  hold(): void {
    // Nobody else writes to them.
  }
}

/** Frames that many are sent, for the operation of one of them. */
export class SharedParcel implements OutgoingFrame {
  readonly #frames: SharedFrames;
  readonly #id: OperationId;

  constructor(frames: SharedFrames, id: OperationId) {
    this.#frames = frames;
    this.#id = id;
  }

  get byteLength(): number {
    return this.#frames.byteLength;
  }

  bytes(): Buffer {
    return this.#frames.bytesFor(this.#id);
  }

  hold(): void {
    this.#frames.hold();
  }
}
