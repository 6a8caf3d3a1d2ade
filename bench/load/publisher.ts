import { type Endpoint } from '../contender.ts';
import { type Guest } from './dialect.ts';
import { Seat, type Ear } from './connection.ts';

/** Publishes over one WebSocket; does not wait for answers, but a refusal is a fault. */
export class Publisher implements Ear, Disposable {
  /** Of what is published from now on: makes frames as long as they shall be. */
  padBytes = 100;
  readonly #seat: Seat;
  readonly #fault: (what: string) => void;

  private constructor(endpoint: Endpoint, guest: Guest, fault: (what: string) => void) {
    this.#fault = fault;
    this.#seat = new Seat(endpoint, guest, this);
  }

  static async open(endpoint: Endpoint, fault: (what: string) => void): Promise<Publisher> {
    const { apiKey } = endpoint;
    const guest: Guest = { operations: [], ...(apiKey !== undefined && { connectionParams: { apiKey } }) };
    const publisher = new Publisher(endpoint, guest, fault);
    await publisher.#seat.joined;
    return publisher;
  }

  publish(n: number, channel = 'bench'): void {
    const { dialect, socket } = this.#seat;
    socket.sendText(dialect.publish({ n, channel, pad: 'x'.repeat(this.padBytes) }));
  }

  hear(bytes: Buffer, start: number, stop: number): void {
    const text = bytes.toString('utf8', start, stop);
    const { dialect, socket } = this.#seat;
    if (dialect.isRefusal(text)) return this.#fault(text);
    const answer = dialect.keepAlive(text);
    if (answer !== undefined) socket.sendText(answer);
  }

  lost(code: number, reason: string): void {
    this.#fault(`The publisher was closed: ${code} ${reason}`);
  }

  [Symbol.dispose](): void {
    this.#seat.socket.leave();
  }
}
