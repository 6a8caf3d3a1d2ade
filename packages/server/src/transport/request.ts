import {
  type CallOptions,
  checkApiKey,
  checkInteger,
  parseEndpoint,
  type SignalboxOptions,
} from '../options.ts';
import { attempt } from './attempt.ts';
import { createFollow, type Follow } from './follow.ts';
import { type Operation } from './operation.ts';
import { createRepeat, type Repeat } from './repeat.ts';

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

/** The functions that every call passes through. */
export interface Transport {
  request: Request;
  follow: Follow;
  repeat: Repeat;
}

const LONGEST_TIMEOUT_MS = 2_147_483_647;

/** Creates the functions through which every call passes: authentication, time-outs and repetitions. */
export function createTransport(key: string | undefined, options: SignalboxOptions): Transport {
  const apiKey = checkApiKey(key);
  const endpoint = parseEndpoint(options.url);
  const repeat = createRepeat(options);
  const checkTimeout = (ms: number) => checkInteger('timeoutMs', ms, 1, LONGEST_TIMEOUT_MS);
  const defaultTimeoutMs = checkTimeout(options.timeoutMs ?? 10_000);
  const timeoutOf = ({ timeoutMs = defaultTimeoutMs }: CallOptions) => checkTimeout(timeoutMs);
  // `fetch` of browsers and workers must be called as a function of the global object.
  const send: typeof fetch = options.fetch ?? ((...input) => fetch(...input));

  const { retries = 3, random = Math.random } = options;
  const base = { fetch: send, endpoint, apiKey };
  return {
    repeat,
    follow: createFollow({ base, retries, random, timeoutOf }),
    async request<Result, Variables>(
      operation: Operation<Result, Variables>,
      variables: Variables,
      repetition: Repetition,
      call: CallOptions = {},
    ) {
      const { signal } = call;
      const timeoutMs = timeoutOf(call);
      const body = JSON.stringify({ query: operation, variables });
      const data = await repeat(async () => {
        const result = await attempt({ ...base, body, timeoutMs, signal });
        if ('data' in result) return { value: result.data };
        return { error: result.error, isSafe: result.unchanged || repetition === 'repeatable' };
      }, signal);
      return data as Result;
    },
  };
}
