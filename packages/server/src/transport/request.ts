import {
  type CallOptions,
  checkApiKey,
  checkInteger,
  parseEndpoint,
  type SignalboxOptions,
} from '../options.ts';
import { attempt } from './attempt.ts';
import { type Operation } from './operation.ts';
import { wait, waitBefore } from './wait.ts';

/** How an operation may be repeated when it is not certain whether the service executed it. */
export type Repetition =
  /** A repetition has the effect of one execution: queries, publishes with an idempotency key, desired states. */
  | 'repeatable'
  /** A repetition could have a second effect. It is repeated only if the service certainly changed nothing. */
  | 'once';

/** Executes an operation and resolves to its data. */
export type Request = <Result, Variables>(
  operation: Operation<Result, Variables>,
  variables: Variables,
  repetition: Repetition,
  options?: CallOptions,
) => Promise<Result>;

/** The longest wait that the service may ask for before the error is passed on instead, in seconds. */
const LONGEST_RETRY_AFTER_SECONDS = 60;
const LONGEST_TIMEOUT_MS = 2_147_483_647;

/** Creates the function through which every call passes: authentication, time-outs and repetitions. */
export function createRequest(key: string | undefined, options: SignalboxOptions): Request {
  const apiKey = checkApiKey(key);
  const endpoint = parseEndpoint(options.url);
  const retries = checkInteger('retries', options.retries ?? 3, 0, 10);
  const timeout = (ms: number) => checkInteger('timeoutMs', ms, 1, LONGEST_TIMEOUT_MS);
  const defaultTimeoutMs = timeout(options.timeoutMs ?? 10_000);
  // `fetch` of browsers and workers must be called as a function of the global object.
  const send: typeof fetch = options.fetch ?? ((...input) => fetch(...input));
  const random = options.random ?? Math.random;

  return async <Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    repetition: Repetition,
    { signal, timeoutMs = defaultTimeoutMs }: CallOptions = {},
  ) => {
    timeout(timeoutMs);
    const body = JSON.stringify({ query: operation, variables });
    for (let attempts = 1; ; attempts++) {
      signal?.throwIfAborted();
      const result = await attempt({ fetch: send, endpoint, apiKey, body, timeoutMs, signal });
      if ('data' in result) return result.data as Result;
      const { error, unchanged } = result;
      const isSafe = unchanged || repetition === 'repeatable';
      const isSoon = (error.retryAfterSeconds ?? 0) <= LONGEST_RETRY_AFTER_SECONDS;
      if (attempts > retries || !error.retryable || !isSafe || !isSoon) throw error;
      await wait(waitBefore(attempts, error.retryAfterSeconds, random), signal);
    }
  };
}
