import { connect, type Socket } from 'node:net';
import { type Endpoint } from '../contender.ts';
import { closeFrameOf, pongFrameOf, readFrames, textFrameOf, type FrameSink } from './frames.ts';
import { upgradeRequestOf } from './upgrade.ts';
import { markActive } from './busy-poll.ts';

/** All sockets read into the same memory: what is read is used up before the next one reads. */
const READ_BUFFER = Buffer.alloc(256 * 1024);
/** Local ports are few; past so many sockets the next address of 127.0.0.0/8 calls. */
const SOCKETS_PER_ADDRESS = 4000;

const TEXT = 0x81;
const CLOSE = 0x88;
const PING = 0x89;
const NO_CODE = 1005;
const ABNORMAL = 1006;
/** When many sockets are closed at once, all close frames are read before the first is answered: an answer delays the next read. */
const ANSWERS_CLOSE_AFTER_MS = 100;

/** Receives the events of one socket, `onOpen` first. The bytes are valid during the call only. */
export interface SocketListener {
  onOpen(): void;
  onText(bytes: Buffer, start: number, stop: number): void;
  /** Once: with the code of the server's close frame, or 1006 and why where there was none. */
  onClose(code: number, reason: string): void;
}

/** A WebSocket client on a raw TCP socket: no masking key, no extensions, nothing parsed but lengths. */
export class RawWebSocket implements FrameSink {
  readonly #listener: SocketListener;
  readonly #socket: Socket;
  #head = '';
  #isOpen = false;
  #isPaused = false;
  #isClosed = false;
  #rest: Buffer | undefined;
  #isCorked = false;

  /** @param index tells the sockets of one group. */
  constructor(
    { port }: Endpoint,
    { path, subprotocol, index = 0 }: { path: string; subprotocol: string | undefined; index?: number },
    listener: SocketListener,
  ) {
    this.#listener = listener;
    const localAddress = `127.0.0.${1 + Math.floor(index / SOCKETS_PER_ADDRESS)}`;
    const onread = { buffer: READ_BUFFER, callback: (length: number) => this.#read(length) };
    this.#socket = connect({ host: '127.0.0.1', port, localAddress, onread, noDelay: true }, () => {
      markActive();
      this.#socket.write(upgradeRequestOf(port, path, subprotocol));
    });
    this.#socket.on('error', (error) => this.#closed(ABNORMAL, error.message));
    this.#socket.on('close', () => this.#closed(ABNORMAL, 'without a word'));
  }

  /** What is sent in one turn of the event loop leaves in one write. */
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

  /** Stops reading, for good: the stalled reader. */
  stall(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** As a client that goes away: with a close frame, and without waiting for the answer. */
  leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.sendFrame(closeFrameOf(1000));
    this.#socket.end();
  }

  /** Without a word: what was not read is lost. */
  destroy(): void {
    this.#isClosed = true;
    this.#socket.resetAndDestroy();
  }

  onFrame(first: number, bytes: Buffer, start: number, stop: number): void {
    if (first === TEXT) this.#listener.onText(bytes, start, stop);
    else if (first === PING) this.sendFrame(pongFrameOf(Buffer.from(bytes.subarray(start, stop))));
    else if (first === CLOSE) {
      const code = stop - start >= 2 ? bytes.readUInt16BE(start) : NO_CODE;
      if (this.#isClosed) return;
      this.#closed(code, bytes.toString('utf8', start + 2, stop));
      const answer = closeFrameOf(code === NO_CODE ? 1000 : code);
      setTimeout(() => this.#socket.end(answer), ANSWERS_CLOSE_AFTER_MS);
    } else throw new Error(`A frame that begins with ${first} was not expected.`);
  }

  #read(length: number): boolean {
    markActive();
    if (this.#isOpen) this.#readFrames(READ_BUFFER, length);
    else this.#readHead(READ_BUFFER.toString('latin1', 0, length));
    return !this.#isPaused;
  }

  #readHead(text: string): void {
    this.#head += text;
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#closed(ABNORMAL, this.#head.slice(0, 200));
      return void this.#socket.destroy();
    }
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    this.#head = '';
    this.#isOpen = true;
    this.#listener.onOpen();
    if (rest.length > 0) this.#readFrames(rest, rest.length);
  }

  #readFrames(chunk: Buffer, length: number): void {
    let bytes = chunk;
    let end = length;
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      end = bytes.length;
    }
    const used = readFrames(bytes, end, this);
    this.#rest = used < end ? Buffer.from(bytes.subarray(used, end)) : undefined;
  }

  #closed(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.onClose(code, reason);
  }
}
