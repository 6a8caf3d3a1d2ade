import { type Endpoint } from '../contender.ts';
import { type Protocol, type SubscriberSpec } from './protocol.ts';
import { protocolOf } from './protocols/catalogue.ts';
import { RawWebSocket, type SocketHandler } from './web-socket.ts';

/** Receives the messages of a connection once it is ready. */
export interface Listener {
  /** `bytes` is valid only during the call. */
  onMessage(bytes: Buffer, start: number, stop: number): void;
  /** The server closed the connection, or it broke. */
  onClose(code: number, reason: string): void;
}

/** One client on one socket: completes the handshake of the protocol, then passes messages to its listener. */
export class Connection implements SocketHandler {
  readonly socket: RawWebSocket;
  /** Resolves when the client has sent everything that makes it a subscriber. Rejects if the server closes it before. */
  readonly ready: Promise<void>;
  readonly protocol: Protocol;
  readonly #spec: SubscriberSpec;
  readonly #listener: Listener;
  #isReady = false;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  /** @param index a number that is unique within the group; it selects the local address. */
  constructor(endpoint: Endpoint, spec: SubscriberSpec, listener: Listener, index = 0) {
    this.protocol = protocolOf(endpoint.protocol);
    this.#spec = spec;
    this.#listener = listener;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const path = spec.operations.length > 0 ? endpoint.subscribePath : endpoint.publishPath;
    this.socket = new RawWebSocket(endpoint, { path, subprotocol: this.protocol.subprotocol, index }, this);
  }

  onOpen(): void {
    const first = this.protocol.firstMessage(this.#spec);
    if (first !== undefined) this.socket.sendText(first);
    if (this.protocol.isReadyOnOpen) this.#becomeReady();
  }

  onText(bytes: Buffer, start: number, stop: number): void {
    if (this.#isReady) return this.#listener.onMessage(bytes, start, stop);
    const { messages, isReady } = this.protocol.reply(bytes.toString('utf8', start, stop), this.#spec);
    for (const text of messages) this.socket.sendText(text);
    if (isReady) this.#becomeReady();
  }

  onClose(code: number, reason: string): void {
    if (this.#isReady) this.#listener.onClose(code, reason);
    else this.#reject(new Error(`The server closed a connecting client: ${code} ${reason}`));
  }

  #becomeReady(): void {
    this.#isReady = true;
    this.#resolve();
  }
}
