import { type Endpoint } from '../contender.ts';
import { graphql, PUBLICATION } from './dialects/graphql.ts';
import { Connection, type Listener } from './connection.ts';

const NEXT = Buffer.from('"type":"next"');
const ERRORS = Buffer.from('"errors"');
/** No id of a message begins like this. */
const ID = Buffer.from(`"id":"${PUBLICATION}`);
const PAD = 'x'.repeat(100);

/** Mutations over one WebSocket, so many unanswered at once. */
export class Pipeline implements Listener, Disposable {
  readonly #connection: Connection;
  /** When each was sent that is not answered, by its number. */
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

  /** Resolves when the last of them is acknowledged. Returns how long each took, from sending it to its data. */
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

  onText(bytes: Buffer, start: number, stop: number): void {
    const answer = bytes.subarray(start, stop);
    if (answer.includes(ERRORS)) return this.#done?.reject(new Error(answer.toString()));
    if (!answer.includes(NEXT)) return;
    const n = numberOf(answer);
    const sentAt = this.#sentAt.get(n);
    if (sentAt === undefined)
      return this.#done?.reject(new Error(`An answer without a request: ${answer.toString()}`));
    this.#sentAt.delete(n);
    const now = performance.now();
    this.#latenciesMs.push(now - sentAt);
    if (now < this.#deadline) this.#send();
    else if (this.#sentAt.size === 0) this.#done?.resolve();
  }

  onLost(code: number, reason: string): void {
    this.#done?.reject(new Error(`The publisher was closed: ${code} ${reason}`));
  }

  [Symbol.dispose](): void {
    this.#connection.socket.leave();
  }
}

/** Which one is answered. Wherever in the frame a server has the operation's id. */
function numberOf(answer: Buffer): number {
  const at = answer.indexOf(ID);
  return at < 0 ? NaN : Number.parseInt(answer.toString('latin1', at + ID.length, at + ID.length + 10), 10);
}
