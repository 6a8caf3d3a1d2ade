import { type Endpoint } from '../contender.ts';
import { Backend } from './backend.ts';
import { Connection } from './connection.ts';
import { subscriberSpecOf } from './fixture.ts';

const IS_ONLINE = 'query ($token: ID!) { isOnline(token: $token) }';

/** One client with many subscriptions, and a backend that polls whether the server considers the client online. */
export class StallingReader implements Disposable {
  #isOnline = true;
  readonly #connection: Connection;
  readonly #backend: Backend;
  readonly #tokenId: string;

  private constructor(connection: Connection, backend: Backend, tokenId: string) {
    this.#connection = connection;
    this.#backend = backend;
    this.#tokenId = tokenId;
  }

  static async connect(endpoint: Endpoint, operations: number): Promise<StallingReader> {
    const backend = await Backend.open(endpoint);
    const [minted] = await backend.mintTokens(1);
    const spec = subscriberSpecOf(endpoint, minted);
    const [operation] = spec.operations;
    const listener = { onMessage: () => undefined, onClose: () => undefined };
    const connection = new Connection(
      endpoint,
      {
        ...spec,
        operations: Array.from({ length: operations }, (_, index) => ({
          ...operation!,
          id: String(index + 1),
        })),
      },
      listener,
    );
    await connection.ready;
    return new StallingReader(connection, backend, minted!.id);
  }

  /** Stops reading permanently. */
  stall(): void {
    this.#connection.socket.stall();
  }

  /** The last answer of the server. */
  isOnline(): boolean {
    return this.#isOnline;
  }

  /** Queries the server without waiting for the answer. */
  pollOnline(): void {
    void this.#backend.request(IS_ONLINE, { token: this.#tokenId }).then(({ isOnline }) => {
      this.#isOnline = isOnline;
    });
  }

  [Symbol.dispose](): void {
    this.#backend[Symbol.dispose]();
    this.#connection.socket.destroy();
  }
}
