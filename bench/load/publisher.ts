import { type Endpoint } from '../contender.ts';
import { type SubscriberSpec } from './dialect.ts';
import { Connection, type Listener } from './connection.ts';

/** Publishes over one WebSocket; does not wait for answers, but a refusal is a fault. */
export class Publisher implements Listener, Disposable {
  /** Of what is published from now on: makes frames as long as they shall be. */
  padBytes = 100;
  readonly #connection: Connection;
  readonly #fault: (what: string) => void;

  private constructor(endpoint: Endpoint, spec: SubscriberSpec, fault: (what: string) => void) {
    this.#fault = fault;
    this.#connection = new Connection(endpoint, spec, this);
  }

  static async open(endpoint: Endpoint, fault: (what: string) => void): Promise<Publisher> {
    const { apiKey } = endpoint;
    const spec: SubscriberSpec = {
      operations: [],
      ...(apiKey !== undefined && { connectionParams: { apiKey } }),
    };
    const publisher = new Publisher(endpoint, spec, fault);
    await publisher.#connection.ready;
    return publisher;
  }

  publish(n: number, channel = 'bench'): void {
    const { dialect, socket } = this.#connection;
    socket.sendText(dialect.publish({ n, channel, pad: 'x'.repeat(this.padBytes) }));
  }

  onText(bytes: Buffer, start: number, stop: number): void {
    const text = bytes.toString('utf8', start, stop);
    const { dialect, socket } = this.#connection;
    if (dialect.isRefusal(text)) return this.#fault(text);
    const answer = dialect.keepAlive(text);
    if (answer !== undefined) socket.sendText(answer);
  }

  onLost(code: number, reason: string): void {
    this.#fault(`The publisher was closed: ${code} ${reason}`);
  }

  [Symbol.dispose](): void {
    this.#connection.socket.leave();
  }
}
