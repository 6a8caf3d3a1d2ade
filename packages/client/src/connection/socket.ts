import { abortable } from '../abort.ts';
import { errorOf, SignalboxError, toError, type GraphQLErrorLike } from '../errors.ts';
import { type AbortSignalLike, type Runtime, type WebSocketClass } from '../runtime.ts';

/** The payload of `connection_ack`. */
export interface Acknowledgement {
  readonly connection?: string;
  /** How often the service sends at least something. */
  readonly pingIntervalMs?: number;
  readonly expiresAt?: string | null;
  /** The head of the log. */
  readonly cursor?: string;
  /** The largest message that the service accepts, in bytes of UTF-8. */
  readonly maxMessageBytes?: number;
}

/** A result of an operation. */
interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLErrorLike[];
}

/** Takes the results of an operation. */
interface Sink {
  next(result: Result): void;
  end(error: SignalboxError): void;
}

/** One WebSocket, from opening to loss. It never reconnects. */
export interface Socket {
  readonly acknowledgement: Acknowledgement;
  /**
   * Starts an operation and returns a function that stops it. `onEnd` is called once, when the operation ends: with the error
   * of the service, also one within a result, or with `COMPLETED`. Nothing is called after it.
   */
  follow(
    query: string,
    variables: object,
    next: (data: unknown) => void,
    onEnd: (error: SignalboxError) => void,
  ): () => void;
  /** Runs a query or mutation. Rejects with CONNECTION_LOST when the socket is lost before the result. */
  execute(query: string, variables?: object, signal?: AbortSignalLike): Promise<unknown>;
  /** Loses the socket unless the service answers within 5 s. */
  check(): void;
  /** Closes the webSocket. `onLost` is not called. */
  close(): void;
}

export interface SocketOptions {
  readonly url: string;
  readonly webSocket: WebSocketClass;
  readonly runtime: Runtime;
  /** The payload of `connection_init`. */
  readonly payload: object;
  /** The service has accepted the connection. */
  onOpen(): void;
  /** Called once, when the socket can no longer be used. The code is 1006 when there was no close frame. */
  onLost(code: number, text: string): void;
}

const OPEN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 5_000;
const DEFAULT_PING_INTERVAL_MS = 15_000;

/** A message of the protocol `graphql-transport-ws`, from the service. */
interface ServerMessage {
  readonly type?: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** The part of a WebSocket that the client uses, in browsers and in Node. */
interface PlatformWebSocket {
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** The service completed an operation that should have gone on, or that had no result yet. */
export const COMPLETED = new SignalboxError('PROTOCOL', 'The service completed the operation.', true);

const lost = (code: number, text: string) =>
  new SignalboxError('CONNECTION_LOST', text || `The connection was lost (${code}).`, true);

/** The length in UTF-8. `TextEncoder` is not everywhere, and JSON has no lone surrogates, which would throw here. */
const bytesOf = (text: string) => encodeURIComponent(text).replace(/%../g, '_').length;

/** Opens a WebSocket with the protocol `graphql-transport-ws`. The client has its own 60 lines of it for its size. */
export function openSocket(options: SocketOptions): Socket {
  const { runtime } = options;
  const sinks = new Map<string, Sink>();
  const acknowledgement: Acknowledgement = {};
  let isAcknowledged = false;
  let isOver = false;
  let timer: unknown;
  let deadline = 0;
  let lastId = 0;

  function send(text: string): void {
    if (webSocket.readyState === 1) webSocket.send(text);
  }

  function expectBefore(ms: number): void {
    runtime.clearTimer(timer);
    deadline = runtime.now() + ms;
    timer = runtime.setTimer(onSilence, ms);
  }

  function onSilence(): void {
    // A timer that fires late belongs to a page that slept: what the service sent meanwhile is not read yet, so ask again.
    if (isAcknowledged && runtime.now() - deadline > 1_000) check();
    else end(1006, 'The service has not answered in time.');
  }

  function check(): void {
    if (isOver || !isAcknowledged) return;
    send('{"type":"ping"}');
    expectBefore(ANSWER_TIMEOUT_MS);
  }

  function onMessage({ type, id = '', payload }: ServerMessage): void {
    const isOpening = type === 'connection_ack' && !isAcknowledged;
    if (isOpening) {
      isAcknowledged = true;
      Object.assign(acknowledgement, payload);
    }
    expectBefore((acknowledgement.pingIntervalMs ?? DEFAULT_PING_INTERVAL_MS) + ANSWER_TIMEOUT_MS);
    const sink = sinks.get(id);
    if (isOpening) options.onOpen();
    else if (type === 'ping') send('{"type":"pong"}');
    else if (type === 'next') sink?.next(payload as Result);
    else if (type === 'error' && sinks.delete(id)) sink?.end(toError(payload));
    else if (type === 'complete' && sinks.delete(id)) sink?.end(COMPLETED);
  }

  /** Releases the socket and fails the operations. Its events are ignored from now on. */
  function release(error: SignalboxError): void {
    isOver = true;
    runtime.clearTimer(timer);
    const failed = [...sinks.values()];
    sinks.clear();
    for (const sink of failed) sink.end(error);
    try {
      webSocket.close(1000);
    } catch {
      // The socket is closed already.
    }
  }

  function end(code: number, text: string): void {
    if (isOver) return;
    release(lost(code, text));
    options.onLost(code, text);
  }

  const webSocket = new options.webSocket(options.url, 'graphql-transport-ws') as PlatformWebSocket;
  expectBefore(OPEN_TIMEOUT_MS);
  webSocket.onopen = () => send(JSON.stringify({ type: 'connection_init', payload: options.payload }));
  webSocket.onmessage = ({ data }) => {
    if (isOver) return;
    try {
      // Not only the text: null and numbers are JSON, too.
      onMessage({ ...(JSON.parse(String(data)) as object) });
    } catch {
      end(1006, 'The service sent an invalid message.');
    }
  };
  // In Node an error without a listener ends the process. A close event follows each error.
  webSocket.onerror = () => undefined;
  webSocket.onclose = ({ code, reason }) => end(code, reason);

  const follow: Socket['follow'] = (query, variables, next, onEnd) => {
    const id = String(++lastId);
    const text = JSON.stringify({ id, type: 'subscribe', payload: { query, variables } });
    const limit = acknowledgement.maxMessageBytes ?? Infinity;
    // The service would close the connection, for this message and all others.
    const isTooLarge = bytesOf(text) > limit;
    const stop = () => {
      if (sinks.delete(id)) send(JSON.stringify({ id, type: 'complete' }));
    };
    if (isOver) onEnd(lost(1006, ''));
    else if (isTooLarge)
      onEnd(new SignalboxError('PAYLOAD_TOO_LARGE', `The message exceeds ${limit} bytes.`, false, { limit }));
    else {
      sinks.set(id, {
        next({ data, errors }) {
          if (!errors) return next(data);
          stop();
          onEnd(errorOf(errors));
        },
        end: onEnd,
      });
      send(text);
    }
    return stop;
  };

  return {
    ...{ acknowledgement, follow, check },
    execute: (query, variables = {}, signal) =>
      abortable(signal, (resolve, reject) => {
        let result: unknown;
        return follow(
          query,
          variables,
          (data) => (result = data),
          (error) => (error === COMPLETED && result !== undefined ? resolve(result) : reject(error)),
        );
      }),
    close() {
      if (!isOver) release(lost(1000, ''));
    },
  };
}
