import { type Endpoint } from '../contender.ts';
import { type SubscriberSpec } from './protocol.ts';
import { Connection, type Listener } from './connection.ts';

/** Publishes over one WebSocket without waiting for the answers. A refused publish is a failure. */
export class Publisher implements Listener, Disposable {
  /** Length of the padding of further messages, in bytes. */
  padBytes = 100;
  readonly #connection: Connection;
  readonly #fail: (message: string) => void;

  private constructor(endpoint: Endpoint, spec: SubscriberSpec, fail: (message: string) => void) {
    this.#fail = fail;
    this.#connection = new Connection(endpoint, spec, this);
  }

  static async open(endpoint: Endpoint, fail: (message: string) => void): Promise<Publisher> {
    const { apiKey } = endpoint;
    const spec: SubscriberSpec = {
      operations: [],
      ...(apiKey !== undefined && { connectionParams: { apiKey } }),
    };
    const publisher = new Publisher(endpoint, spec, fail);
    await publisher.#connection.ready;
    return publisher;
  }

  publish(n: number, channel = 'bench'): void {
    const { protocol, socket } = this.#connection;
    socket.sendText(protocol.publish({ n, channel, pad: 'x'.repeat(this.padBytes) }));
  }

  onMessage(bytes: Buffer, start: number, stop: number): void {
    const text = bytes.toString('utf8', start, stop);
    const { protocol, socket } = this.#connection;
    if (protocol.isRefusal(text)) return this.#fail(text);
    const answer = protocol.keepAlive(text);
    if (answer !== undefined) socket.sendText(answer);
  }

  onClose(code: number, reason: string): void {
    this.#fail(`The server closed the publisher: ${code} ${reason}`);
  }

  [Symbol.dispose](): void {
    this.#connection.socket.leave();
  }
}
