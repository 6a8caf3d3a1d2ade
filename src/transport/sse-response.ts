/**
 * The response of a subscription over HTTP: an event stream for clients of the graphql-sse protocol (distinct connections
 * mode) and for the EventSource of browsers.
 */
import {
  createSourceEventStream,
  execute,
  type GraphQLError,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { type Context } from '../schema/context.ts';
import { EventStream } from '../subscriptions/event-stream.ts';
import { positionOfEvent } from '../subscriptions/position-of-event.ts';
import { statusOf } from './http-status.ts';

/** The cursor of an event, beside its result. A symbol is copied with the result and is never part of its JSON. */
const CURSOR = Symbol('cursor');

/** A result without `data` is not sent; only its cursor is. */
type ResultWithCursor = ExecutionResult & { [CURSOR]?: string };

/**
 * Writes event streams. Each event carries its cursor as `id`, which an EventSource sends back as `Last-Event-ID` when it
 * reconnects. A comment every `pingIntervalMs` keeps proxies from closing the stream.
 */
export function useEventStreams(pingIntervalMs: number): Plugin {
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe);
    },
    onResultProcess({ request, result, setResultProcessor }) {
      if (isAsyncIterable(result))
        return setResultProcessor(
          (results, { Response, ReadableStream, TextEncoder }) =>
            new Response(
              encode(results as AsyncIterable<ResultWithCursor>, pingIntervalMs, {
                ReadableStream,
                TextEncoder,
              }),
              { status: 200, headers: createHeaders() },
            ),
          'text/event-stream',
        );
      const errors = Array.isArray(result) ? undefined : result.errors;
      const isEventSource = request.method === 'GET' && request.headers.get('accept') === 'text/event-stream';
      if (!errors || (!isEventSource && !errors.some((error) => statusOf(error) === 406))) return;
      setResultProcessor((_, { Response }) => refusalOf(errors, Response), 'application/json');
    },
  };
}

/** A new object each time: yoga's responses change the headers that they are given. */
const createHeaders = () => ({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });

/** How long an EventSource waits before it repeats a request that was refused for the moment, in milliseconds. */
const RETRY_MS = 5000;

/**
 * The response for a refused subscription. An EventSource repeats every request whose answer is an event stream and gives up
 * on every other answer, so only a retryable error is answered with an event stream.
 */
function refusalOf(errors: readonly GraphQLError[], Response: typeof globalThis.Response): Response {
  const shown = errors.map((error) => {
    const { http: _, ...extensions } = error.extensions;
    return { ...error.toJSON(), extensions };
  });
  const [error] = errors;
  const text = JSON.stringify({ errors: shown });
  if (error?.extensions['retryable'] === true)
    return new Response(`retry: ${RETRY_MS}\nevent: next\ndata: ${text}\n\n${COMPLETE}`, {
      status: 200,
      headers: createHeaders(),
    });
  return new Response(text, {
    status: error ? statusOf(error) : 400,
    headers: { 'content-type': 'application/json; charset=utf-8' },
  });
}

/** A comment. The first one makes browsers open the stream. */
const HEARTBEAT = ':\n\n';
const COMPLETE = 'event: complete\ndata:\n\n';

/** Subscribes as graphql-js does, and notes the cursor of each event beside its result. */
async function subscribe(args: ExecutionArgs): Promise<AsyncIterableIterator<unknown> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  return isAsyncIterable(source) ? executeEach(source, args) : source;
}

/** Not a generator: the `return` of one waits for its pending `next`, so a client that leaves would keep its stream. */
function executeEach(
  source: AsyncIterable<unknown>,
  args: ExecutionArgs,
): AsyncIterableIterator<ResultWithCursor> {
  const { domain, connection } = args.contextValue as Context;
  const cursorOf = (position: Parameters<typeof domain.cursors.format>[1] | undefined) =>
    position && connection && { [CURSOR]: domain.cursors.format(connection.projectId, position) };
  // The id before the first event: a client that loses the stream before it resumes from there.
  let start = source instanceof EventStream ? cursorOf(source.startPosition) : undefined;
  const events = source[Symbol.asyncIterator]();
  const results: AsyncIterableIterator<ResultWithCursor> = {
    async next() {
      if (start) {
        const value = start;
        start = undefined;
        return { value, done: false };
      }
      const { value: event, done } = (await events.next()) as IteratorResult<unknown, undefined>;
      if (done) return { value: undefined, done };
      const result = await executeByCurrentRights({ ...args, rootValue: event });
      // What it read is not for a caller whose access ended meanwhile: the stream then ends with the reason.
      if (result === undefined) return results.next();
      return { value: { ...result, ...cursorOf(positionOfEvent(event)) }, done: false };
    },
    async return() {
      await events.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]: () => results,
  };
  return results;
}

/** How often an event is executed, because the rights of its viewer changed during each execution. */
const MAX_EXECUTIONS = 5;

/**
 * Executes an event, and again if the rights of the caller changed while its fields were read. Undefined when the connection closed
 * meanwhile. @throws UNAVAILABLE when the node is suspended, so that the client resumes on another one
 */
async function executeByCurrentRights(args: ExecutionArgs): Promise<ExecutionResult | undefined> {
  const { domain, connection, caller } = args.contextValue as Context;
  for (let count = 1; ; count++) {
    const executing = execute(args);
    if (!(executing instanceof Promise)) return executing;
    const watch = domain.rights.begin(connection?.caller ?? caller);
    try {
      const result = await executing;
      await domain.broker.untilLive();
      connection?.applyDue();
      if (connection?.closed !== undefined) return undefined;
      if (!watch.hasChanged || count === MAX_EXECUTIONS) return result;
    } finally {
      watch[Symbol.dispose]();
    }
  }
}

function encode(
  results: AsyncIterable<ResultWithCursor>,
  pingIntervalMs: number,
  fetchApi: { ReadableStream: typeof ReadableStream; TextEncoder: typeof TextEncoder },
): ReadableStream<Uint8Array> {
  const iterator = results[Symbol.asyncIterator]();
  const encoder = new fetchApi.TextEncoder();
  let heartbeat: NodeJS.Timeout | undefined;
  return new fetchApi.ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(HEARTBEAT));
      heartbeat = setInterval(() => {
        // A stream that is not read gets no heartbeats, which would only fill its queue.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(HEARTBEAT));
      }, pingIntervalMs).unref();
    },
    async pull(controller) {
      try {
        const next: IteratorResult<ResultWithCursor, unknown> = await iterator.next();
        if (!next.done) return controller.enqueue(encoder.encode(format(next.value)));
        controller.enqueue(encoder.encode(COMPLETE));
        clearInterval(heartbeat);
        controller.close();
      } catch (error) {
        clearInterval(heartbeat);
        controller.error(error);
      }
    },
    async cancel() {
      clearInterval(heartbeat);
      await iterator.return?.();
    },
  });
}

/** One event. A block with an id alone is no event for an EventSource, but it keeps the id. */
function format({ [CURSOR]: cursor, ...result }: ResultWithCursor): string {
  const id = cursor === undefined ? '' : `id: ${cursor}\n`;
  const isEvent = result.data !== undefined || result.errors !== undefined;
  return isEvent ? `event: next\n${id}data: ${JSON.stringify(result)}\n\n` : `${id}\n`;
}
