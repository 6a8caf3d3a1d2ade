import { type ErrorFields, SignalboxError } from '../errors.ts';
import { post, type HttpRequest } from './post.ts';

/** The result of one HTTP request. */
export type AttemptResult =
  | { data: Record<string, unknown> }
  /** `unchanged`: the service certainly changed nothing, so that a repetition is safe for every operation. */
  | { error: SignalboxError; unchanged: boolean };

/** Codes of errors after which the service certainly changed nothing, unless `outcomeUnknown` is true. */
const UNCHANGED = new Set(['RATE_LIMITED', 'UNAVAILABLE']);

/** Failures to connect, by the names that Node and Bun give them: the request was not sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ConnectionRefused',
]);

/** Statuses of a proxy that could not reach the service, or not in time. */
const PROXY_STATUSES = new Set([502, 503, 504]);

/**
 * Sends one request and reads its answer whole, so that the connection can be used again.
 * @throws the reason of `signal` when the caller ends the call
 */
export function attempt(request: HttpRequest): Promise<AttemptResult> {
  return post<AttemptResult>(
    request,
    'application/graphql-response+json, application/json',
    async (response) => readAnswer(response, await response.text()),
    (cause, isTimeout) => failureOf(cause, request, isTimeout),
  );
}

/**
 * The result of a `fetch` that threw.
 * @throws the reason of `signal` when the caller ended the call
 */
export function failureOf(cause: unknown, { endpoint, timeoutMs, signal }: HttpRequest, isTimeout: boolean) {
  signal?.throwIfAborted();
  if (isTimeout) {
    const message = `The service did not answer within ${timeoutMs} ms.`;
    return { error: new SignalboxError('TIMEOUT', message, { retryable: true }), unchanged: false };
  }
  const message = `The service cannot be reached at ${new URL(endpoint).origin}.`;
  const error = new SignalboxError('NETWORK_ERROR', message, { retryable: true, cause });
  return { error, unchanged: NOT_SENT.has(codeOf(cause)) };
}

/** The code of the system error behind a failed `fetch`. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : '';
}

/** The result of a request that the service, or a proxy, has answered. */
export function readAnswer(response: Response, text: string): AttemptResult {
  const answer = parseAnswer(text);
  const [first] = answer?.errors ?? [];
  if (first !== undefined) {
    const error = errorOf(first);
    return { error, unchanged: UNCHANGED.has(error.code) && !error.outcomeUnknown };
  }
  if (answer?.data) return { data: answer.data };
  const message = `${response.url || 'The address'} answered with HTTP ${response.status}, and not with GraphQL. Check the url.`;
  const retryable = PROXY_STATUSES.has(response.status);
  return { error: new SignalboxError('BAD_RESPONSE', message, { retryable }), unchanged: false };
}

interface GraphQLErrorLike {
  message: string;
  extensions?: ErrorFields & { code?: string; retryable?: boolean };
}

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: GraphQLErrorLike[];
}

/** An error of a result, as a `SignalboxError`. */
export function errorOf({ message, extensions = {} }: GraphQLErrorLike): SignalboxError {
  const { code = 'BAD_RESPONSE', ...fields } = extensions;
  return new SignalboxError(code, message, fields);
}

/** A result of GraphQL; undefined for a text that is no JSON object. */
export function parseAnswer(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as unknown;
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}
