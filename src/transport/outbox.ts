import { type Socket } from 'node:net';
import { Batch } from './batch.ts';
import { textFrame } from './frame.ts';

/** A sender that reads ahead, as a replay does, waits while more than this is queued. */
const ROOM_BELOW_BYTES = 64 * 1024;

/** Outboxes with something to write, in the order in which they got it. */
let dirty: Outbox[] = [];

function flushAll(): void {
  const due = dirty;
  dirty = [];
  for (const outbox of due) outbox.flush();
  Batch.forget();
}

/**
 * What one socket is to be sent. All that comes in one turn of the event loop leaves in one write: the system call is
 * what a delivery costs. What the peer has not taken is counted in bytes, and ends the connection past `maxBytes`.
 *
 * It writes whole frames to the socket under `ws`, which does the same: neither compresses, so frames never interleave.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  readonly #overflow: () => void;
  #batch: Batch | undefined;
  #isDirty = false;
  #isClosed = false;
  #room: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(socket: Socket, { maxBytes, overflow }: { maxBytes: number; overflow: () => void }) {
    this.#socket = socket;
    this.#maxBytes = maxBytes;
    this.#overflow = overflow;
    socket.on('drain', () => this.#makeRoom());
    socket.on('close', () => this.close());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that the peer has not taken yet, as far as this process knows. */
  get queuedBytes(): number {
    return (this.#batch?.byteLength ?? 0) + this.#socket.writableLength;
  }

  sendText(text: string): void {
    this.send(textFrame([Buffer.from(text)]));
  }

  /** Queues a frame that was made before, perhaps for many. */
  send(frame: Buffer): void {
    if (this.#isClosed || this.#isOverfull()) return;
    this.#batch = Batch.of(this.#batch, frame);
    if (this.#isDirty) return;
    this.#isDirty = true;
    if (dirty.push(this) === 1) queueMicrotask(flushAll);
  }

  /**
   * Judged by what was queued before: one frame of any size is not a slow reader. Nor is a burst of one turn: what the
   * kernel takes now does not count.
   */
  #isOverfull(): boolean {
    if (this.queuedBytes <= this.#maxBytes) return false;
    this.flush();
    if (this.queuedBytes <= this.#maxBytes) return false;
    this.#overflow();
    return true;
  }

  flush(): void {
    this.#isDirty = false;
    const batch = this.#batch;
    if (batch === undefined || this.#isClosed) return;
    this.#batch = undefined;
    if (this.#socket.writable) this.#socket.write(batch.bytes);
  }

  /** Forgets what was queued in this turn: its receiver may not see it any more. */
  discard(): void {
    this.#batch = undefined;
  }

  /** Undefined while there is room; otherwise resolves when there is, or when the socket is gone. */
  room(): Promise<void> | undefined {
    if (this.queuedBytes < ROOM_BELOW_BYTES || this.#isClosed) return undefined;
    this.flush();
    if (!this.#socket.writableNeedDrain) return undefined;
    if (!this.#room) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  /** Takes nothing more. */
  close(): void {
    this.#isClosed = true;
    this.discard();
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
