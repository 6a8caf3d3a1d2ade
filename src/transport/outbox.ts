/**
 * Delivery: writes frames to the socket. Before this step: `shared-frames`. The whole path is
 * fan-out → shared-operation → serialized-results → shared-frames → outbox.
 */
import { type Socket } from 'node:net';
import { type SharedFrames } from './shared-frames.ts';
import { SLICE_MS } from '../slices.ts';
import { type OperationId } from './operation-id.ts';
import { textFrame } from './websocket-frame.ts';

/** A sender that reads ahead, such as a replay, waits while this many bytes or more are queued. */
const ROOM_BELOW_BYTES = 64 * 1024;
/** Size of the buffer in which several frames for one socket are joined. The next socket reuses the buffer. */
const SCRATCH_BYTES = 64 * 1024;
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** A control frame without content (RFC 6455, section 5.5.2) and a message of the protocol, the same for every socket. */
const PING_FRAMES = Buffer.concat([Buffer.from([0x89, 0x00]), textFrame('{"type":"ping"}')]);

/** A text frame of one socket, or shared frames together with the operation id of one subscriber. */
type OutgoingFrame = Buffer | { readonly frames: SharedFrames; readonly id: OperationId };

/** The bytes are valid until the next call for the same shared frames, unless these are held. */
function bytesOf(frame: OutgoingFrame): Buffer {
  return Buffer.isBuffer(frame) ? frame : frame.frames.bytesFor(frame.id);
}

/** The session that owns an outbox. */
export interface OutboxOwner {
  /** Is called before frames leave in a later turn than the one in which they were queued; may discard them. */
  applyDue(): void;
  /** Is called when a frame is dropped because more than `maxBytes` are queued. The owner must close the connection. */
  overflow(): void;
}

/** Outboxes with queued frames, in the order in which they received their first frame. */
let dirty: Outbox[] = [];
let isFlushScheduled = false;
/** Reading the time costs little, but not nothing compared with a write. */
const FLUSHES_PER_TIME_CHECK = 8;

function scheduleFlush(outbox: Outbox): void {
  dirty.push(outbox);
  if (isFlushScheduled) return;
  isFlushScheduled = true;
  queueMicrotask(flushFirst);
}

function flushFirst(): void {
  flushSlice(false);
}

function flushNext(): void {
  flushSlice(true);
}

/**
 * Flushes for 8 ms, and the remaining outboxes in the next turn: a write takes 10 µs, so a message to thousands of sockets
 * would delay all other work. An outbox that waits joins what is queued meanwhile into one write.
 */
function flushSlice(isLate: boolean): void {
  const due = dirty;
  /** Undefined for few outboxes, which need no limit of time. */
  let startedAt = due.length > FLUSHES_PER_TIME_CHECK ? performance.now() : undefined;
  let flushed = 0;
  try {
    for (const outbox of due) {
      flushed++;
      if (isLate) outbox.flushLate();
      else outbox.flush();
      if (flushed % FLUSHES_PER_TIME_CHECK !== 0) continue;
      // A flush can queue frames, so there can be more outboxes than at the start.
      startedAt ??= performance.now();
      if (performance.now() - startedAt >= SLICE_MS) break;
    }
  } finally {
    // Also if one outbox throws. A flush can queue frames, which are then at the end of `dirty`.
    dirty = flushed === due.length ? [] : due.slice(flushed);
    isFlushScheduled = dirty.length > 0;
    if (isFlushScheduled) setImmediate(flushNext);
  }
}

/**
 * The send queue of one socket. All frames queued until it is flushed leave in one write, because the system
 * call dominates the cost of a delivery. Bytes that the peer has not taken are counted; more than `maxBytes` overflow.
 *
 * Frames are written to the socket underneath `ws`, which writes there too. Frames never interleave, because neither
 * side compresses or splits them.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #owner: OutboxOwner;
  readonly #maxBytes: number;
  /** Most turns queue a single frame, so the array is allocated only for the second one. */
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

  /** Bytes queued here and in the Node socket. Bytes in the kernel are unknown and not included. */
  get queuedBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  sendText(text: string): void {
    const frame = textFrame(text);
    this.#queue(frame, frame.length);
  }

  /** Queues the frames of one batch under the operation id `id`. */
  send(frames: SharedFrames, id: OperationId): void {
    this.#queue({ frames, id }, frames.byteLength);
  }

  #queue(frame: OutgoingFrame, byteLength: number): void {
    if (this.#isClosed || this.#isOverfull()) return;
    this.#bytes += byteLength;
    if (!this.#first) this.#first = frame;
    else if (this.#others) this.#others.push(frame);
    else this.#others = [frame];
    if (this.#isDirty) return;
    this.#isDirty = true;
    scheduleFlush(this);
  }

  /**
   * Checks the bytes queued before the new frame, so one frame of any size never overflows. Flushes before deciding, so
   * a burst within one turn does not overflow either if the kernel takes the bytes.
   */
  #isOverfull(): boolean {
    if (this.queuedBytes <= this.#maxBytes) return false;
    this.flush();
    if (this.queuedBytes <= this.#maxBytes) return false;
    this.#owner.overflow();
    return true;
  }

  /** Writes a ping as a control frame and as a message of the protocol, with one system call. */
  ping(): void {
    if (!this.#isClosed && this.#socket.writable) this.#socket.write(PING_FRAMES);
  }

  /** Like `flush`, in a later turn: the subscriber may have lost access to the frames since they were queued. */
  flushLate(): void {
    this.#owner.applyDue();
    this.flush();
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

  #write(frame: OutgoingFrame): void {
    this.#socket.write(bytesOf(frame));
    if (this.#isStillReading() && !Buffer.isBuffer(frame)) frame.frames.hold();
  }

  #writeTogether(frames: readonly OutgoingFrame[], length: number): void {
    // A socket that is behind would retain the whole scratch buffer for a few bytes, so it gets a buffer of its own.
    const usesScratch = length <= SCRATCH_BYTES && !this.#isStillReading();
    const together = usesScratch ? scratch.subarray(0, length) : Buffer.allocUnsafe(length);
    let offset = 0;
    for (const frame of frames) {
      const bytes = bytesOf(frame);
      together.set(bytes, offset);
      offset += bytes.length;
    }
    this.#socket.write(together);
    if (usesScratch && this.#isStillReading()) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  /** Whether the socket still reads memory that was written to it, because the kernel has not taken all bytes. */
  #isStillReading(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** Drops the frames queued in this turn, for example when the subscriber has lost access to them. */
  discard(): void {
    this.#first = undefined;
    this.#others = undefined;
    this.#bytes = 0;
  }

  /** Undefined while there is room. Otherwise resolves when the socket has drained or the outbox is closed. */
  whenWritable(): Promise<void> | undefined {
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

  /** Discards the queue and accepts no more frames. Must also be called when the socket closes, to release waiting senders. */
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
