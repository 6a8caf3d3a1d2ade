import { type Endpoint } from '../contender.ts';
import { PUBLISH_MESSAGE } from './protocols/graphql.ts';
import { digitsOf } from './payload.ts';
import { Connection, type Listener } from './connection.ts';

const CONCURRENCY = 64;

/** A token of a Signalbox client, with the head of the log at its creation. */
export interface MintedToken {
  readonly id: string;
  readonly credential: string;
  readonly cursor: string;
}

/** The backend of an application: creates channels and mints tokens over one WebSocket, with the API key. */
export class Backend implements Listener, Disposable {
  readonly #connection: Connection;
  readonly #pending = new Map<string, { resolve: (data: any) => void; reject: (error: Error) => void }>();
  #operations = 0;

  private constructor(endpoint: Endpoint) {
    this.#connection = new Connection(
      endpoint,
      { connectionParams: { apiKey: endpoint.apiKey }, operations: [] },
      this,
    );
  }

  static async open(endpoint: Endpoint): Promise<Backend> {
    const backend = new Backend(endpoint);
    await backend.#connection.ready;
    return backend;
  }

  /** Resolves to the data of one query or mutation. Rejects on any error. */
  request(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<any> {
    const id = `b${++this.#operations}`;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#connection.socket.sendText(
        JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }),
      );
    });
  }

  /** Creates PUBLIC channels. */
  async createChannels(ids: readonly string[]): Promise<void> {
    const query = 'mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }';
    await inParallel(ids.length, (index) =>
      this.request(query, { input: { id: ids[index], type: 'PUBLIC' } }),
    );
  }

  /** Mints `count` tokens that are subscribed to the channels. */
  async mintTokens(
    count: number,
    input: { identity?: string; channels?: readonly string[] } = {},
  ): Promise<MintedToken[]> {
    const query =
      'mutation ($input: CreateTokenInput) { createToken(input: $input) { token { id } credential cursor } }';
    const tokens: MintedToken[] = [];
    await inParallel(count, async (index) => {
      const identity = input.identity ?? `user-${index}`;
      const { createToken } = await this.request(query, { input: { ...input, identity } });
      const { token, credential, cursor } = createToken;
      tokens[index] = { id: token.id, credential, cursor };
    });
    return tokens;
  }

  /** Publishes message `n`. Resolves when it is acknowledged. */
  async publish(n: number, pad: string, channel = 'bench'): Promise<void> {
    const variables = { channel, event: 'tick', data: { pad, n: digitsOf(n) } };
    await this.request(PUBLISH_MESSAGE, variables);
  }

  onMessage(bytes: Buffer, start: number, stop: number): void {
    const { id, type, payload } = JSON.parse(bytes.toString('utf8', start, stop));
    const pending = this.#pending.get(id);
    if (!pending || type === 'complete') return;
    this.#pending.delete(id);
    if (type === 'next' && !payload.errors) pending.resolve(payload.data);
    else pending.reject(new Error(`An operation of the backend failed: ${JSON.stringify(payload)}`));
  }

  onClose(code: number, reason: string): void {
    for (const { reject } of this.#pending.values())
      reject(new Error(`The server closed the backend: ${code} ${reason}`));
  }

  [Symbol.dispose](): void {
    this.#connection.socket.leave();
  }
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, CONCURRENCY) }, worker));
}
