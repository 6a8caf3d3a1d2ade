import { SignalboxError } from '../errors.ts';
import { type Attempt, errorOf, failureOf, headersOf, parseAnswer, readAnswer } from './attempt.ts';
import { readServerSentEvents } from './server-sent-events.ts';

export interface EventStreamRequest extends Attempt {
  /** After so many milliseconds without a sign of life, the stream counts as lost. */
  silenceMs: number;
}

/** The `data` of the results of a subscription. */
export type Results = AsyncGenerator<Record<string, unknown>, never, undefined>;

/**
 * Opens the event stream of a subscription, and resolves once the service has accepted it. The results have no end: they
 * throw a retryable error when the stream is lost.
 * @throws SignalboxError, or the reason of `signal`
 */
export async function openEventStream(request: EventStreamRequest): Promise<Results> {
  const { fetch, endpoint, body, timeoutMs, signal } = request;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: headersOf(request, 'text/event-stream'),
      body,
      redirect: 'manual',
      signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    if (response.body && isStream) return readResults(response.body, request);
    const answer = readAnswer(response, await response.text());
    throw 'error' in answer ? answer.error : lost();
  } catch (cause) {
    throw cause instanceof SignalboxError ? cause : failureOf(cause, request, timeout.signal.aborted).error;
  } finally {
    clearTimeout(timer);
  }
}

async function* readResults(
  body: ReadableStream<Uint8Array>,
  { silenceMs, signal }: EventStreamRequest,
): Results {
  try {
    for await (const { event, data } of readServerSentEvents(body, silenceMs)) {
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
