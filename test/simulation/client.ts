import { setImmediate as nextTurn } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createProxy, type Proxy } from '../support/proxy.ts';
import { type Answer } from '../support/service.ts';
import { type RandomSource } from './random-source.ts';
import { type Moment, type InboxEvent, type Span, type Stream } from './record.ts';

const MESSAGE = 'message { id cursor previous channel data }';
const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { connection { id } cursor channels { id version } }
  ... on ChannelAvailable { channel { id version } }
  ... on ChannelUnavailable { channel { id version } }
  ... on ChannelStateUpdated { channel { id version } }
  ... on ChannelMessage { ${MESSAGE} }
  ... on DirectMessage { ${MESSAGE} }
  ... on Gap { reason }
} }`;

/** The close code of an expired or revoked token. The client must not reconnect with the same credential. */
const RENEW = 4403;
/** A connection with a limited lifetime is cut before it has received so many bytes. */
const MAX_LIFETIME_BYTES = 60_000;
const MAX_TURNS_BEFORE_RETRY = 40;

export interface ClientOptions {
  name: string;
  token: string;
  credential: string;
  /** The cursor to start from, and when it was obtained. */
  since: { cursor: string; obtained: Span } | undefined;
  port: number;
  random: RandomSource;
  now: () => Moment;
  onUnexpectedError: (description: string) => void;
  /** Whether connections are still cut at random. */
  cutsAtRandom: () => boolean;
}

/**
 * A client that subscribes to the inbox of one token: an unmodified graphql-ws client, which resumes through a getter in
 * its variables, behind a proxy that cuts its connections.
 */
export class SimulatedClient implements AsyncDisposable {
  readonly stream: Stream;
  readonly #options: ClientOptions;
  readonly #proxy: Proxy;
  readonly #client: Client;
  readonly #texts = new Set<string>();
  readonly #waiters = new Set<() => void>();
  #cursor: string | undefined;
  #stop: (() => void) | undefined;
  /** A moment before the first delivery of the current session. */
  #opened = 0;
  #openCount = 0;
  #isDisposed = false;
  #offline: { over: Promise<void>; end: () => void } | undefined;

  static async create(options: ClientOptions): Promise<SimulatedClient> {
    const { random, cutsAtRandom } = options;
    const bytesUntilCut = () =>
      cutsAtRandom() && random.next() < 0.5
        ? 500 + Math.floor(random.next() ** 2 * MAX_LIFETIME_BYTES)
        : undefined;
    return new SimulatedClient(options, await createProxy(() => options.port, bytesUntilCut));
  }

  private constructor(options: ClientOptions, proxy: Proxy) {
    const { name, token, credential, since, random, now } = options;
    this.#options = options;
    this.#proxy = proxy;
    this.#cursor = since?.cursor;
    this.stream = {
      name,
      token,
      start: since?.obtained,
      sessions: [],
      received: [],
      isActive: false,
      ended: undefined,
    };
    this.#client = createClient({
      url: `ws://127.0.0.1:${proxy.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { token: credential },
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: (reason) => codeOf(reason) !== RENEW,
      retryWait: async () => {
        for (let left = random.between(0, MAX_TURNS_BEFORE_RETRY); left > 0; left--) await nextTurn();
        await this.#offline?.over;
      },
      on: {
        opened: () => {
          this.#opened = now();
          this.#openCount++;
        },
        closed: (event) => this.#endSession(codeOf(event)),
      },
    });
  }

  get cuts(): number {
    return this.#proxy.cuts;
  }

  /** The id of the current connection, as far as the client knows. */
  get connection(): string | undefined {
    const session = this.stream.sessions.at(-1);
    return session?.closed === undefined ? session?.connection : undefined;
  }

  /** Subscribes to events, from the last cursor on. */
  connect(): void {
    const { stream } = this;
    if (stream.isActive || stream.ended !== undefined) return;
    stream.isActive = true;
    this.#opened = this.#options.now();
    const last = () => this.#cursor;
    const payload = {
      query: EVENTS,
      variables: {
        get since() {
          return last();
        },
      },
    };
    let isStopped = false;
    const stop = this.#client.subscribe<{ events: InboxEvent }>(payload, {
      next: ({ data, errors }) => {
        if (data) this.#receive(data.events);
        else this.#options.onUnexpectedError(`${stream.name} was answered ${JSON.stringify(errors)}`);
      },
      error: (reason) => {
        if (this.#isDisposed) return;
        if (codeOf(reason) !== RENEW)
          this.#options.onUnexpectedError(`${stream.name} ended: ${describe(reason)}`);
        stream.ended = this.#options.now();
        this.#wake();
      },
      complete: () => {
        if (!isStopped) this.#options.onUnexpectedError(`The events of ${stream.name} were completed`);
      },
    });
    this.#stop = () => {
      isStopped = true;
      stop();
    };
  }

  /** Unsubscribes and closes the connection normally. */
  disconnect(): void {
    this.stream.isActive = false;
    this.#endSession(1000);
    this.#stop?.();
  }

  cut(): void {
    this.#proxy.cut();
  }

  /** Cuts the connection and does not reconnect before `goOnline()`. */
  goOffline(): void {
    let end!: () => void;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#offline ??= { over, end };
    this.cut();
  }

  goOnline(): void {
    this.#offline?.end();
    this.#offline = undefined;
  }

  /**
   * Executes a query or mutation over the socket; graphql-ws sends it again when the connection is cut. The answer is empty
   * if none was received. `isRepeated`: the operation may have been sent more than once.
   */
  async ask(query: string, variables: Record<string, unknown>): Promise<Answer & { isRepeated: boolean }> {
    const openCount = this.#openCount;
    const answer = await new Promise<Answer>((resolve) => {
      let last: Answer = {};
      this.#client.subscribe(
        { query, variables },
        {
          next: (result) => (last = result as Answer),
          error: () => resolve({}),
          complete: () => resolve(last),
        },
      );
    });
    return { ...answer, isRepeated: this.#openCount !== openCount };
  }

  /** Resolves when the client is connected, or when the service told it not to reconnect. */
  untilConnected(): Promise<void> {
    return this.#until(() => this.connection !== undefined);
  }

  /** Resolves when the client has received `text`, or when the service told it not to reconnect. */
  untilReceived(text: string): Promise<void> {
    return this.#until(() => this.#texts.has(text));
  }

  /** Stops the client. Later events are not recorded. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.goOnline();
    this.#stop?.();
    await this.#proxy[Symbol.asyncDispose]();
    await Promise.resolve(this.#client.dispose()).catch(() => undefined);
  }

  #receive(event: InboxEvent): void {
    if (this.#isDisposed) return;
    const at = this.#options.now();
    const { sessions, received } = this.stream;
    if (event.__typename === 'Connected') {
      const session = { opened: this.#opened, connected: at, connection: event.connection.id };
      sessions.push({ ...session, closed: undefined, code: undefined });
      this.#cursor = event.cursor;
    }
    if ('message' in event) {
      this.#cursor = event.message.cursor ?? this.#cursor;
      this.#texts.add(event.message.data.text);
    }
    received.push({ at, session: sessions.length - 1, event });
    this.#wake();
  }

  #endSession(code: number | undefined): void {
    const session = this.stream.sessions.at(-1);
    if (this.#isDisposed || !session || session.closed !== undefined) return;
    session.closed = this.#options.now();
    session.code = code;
  }

  #until(predicate: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!predicate() && this.stream.ended === undefined) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }

  #wake(): void {
    for (const check of this.#waiters) check();
  }
}

function codeOf(reason: unknown): number | undefined {
  return typeof reason === 'object' && reason !== null && 'code' in reason && typeof reason.code === 'number'
    ? reason.code
    : undefined;
}

function describe(reason: unknown): string {
  const code = codeOf(reason);
  return code === undefined ? JSON.stringify(reason) : `close code ${code}`;
}
