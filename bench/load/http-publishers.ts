import { type Endpoint } from '../contender.ts';
import { PUBLISH_MESSAGE } from './protocols/graphql.ts';
import { HttpConnection, type Answer } from './http-connection.ts';
import { digitsOf } from './payload.ts';

const PAD_BYTES = 100;

/** Publishes over `count` keep-alive connections, each of which sends its next mutation after the previous answer. */
export class HttpPublishers implements Disposable {
  readonly #connections: readonly HttpConnection[];
  #latenciesMs: number[] = [];
  #deadline = 0;
  #busy = 0;
  #done: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(endpoint: Endpoint, count: number) {
    const variables = {
      channel: 'bench',
      event: 'tick',
      data: { pad: 'x'.repeat(PAD_BYTES), n: digitsOf(0) },
    };
    const body = JSON.stringify({ query: PUBLISH_MESSAGE, variables });
    const onAnswer = (answer: Answer, connection: HttpConnection) => this.#onAnswer(answer, connection);
    this.#connections = Array.from({ length: count }, () => new HttpConnection(endpoint, body, onAnswer));
  }

  /** Resolves when the last request is answered, to the latency of each: from the request to the whole answer, in ms. */
  async run({ durationMs }: { durationMs: number }): Promise<number[]> {
    this.#latenciesMs = [];
    this.#deadline = performance.now() + durationMs;
    this.#busy = this.#connections.length;
    const done = new Promise<void>((resolve, reject) => (this.#done = { resolve, reject }));
    for (const connection of this.#connections) connection.send();
    await done;
    return this.#latenciesMs;
  }

  #onAnswer({ isSuccess, text, at, tookMs }: Answer, connection: HttpConnection): void {
    if (!isSuccess) return this.#done?.reject(new Error(`A publish was refused: ${text}`));
    this.#latenciesMs.push(tookMs);
    if (at < this.#deadline) connection.send();
    else if (--this.#busy === 0) this.#done?.resolve();
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection[Symbol.dispose]();
  }
}
