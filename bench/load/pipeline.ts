import { type Endpoint } from '../contender.ts';
import { graphql } from './dialects/graphql.ts';
import { Seat, type Ear } from './seat.ts';

const NEXT = Buffer.from('"type":"next"');
const ERRORS = Buffer.from('"errors"');

/** Mutations over one WebSocket, so many unanswered at once. Counts those that were answered with data. */
export class Pipeline implements Ear, Disposable {
  acknowledged = 0;
  readonly #seat: Seat;
  #sent = 0;
  #deadline = 0;
  #done: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #n = 0;

  private constructor(endpoint: Endpoint) {
    const { apiKey } = endpoint;
    this.#seat = new Seat(
      endpoint,
      { operations: [], ...(apiKey !== undefined && { connectionParams: { apiKey } }) },
      this,
    );
  }

  static async open(endpoint: Endpoint): Promise<Pipeline> {
    const pipeline = new Pipeline(endpoint);
    await pipeline.#seat.joined;
    return pipeline;
  }

  /** Resolves when the last of them is acknowledged. Returns how many were. */
  async run({ inFlight, durationMs }: { inFlight: number; durationMs: number }): Promise<number> {
    const before = this.acknowledged;
    this.#deadline = performance.now() + durationMs;
    const done = new Promise<void>((resolve, reject) => (this.#done = { resolve, reject }));
    for (let index = 0; index < inFlight; index++) this.#send();
    await done;
    return this.acknowledged - before;
  }

  #send(): void {
    this.#sent++;
    const text = graphql.publish({ n: ++this.#n, pad: 'x'.repeat(100), channel: 'bench' });
    this.#seat.socket.sendText(text);
  }

  hear(bytes: Buffer, start: number, stop: number): void {
    const text = bytes.subarray(start, stop);
    if (text.includes(ERRORS)) return this.#done?.reject(new Error(text.toString()));
    if (!text.includes(NEXT)) return;
    this.acknowledged++;
    if (performance.now() < this.#deadline) this.#send();
    else if (this.acknowledged === this.#sent) this.#done?.resolve();
  }

  lost(code: number, reason: string): void {
    this.#done?.reject(new Error(`The publisher was closed: ${code} ${reason}`));
  }

  [Symbol.dispose](): void {
    this.#seat.socket.leave();
  }
}
