import { type Endpoint } from '../contender.ts';
import { Backend } from './backend.ts';
import { Seat } from './connection.ts';
import { guestOf } from './stage.ts';

const IS_ONLINE = 'query ($token: ID!) { isOnline(token: $token) }';

/** One client with many subscriptions, and a backend that asks the server whether it still has it. */
export class StallingReader implements Disposable {
  #isOnline = true;
  readonly #seat: Seat;
  readonly #backend: Backend;
  readonly #token: string;

  private constructor(seat: Seat, backend: Backend, token: string) {
    this.#seat = seat;
    this.#backend = backend;
    this.#token = token;
  }

  static async join(endpoint: Endpoint, operations: number): Promise<StallingReader> {
    const backend = await Backend.open(endpoint);
    const [ticket] = await backend.mint(1);
    const guest = guestOf(endpoint, ticket);
    const [operation] = guest.operations;
    const ear = { hear: () => undefined, lost: () => undefined };
    const seat = new Seat(
      endpoint,
      {
        ...guest,
        operations: Array.from({ length: operations }, (_, index) => ({
          ...operation!,
          id: String(index + 1),
        })),
      },
      ear,
    );
    await seat.joined;
    return new StallingReader(seat, backend, ticket!.id);
  }

  /** Reads nothing from now on. */
  stall(): void {
    this.#seat.socket.stall();
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
    this.#seat.socket.destroy();
  }
}
