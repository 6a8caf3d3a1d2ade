import { type Endpoint } from '../contender.ts';
import { Backend } from './backend.ts';
import { Connection } from './connection.ts';
import { subscriberSpecOf } from './fixture.ts';

const IS_ONLINE = 'query ($token: ID!) { isOnline(token: $token) }';

/** One client with many subscriptions, and a backend that asks the server whether it still has it. */
export class StallingReader implements Disposable {
  #isOnline = true;
  readonly #connection: Connection;
  readonly #backend: Backend;
  readonly #token: string;

  private constructor(connection: Connection, backend: Backend, token: string) {
    this.#connection = connection;
    this.#backend = backend;
    this.#token = token;
  }

  static async join(endpoint: Endpoint, operations: number): Promise<StallingReader> {
    const backend = await Backend.open(endpoint);
    const [credential] = await backend.mint(1);
    const spec = subscriberSpecOf(endpoint, credential);
    const [operation] = spec.operations;
    const listener = { onText: () => undefined, onLost: () => undefined };
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
    return new StallingReader(connection, backend, credential!.id);
  }

  /** Reads nothing from now on. */
  stall(): void {
    this.#connection.socket.stall();
  }

  /** As the server said last. */
  isOnline(): boolean {
    return this.#isOnline;
  }

  /** Does not wait for the answer. */
  ask(): void {
    void this.#backend.request(IS_ONLINE, { token: this.#token }).then(({ isOnline }) => {
      this.#isOnline = isOnline;
    });
  }

  [Symbol.dispose](): void {
    this.#backend[Symbol.dispose]();
    this.#connection.socket.destroy();
  }
}
