import { type Endpoint } from '../contender.ts';
import { PUBLISH_MESSAGE } from './dialects/graphql.ts';
import { digitsOf } from './payload.ts';
import { Connection, type Listener } from './connection.ts';

const AT_ONCE = 64;

/** What a client of Signalbox presents, and where the log stood when it was minted. */
export interface MintedCredential {
  readonly id: string;
  readonly credential: string;
  readonly cursor: string;
}

/** The backend of an application: makes channels, mints tokens. Over one WebSocket, with the API key. */
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

  /** The data of one query or mutation. Fails on any error. */
  request(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<any> {
    const id = `b${++this.#operations}`;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#connection.socket.sendText(
        JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }),
      );
    });
  }

  /** Channels that every token may enter. */
  async createChannels(ids: readonly string[]): Promise<void> {
    const query = 'mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }';
    await inParallel(ids.length, (index) =>
      this.request(query, { input: { id: ids[index], type: 'PUBLIC' } }),
    );
  }

  /** So many tokens, subscribed to these channels. */
  async mint(
    count: number,
    input: { identity?: string; channels?: readonly string[] } = {},
  ): Promise<MintedCredential[]> {
    const query =
      'mutation ($input: CreateTokenInput) { createToken(input: $input) { token { id } credential cursor } }';
    const credentials: MintedCredential[] = [];
    await inParallel(count, async (index) => {
      const identity = input.identity ?? `user-${index}`;
      const { createToken } = await this.request(query, { input: { ...input, identity } });
      const { token, credential, cursor } = createToken;
      credentials[index] = { id: token.id, credential, cursor };
    });
    return credentials;
  }

  /** Resolves when it is acknowledged. */
  async publish(n: number, pad: string): Promise<void> {
    const variables = { channel: 'bench', event: 'tick', data: { pad, n: digitsOf(n) } };
    await this.request(PUBLISH_MESSAGE, variables);
  }

  onText(bytes: Buffer, start: number, stop: number): void {
    const { id, type, payload } = JSON.parse(bytes.toString('utf8', start, stop));
    const pending = this.#pending.get(id);
    if (!pending || type === 'complete') return;
    this.#pending.delete(id);
    if (type === 'next' && !payload.errors) pending.resolve(payload.data);
    else pending.reject(new Error(`The backend was refused: ${JSON.stringify(payload)}`));
  }

  onLost(code: number, reason: string): void {
    for (const { reject } of this.#pending.values())
      reject(new Error(`The backend was closed: ${code} ${reason}`));
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
  await Promise.all(Array.from({ length: Math.min(count, AT_ONCE) }, worker));
}
