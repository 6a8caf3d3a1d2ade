import { SignalboxError } from '../errors.ts';
import { errorOf, failureOf, parseAnswer, readAnswer } from './attempt.ts';
import { post, type HttpRequest } from './post.ts';
import { readServerSentEvents } from './server-sent-events.ts';

export interface EventStreamRequest extends HttpRequest {
  /** After this number of milliseconds without a sign of life, the stream counts as lost. */
  silenceMs: number;
}

/** The `data` of the results of a subscription. */
type Results = AsyncGenerator<Record<string, unknown>, never, undefined>;

export interface EventStream {
  /** The results have no end: reading them throws a retryable error when the stream is lost. */
  results: Results;
  /** Closes the connection. Call it also if the results were not read, or not up to their error. */
  close(): Promise<void>;
}

/**
 * Opens the event stream of a subscription, and resolves once the service has accepted it.
 * @throws SignalboxError, or the reason of `signal`
 */
export function openEventStream(request: EventStreamRequest): Promise<EventStream> {
  return post<EventStream>(
    request,
    'text/event-stream',
    async (response) => {
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      if (response.body && isStream) {
        const reader = response.body.getReader();
        return {
          results: readResults(reader, request),
          // Rejects when the stream is broken, so that there is nothing to close.
          close: () => reader.cancel().catch(() => undefined),
        };
      }
      const answer = readAnswer(response, await response.text());
      throw 'error' in answer ? answer.error : lost();
    },
    (cause, isTimeout) => {
      throw cause instanceof SignalboxError ? cause : failureOf(cause, request, isTimeout).error;
    },
  );
}

async function* readResults(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { silenceMs, signal }: EventStreamRequest,
): Results {
  try {
    for await (const { event, data } of readServerSentEvents(reader, silenceMs)) {
      if (event === 'complete') break;
      const { errors: [first] = [], data: result } = parseAnswer(data) ?? {};
      if (first) throw errorOf(first);
      if (result) yield result;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause instanceof SignalboxError ? cause : lost(cause);
  }
  signal?.throwIfAborted();
  throw lost();
}

const lost = (cause?: unknown) =>
  new SignalboxError('NETWORK_ERROR', 'The event stream of the service was lost.', {
    retryable: true,
    cause,
  });
