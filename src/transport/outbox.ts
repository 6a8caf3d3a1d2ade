import { type Socket } from 'node:net';
import { type SharedFrames } from './shared-frames.ts';
import { type OperationId } from './operation-id.ts';
import { OwnParcel, SharedParcel, type OutgoingFrame } from './parcel.ts';

/** A sender that reads ahead, as a replay does, waits while more than this is queued. */
const ROOM_BELOW_BYTES = 64 * 1024;
/** What several parcels for one socket are put together in. It is used up before the next socket’s turn. */
const SCRATCH_BYTES = 64 * 1024;
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Who hears that a socket is not read. */
export interface OutboxOwner {
  overflow(): void;
}

/** Outboxes with something to write, in the order in which they got it. */
let dirty: Outbox[] = [];

function flushAll(): void {
  const due = dirty;
  dirty = [];
  let flushed = 0;
  try {
    for (const outbox of due) {
      flushed++;
      outbox.flush();
    }
  } finally {
    // One that fails takes nothing from those after it.
    if (flushed < due.length) {
      dirty = [...due.slice(flushed), ...dirty];
      queueMicrotask(flushAll);
    }
  }
}

/**
 * What one socket is to be sent. All that comes in one turn of the event loop leaves in one write: the system call is
 * what a delivery costs. What the peer has not taken is counted in bytes, and ends the connection past `maxBytes`.
 *
 * It writes whole frames to the socket under `ws`, which does the same: neither compresses, so frames never interleave.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #owner: OutboxOwner;
  readonly #maxBytes: number;
  /** Nearly always there is one: only where there are more is there a list. */
  #first: OutgoingFrame | undefined;
  #others: OutgoingFrame[] | undefined;
  #bytes = 0;
  #isDirty = false;
  #isClosed = false;
  #room: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(socket: Socket, owner: OutboxOwner, maxBytes: number) {
    this.#socket = socket;
    this.#owner = owner;
    this.#maxBytes = maxBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that the peer has not taken yet, as far as this process knows. */
  get queuedBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  sendText(text: string): void {
    this.#queue(new OwnParcel(text));
  }

  /** Queues the frames of a run, for the operation of this id. */
  send(frames: SharedFrames, id: OperationId): void {
    this.#queue(new SharedParcel(frames, id));
  }

  #queue(parcel: OutgoingFrame): void {
    if (this.#isClosed || this.#isOverfull()) return;
    this.#bytes += parcel.byteLength;
    if (!this.#first) this.#first = parcel;
    else if (this.#others) this.#others.push(parcel);
    else this.#others = [parcel];
    if (this.#isDirty) return;
    this.#isDirty = true;
    if (dirty.push(this) === 1) queueMicrotask(flushAll);
  }

  /**
   * Judged by what was queued before: one parcel of any size is not a slow reader. Nor is a burst of one turn: what the
   * kernel takes now does not count.
   */
  #isOverfull(): boolean {
    if (this.queuedBytes <= this.#maxBytes) return false;
    this.flush();
    if (this.queuedBytes <= this.#maxBytes) return false;
    this.#owner.overflow();
    return true;
  }

  flush(): void {
    this.#isDirty = false;
    const first = this.#first;
    const others = this.#others;
    const bytes = this.#bytes;
    this.discard();
    if (first === undefined || this.#isClosed || !this.#socket.writable) return;
    if (others) this.#writeTogether([first, ...others], bytes);
    else this.#write(first);
  }

  #write(parcel: OutgoingFrame): void {
    this.#socket.write(parcel.bytes());
    if (this.#isStillReading()) parcel.hold();
  }

  #writeTogether(parcels: readonly OutgoingFrame[], length: number): void {
    // The scratch is for whoever takes it at once: a socket that is behind would keep all of it for a few bytes.
    const isSmall = length <= SCRATCH_BYTES && !this.#isStillReading();
    const together = isSmall ? scratch.subarray(0, length) : Buffer.allocUnsafe(length);
    let offset = 0;
    for (const parcel of parcels) {
      together.set(parcel.bytes(), offset);
      offset += parcel.byteLength;
    }
    this.#socket.write(together);
    if (isSmall && this.#isStillReading()) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  /** Whether the socket has not handed all of it to the kernel, and goes on reading the memory that it was given. */
  #isStillReading(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** Forgets what was queued in this turn: its receiver may not see it any more. */
  discard(): void {
    this.#first = undefined;
    this.#others = undefined;
    this.#bytes = 0;
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
      this.#socket.once('drain', () => this.#makeRoom());
    }
    return this.#room.promise;
  }

  /** Takes nothing more; to be called when the socket is gone, too. */
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
