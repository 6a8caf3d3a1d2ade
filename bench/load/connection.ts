import { type Endpoint } from '../contender.ts';
import { dialectOf, type Dialect, type Guest } from './dialect.ts';
import { RawWebSocket, type Listener } from './web-socket.ts';

/** Takes what comes once the guest is in. The bytes are only there during the call. */
export interface Ear {
  hear(bytes: Buffer, start: number, stop: number): void;
  /** The server closed, or the socket broke. */
  lost(code: number, reason: string): void;
}

/** One guest on one socket: it joins by itself, then hands over what it hears. */
export class Seat implements Listener {
  readonly socket: RawWebSocket;
  /** Resolves when all has been said that makes it a subscriber; rejects when it is turned away. */
  readonly joined: Promise<void>;
  readonly dialect: Dialect;
  readonly #guest: Guest;
  readonly #ear: Ear;
  #isIn = false;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  /** @param index tells seats of one audience apart. */
  constructor(endpoint: Endpoint, guest: Guest, ear: Ear, index = 0) {
    this.dialect = dialectOf(endpoint.dialect);
    this.#guest = guest;
    this.#ear = ear;
    this.joined = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const path = guest.operations.length > 0 ? endpoint.subscribePath : endpoint.publishPath;
    this.socket = new RawWebSocket(endpoint, { path, subprotocol: this.dialect.subprotocol, index }, this);
  }

  onOpen(): void {
    const greeting = this.dialect.greet(this.#guest);
    if (greeting !== undefined) this.socket.sendText(greeting);
    if (this.dialect.isInAtOnce) this.#enter();
  }

  onText(bytes: Buffer, start: number, stop: number): void {
    if (this.#isIn) return this.#ear.hear(bytes, start, stop);
    const { says, isIn } = this.dialect.reply(bytes.toString('utf8', start, stop), this.#guest);
    for (const text of says) this.socket.sendText(text);
    if (isIn) this.#enter();
  }

  onClose(code: number, reason: string): void {
    if (this.#isIn) this.#ear.lost(code, reason);
    else this.#reject(new Error(`A guest was turned away: ${code} ${reason}`));
  }

  #enter(): void {
    this.#isIn = true;
    this.#resolve();
  }
}
