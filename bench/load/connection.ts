import { type Endpoint } from '../contender.ts';
import { type Dialect, type SubscriberSpec } from './dialect.ts';
import { dialectOf } from './dialects/catalogue.ts';
import { RawWebSocket, type SocketListener } from './web-socket.ts';

/** Receives messages once the subscriber is ready. The bytes are valid during the call only. */
export interface Listener {
  onText(bytes: Buffer, start: number, stop: number): void;
  /** The server closed the socket, or the socket failed. */
  onLost(code: number, reason: string): void;
}

/** One connection of a subscriber: performs the handshake, then passes each message to the listener. */
export class Connection implements SocketListener {
  readonly socket: RawWebSocket;
  /** Resolves when the handshake and all subscribe messages are sent; rejects when the server refuses. */
  readonly ready: Promise<void>;
  readonly dialect: Dialect;
  readonly #spec: SubscriberSpec;
  readonly #listener: Listener;
  #isIn = false;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  /** @param index distinguishes the connections of one audience. */
  constructor(endpoint: Endpoint, spec: SubscriberSpec, listener: Listener, index = 0) {
    this.dialect = dialectOf(endpoint.dialect);
    this.#spec = spec;
    this.#listener = listener;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const path = spec.operations.length > 0 ? endpoint.subscribePath : endpoint.publishPath;
    this.socket = new RawWebSocket(endpoint, { path, subprotocol: this.dialect.subprotocol, index }, this);
  }

  onOpen(): void {
    const greeting = this.dialect.firstMessage(this.#spec);
    if (greeting !== undefined) this.socket.sendText(greeting);
    if (this.dialect.isInAtOnce) this.#enter();
  }

  onText(bytes: Buffer, start: number, stop: number): void {
    if (this.#isIn) return this.#listener.onText(bytes, start, stop);
    const { says, isIn } = this.dialect.reply(bytes.toString('utf8', start, stop), this.#spec);
    for (const text of says) this.socket.sendText(text);
    if (isIn) this.#enter();
  }

  onClose(code: number, reason: string): void {
    if (this.#isIn) this.#listener.onLost(code, reason);
    else this.#reject(new Error(`A connection was refused: ${code} ${reason}`));
  }

  #enter(): void {
    this.#isIn = true;
    this.#resolve();
  }
}
