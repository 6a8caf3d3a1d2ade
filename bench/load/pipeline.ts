import { type Endpoint } from '../contender.ts';
import { graphql, PUBLICATION } from './protocols/graphql.ts';
import { Connection, type Listener } from './connection.ts';

const NEXT = Buffer.from('"type":"next"');
const ERRORS = Buffer.from('"errors"');
/** The start of the operation id. Message ids never start with this letter. */
const ID = Buffer.from(`"id":"${PUBLICATION}`);
const PAD = 'x'.repeat(100);

/** Publishes over one WebSocket, with a fixed number of unanswered mutations in flight. */
export class Pipeline implements Listener, Disposable {
  readonly #connection: Connection;
  /** The send times of the unanswered mutations, by number. */
  readonly #sentAt = new Map<number, number>();
  #latenciesMs: number[] = [];
  #deadline = 0;
  #done: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #n = 0;

  private constructor(endpoint: Endpoint) {
    const { apiKey } = endpoint;
    this.#connection = new Connection(
      endpoint,
      { operations: [], ...(apiKey !== undefined && { connectionParams: { apiKey } }) },
      this,
    );
  }

  static async open(endpoint: Endpoint): Promise<Pipeline> {
    const pipeline = new Pipeline(endpoint);
    await pipeline.#connection.ready;
    return pipeline;
  }

  /** Resolves when the last mutation is answered, to the latency of each: from sending it to reading its answer, in ms. */
  async run({ inFlight, durationMs }: { inFlight: number; durationMs: number }): Promise<number[]> {
    this.#latenciesMs = [];
    this.#deadline = performance.now() + durationMs;
    const done = new Promise<void>((resolve, reject) => (this.#done = { resolve, reject }));
    for (let index = 0; index < inFlight; index++) this.#send();
    await done;
    return this.#latenciesMs;
  }

  #send(): void {
    const n = ++this.#n;
    this.#sentAt.set(n, performance.now());
    this.#connection.socket.sendText(graphql.publish({ n, pad: PAD, channel: 'bench' }));
  }

  onMessage(bytes: Buffer, start: number, stop: number): void {
    const answer = bytes.subarray(start, stop);
    if (answer.includes(ERRORS)) return this.#done?.reject(new Error(answer.toString()));
    if (!answer.includes(NEXT)) return;
    const n = numberOf(answer);
    const sentAt = this.#sentAt.get(n);
    if (sentAt === undefined) return this.#done?.reject(new Error(`Unexpected answer: ${answer.toString()}`));
    this.#sentAt.delete(n);
    const now = performance.now();
    this.#latenciesMs.push(now - sentAt);
    if (now < this.#deadline) this.#send();
    else if (this.#sentAt.size === 0) this.#done?.resolve();
  }

  onClose(code: number, reason: string): void {
    this.#done?.reject(new Error(`The server closed the publisher: ${code} ${reason}`));
  }

  [Symbol.dispose](): void {
    this.#connection.socket.leave();
  }
}

/** The number of the answered mutation. The position of the operation id in the frame differs between servers. */
function numberOf(answer: Buffer): number {
  const at = answer.indexOf(ID);
  return at < 0 ? NaN : Number.parseInt(answer.toString('latin1', at + ID.length, at + ID.length + 10), 10);
}
