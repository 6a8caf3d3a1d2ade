import { setImmediate as nextTurn } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createProxy, type Proxy } from '../support/proxy.ts';
import { type Answer } from '../support/service.ts';
import { type Chance } from './chance.ts';
import { type Moment, type SeenEvent, type Span, type Stream } from './record.ts';

const MESSAGE = 'message { id cursor previous channel data }';
const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { connection { id } cursor channels { id version } }
  ... on ChannelAvailable { channel { id version } }
  ... on ChannelUnavailable { channel { id version } }
  ... on ChannelStateUpdated { channel { id version } }
  ... on ChannelMessage { ${MESSAGE} }
  ... on DirectMessage { ${MESSAGE} }
} }`;

/** The token expired or was revoked: there is nothing to come back for. */
const RENEW = 4403;
/** A line that does not last breaks before so many bytes have come down. */
const MAX_LIFETIME_BYTES = 60_000;
const MAX_TURNS_BEFORE_RETRY = 40;

export interface PhoneFacts {
  name: string;
  bearer: string;
  credential: string;
  /** Where to begin: a cursor, and when it was had. */
  since: { cursor: string; had: Span } | undefined;
  port: number;
  chance: Chance;
  now: () => Moment;
  surprise: (what: string) => void;
  /** Whether lines still break by themselves. */
  isStormy: () => boolean;
}

/** A client with the inbox of one token: graphql-ws as it comes, over a line that breaks, resuming by a getter. */
export class Phone implements AsyncDisposable {
  readonly stream: Stream;
  readonly #facts: PhoneFacts;
  readonly #proxy: Proxy;
  readonly #client: Client;
  readonly #texts = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #cursor: string | undefined;
  #stop: (() => void) | undefined;
  /** Nothing was delivered before it to the subscription that runs now. */
  #floor = 0;
  #opens = 0;
  #isOver = false;
  #outage: { over: Promise<void>; end: () => void } | undefined;

  static async create(facts: PhoneFacts): Promise<Phone> {
    const { chance, isStormy } = facts;
    const lifetime = () =>
      isStormy() && chance.next() < 0.5
        ? 500 + Math.floor(chance.next() ** 2 * MAX_LIFETIME_BYTES)
        : undefined;
    return new Phone(facts, await createProxy(() => facts.port, lifetime));
  }

  private constructor(facts: PhoneFacts, proxy: Proxy) {
    const { name, bearer, credential, since, chance, now } = facts;
    this.#facts = facts;
    this.#proxy = proxy;
    this.#cursor = since?.cursor;
    this.stream = {
      name,
      bearer,
      base: since?.had,
      sessions: [],
      seen: [],
      isHere: false,
      ended: undefined,
    };
    this.#client = createClient({
      url: `ws://127.0.0.1:${proxy.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { token: credential },
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: (reason) => codeOf(reason) !== RENEW,
      retryWait: async () => {
        for (let left = chance.between(0, MAX_TURNS_BEFORE_RETRY); left > 0; left--) await nextTurn();
        await this.#outage?.over;
      },
      on: {
        opened: () => {
          this.#floor = now();
          this.#opens++;
        },
        closed: (event) => this.#closed(codeOf(event)),
      },
    });
  }

  get cuts(): number {
    return this.#proxy.cuts;
  }

  /** The id of its connection, while it is connected as far as it knows. */
  get connection(): string | undefined {
    const session = this.stream.sessions.at(-1);
    return session?.closed === undefined ? session?.connection : undefined;
  }

  /** Wants its events, from the last cursor on. */
  come(): void {
    const { stream } = this;
    if (stream.isHere || stream.ended !== undefined) return;
    stream.isHere = true;
    this.#floor = this.#facts.now();
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
    const stop = this.#client.subscribe<{ events: SeenEvent }>(payload, {
      next: ({ data, errors }) => {
        if (data) this.#see(data.events);
        else this.#facts.surprise(`${stream.name} was answered ${JSON.stringify(errors)}`);
      },
      error: (reason) => {
        if (this.#isOver) return;
        if (codeOf(reason) !== RENEW) this.#facts.surprise(`${stream.name} ended: ${describe(reason)}`);
        stream.ended = this.#facts.now();
        this.#look();
      },
      complete: () => {
        if (!isStopped) this.#facts.surprise(`The events of ${stream.name} were completed`);
      },
    });
    this.#stop = () => {
      isStopped = true;
      stop();
    };
  }

  /** Goes away, and says so. */
  leave(): void {
    this.stream.isHere = false;
    this.#closed(1000);
    this.#stop?.();
  }

  cut(): void {
    this.#proxy.cut();
  }

  /** Has no network until it is mended. */
  break(): void {
    let end!: () => void;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#outage ??= { over, end };
    this.cut();
  }

  mend(): void {
    this.#outage?.end();
    this.#outage = undefined;
  }

  /**
   * A query or mutation over its socket, sent again by graphql-ws when the line breaks. No answer: it never came.
   * `isRepeated`: it was sent more than once, perhaps.
   */
  async ask(query: string, variables: Record<string, unknown>): Promise<Answer & { isRepeated: boolean }> {
    const opens = this.#opens;
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
    return { ...answer, isRepeated: this.#opens !== opens };
  }

  /** Resolves once it is connected, or told not to come back. */
  connected(): Promise<void> {
    return this.#until(() => this.connection !== undefined);
  }

  /** Resolves once it has seen `text`, or was told not to come back. */
  sees(text: string): Promise<void> {
    return this.#until(() => this.#texts.has(text));
  }

  /** What happens from now on is not noted. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.mend();
    this.#stop?.();
    await this.#proxy[Symbol.asyncDispose]();
    await Promise.resolve(this.#client.dispose()).catch(() => undefined);
  }

  #see(event: SeenEvent): void {
    if (this.#isOver) return;
    const at = this.#facts.now();
    const { sessions, seen } = this.stream;
    if (event.__typename === 'Connected') {
      const session = { opened: this.#floor, connected: at, connection: event.connection.id };
      sessions.push({ ...session, closed: undefined, code: undefined });
      this.#cursor = event.cursor;
    }
    if ('message' in event) {
      this.#cursor = event.message.cursor ?? this.#cursor;
      this.#texts.add(event.message.data.text);
    }
    seen.push({ at, session: sessions.length - 1, event });
    this.#look();
  }

  #closed(code: number | undefined): void {
    const session = this.stream.sessions.at(-1);
    if (this.#isOver || !session || session.closed !== undefined) return;
    session.closed = this.#facts.now();
    session.code = code;
  }

  #until(fits: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!fits() && this.stream.ended === undefined) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
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
