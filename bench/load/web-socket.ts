import { connect, type Socket } from 'node:net';
import { type Endpoint } from '../contender.ts';
import { closeFrameOf, pongFrameOf, readFrames, textFrameOf, type FrameSink } from './frames.ts';
import { upgradeRequestOf } from './upgrade.ts';
import { markActive } from './busy-poll.ts';

/** All sockets read into the same memory: each read is processed completely before the next one. */
const READ_BUFFER = Buffer.alloc(256 * 1024);
/** Each local address has a limited number of ports, so that further sockets use the next address of 127.0.0.0/8. */
const SOCKETS_PER_ADDRESS = 4000;

const TEXT = 0x81;
const CLOSE = 0x88;
const PING = 0x89;
const NO_CODE = 1005;
const ABNORMAL = 1006;
/** When all sockets are closed at once, every close frame is read first, since each answer would delay the next read. */
const CLOSE_ANSWER_DELAY_MS = 100;

/** Handles the events of one socket. `bytes` is valid only during the call. */
export interface SocketHandler {
  onOpen(): void;
  onText(bytes: Buffer, start: number, stop: number): void;
  /** Called once: with the code of the server's close frame, or with 1006 and the cause if there was none. */
  onClose(code: number, reason: string): void;
}

/** A WebSocket client on a raw TCP socket. It uses a zero masking key and no extensions, and parses only frame lengths. */
export class RawWebSocket implements FrameSink {
  readonly #handler: SocketHandler;
  readonly #socket: Socket;
  #responseHead = '';
  #isOpen = false;
  #isPaused = false;
  #isClosed = false;
  #incompleteFrame: Buffer | undefined;
  #isCorked = false;

  /** @param index the number of the socket in its group; it selects the local address. */
  constructor(
    { port }: Endpoint,
    { path, subprotocol, index = 0 }: { path: string; subprotocol: string | undefined; index?: number },
    handler: SocketHandler,
  ) {
    this.#handler = handler;
    const localAddress = `127.0.0.${1 + Math.floor(index / SOCKETS_PER_ADDRESS)}`;
    const onread = { buffer: READ_BUFFER, callback: (length: number) => this.#read(length) };
    this.#socket = connect({ host: '127.0.0.1', port, localAddress, onread, noDelay: true }, () => {
      markActive();
      this.#socket.write(upgradeRequestOf(port, path, subprotocol));
    });
    this.#socket.on('error', (error) => this.#closed(ABNORMAL, error.message));
    this.#socket.on('close', () => this.#closed(ABNORMAL, 'no close frame'));
  }

  /** All frames sent in one turn of the event loop are written together. */
  sendText(text: string): void {
    this.sendFrame(textFrameOf(text));
  }

  sendFrame(frame: Buffer): void {
    markActive();
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(frame);
  }

  /** Stops reading permanently. */
  stall(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Closes the socket with a close frame, without waiting for the answer. */
  leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.sendFrame(closeFrameOf(1000));
    this.#socket.end();
  }

  /** Resets the connection without a close frame. */
  destroy(): void {
    this.#isClosed = true;
    this.#socket.resetAndDestroy();
  }

  onFrame(first: number, bytes: Buffer, start: number, stop: number): void {
    if (first === TEXT) this.#handler.onText(bytes, start, stop);
    else if (first === PING) this.sendFrame(pongFrameOf(Buffer.from(bytes.subarray(start, stop))));
    else if (first === CLOSE) {
      const code = stop - start >= 2 ? bytes.readUInt16BE(start) : NO_CODE;
      if (this.#isClosed) return;
      this.#closed(code, bytes.toString('utf8', start + 2, stop));
      const answer = closeFrameOf(code === NO_CODE ? 1000 : code);
      setTimeout(() => this.#socket.end(answer), CLOSE_ANSWER_DELAY_MS);
    } else throw new Error(`Unexpected first byte of a frame: ${first}.`);
  }

  #read(length: number): boolean {
    markActive();
    if (this.#isOpen) this.#readFrames(READ_BUFFER, length);
    else this.#readResponseHead(READ_BUFFER.toString('latin1', 0, length));
    return !this.#isPaused;
  }

  #readResponseHead(text: string): void {
    this.#responseHead += text;
    const end = this.#responseHead.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.#responseHead.startsWith('HTTP/1.1 101')) {
      this.#closed(ABNORMAL, this.#responseHead.slice(0, 200));
      return void this.#socket.destroy();
    }
    const rest = Buffer.from(this.#responseHead.slice(end + 4), 'latin1');
    this.#responseHead = '';
    this.#isOpen = true;
    this.#handler.onOpen();
    if (rest.length > 0) this.#readFrames(rest, rest.length);
  }

  #readFrames(chunk: Buffer, length: number): void {
    let bytes = chunk;
    let end = length;
    if (this.#incompleteFrame) {
      bytes = Buffer.concat([this.#incompleteFrame, chunk.subarray(0, length)]);
      end = bytes.length;
    }
    const used = readFrames(bytes, end, this);
    this.#incompleteFrame = used < end ? Buffer.from(bytes.subarray(used, end)) : undefined;
  }

  #closed(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler.onClose(code, reason);
  }
}
