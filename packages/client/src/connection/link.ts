import { createClient, type Client } from 'graphql-ws/client';
import { errorOf, SignalboxError, toError, type GraphQLErrorLike } from '../errors.ts';
import { type Runtime, type WebSocketClass } from '../runtime.ts';

/** What the service announces in `connection_ack`. */
export interface Acknowledgement {
  readonly connection?: string;
  /** How often the service sends at least something. */
  readonly pingIntervalMs?: number;
  readonly expiresAt?: string | null;
  /** The head of the log. */
  readonly cursor?: string;
}

/** A result of an operation. */
export interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLErrorLike[];
}

/** Takes the results of an operation. Exactly one of `error` and `complete` is called at the end, nothing after it. */
export interface Sink {
  next(result: Result): void;
  error(error: SignalboxError): void;
  complete(): void;
}

/** One WebSocket, from opening to loss. It never reconnects. */
export interface Link {
  readonly acknowledgement: Acknowledgement;
  /** Starts an operation and returns a function that stops it. */
  subscribe(query: string, variables: object, sink: Sink): () => void;
  /** Runs a query or mutation. Rejects with CONNECTION_LOST when the link is lost before the result. */
  execute(query: string, variables?: object): Promise<unknown>;
  /** Loses the link unless the service answers within 5 s. */
  check(): void;
  /** Closes the socket. `onLost` is not called. */
  close(): void;
}

export interface LinkOptions {
  readonly url: string;
  readonly webSocket: WebSocketClass;
  readonly runtime: Runtime;
  readonly connectionParams: Record<string, unknown>;
  onAcknowledged(): void;
  /** Called once, when the link can no longer be used. The code is 1006 when there was no close frame. */
  onLost(code: number, text: string): void;
}

const OPEN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 5_000;
const DEFAULT_PING_INTERVAL_MS = 15_000;

/** The part of a socket with which the client asks for a sign of life. */
interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  addEventListener?(type: string, listener: () => void): void;
}

const lost = (code: number, text: string) =>
  new SignalboxError('CONNECTION_LOST', text || `The connection was lost (${code}).`, true);

/** Opens a WebSocket with the protocol `graphql-transport-ws`. */
export function openLink(options: LinkOptions): Link {
  const { runtime } = options;
  let acknowledgement: Acknowledgement = {};
  let isOver = false;
  let socket: Socket | undefined;
  let timer: unknown;
  let deadline = 0;
  let lastId = 0;
  const failures = new Set<(error: SignalboxError) => void>();

  function expectBefore(ms: number): void {
    runtime.clearTimer(timer);
    deadline = runtime.now() + ms;
    timer = runtime.setTimer(onSilence, ms);
  }

  function onSilence(): void {
    // A timer that fires late belongs to a page that slept: what the service sent meanwhile is not read yet, so ask again.
    if (runtime.now() - deadline > 1_000) check();
    else {
      end(1006, 'The service has not answered in time.');
      client.terminate();
    }
  }

  function check(): void {
    if (isOver || !socket) return;
    try {
      if (socket.readyState === 1) socket.send('{"type":"ping"}');
    } catch {
      // The socket is closing, and its close event follows.
    }
    expectBefore(ANSWER_TIMEOUT_MS);
  }

  function onMessage(): void {
    if (isOver) return;
    expectBefore((acknowledgement.pingIntervalMs ?? DEFAULT_PING_INTERVAL_MS) + ANSWER_TIMEOUT_MS);
  }

  function release(error: SignalboxError): void {
    isOver = true;
    runtime.clearTimer(timer);
    for (const fail of [...failures]) fail(error);
    failures.clear();
  }

  function end(code: number, text: string): void {
    if (isOver) return;
    release(lost(code, text));
    options.onLost(code, text);
  }

  expectBefore(OPEN_TIMEOUT_MS);
  const client: Client = createClient({
    url: options.url,
    webSocketImpl: observe(options.webSocket, (created) => {
      socket = created;
    }),
    connectionParams: options.connectionParams,
    lazy: false,
    retryAttempts: 0,
    generateID: () => String(++lastId),
    onNonLazyError: () => undefined,
    on: {
      message: onMessage,
      connected: (_, payload) => {
        if (isOver) return;
        acknowledgement = payload ?? {};
        onMessage();
        options.onAcknowledged();
      },
      closed: (event) => {
        const { code = 1006, reason = '' } = event as { code?: number; reason?: string };
        end(code, reason);
      },
      error: () => end(1006, 'The service cannot be reached.'),
    },
  });

  function subscribe(query: string, variables: object, sink: Sink): () => void {
    if (isOver) {
      sink.error(lost(1006, 'The connection is closed.'));
      return () => undefined;
    }
    let isDone = false;
    const settle = (finish: () => void) => {
      if (isDone) return;
      isDone = true;
      failures.delete(fail);
      finish();
    };
    const fail = (error: SignalboxError) => settle(() => sink.error(error));
    failures.add(fail);
    const stop = client.subscribe(
      { query, variables: variables as Record<string, unknown> },
      {
        next: (result) => {
          if (!isDone) sink.next(result as Result);
        },
        error: (thrown) => fail(toError(thrown)),
        complete: () => settle(() => sink.complete()),
      },
    );
    return () => settle(stop);
  }

  return {
    get acknowledgement() {
      return acknowledgement;
    },
    subscribe,
    execute: (query, variables = {}) =>
      new Promise((resolve, reject) => {
        let result: Result = {};
        subscribe(query, variables, {
          next: (next) => {
            result = next;
          },
          error: reject,
          complete: () => {
            if (result.errors) reject(errorOf(result.errors));
            else resolve(result.data);
          },
        });
      }),
    check,
    close() {
      if (isOver) return;
      release(lost(1000, 'The client closed the connection.'));
      try {
        socket?.close(1000);
      } catch {
        // The socket is closed already.
      }
    },
  };
}

/** A subclass that hands out each socket when it is created, so that it can be closed before it is open. */
function observe(webSocket: WebSocketClass, onCreated: (socket: Socket) => void): WebSocketClass {
  const Base = webSocket as new (url: string, protocols?: string | string[]) => object;
  return class extends Base {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      const socket = this as unknown as Socket;
      // In Node an error without a listener ends the process, and graphql-ws removes its own when it gives up a socket.
      socket.addEventListener?.('error', () => undefined);
      onCreated(socket);
    }
  };
}
