import { checkInteger, type SignalboxOptions } from '../options.ts';
import { type SignalboxError } from '../errors.ts';
import { wait, waitBefore } from './wait.ts';

/** An attempt that failed. */
export interface Failure {
  error: SignalboxError;
  /** Whether a second execution would have no second effect. */
  isSafe: boolean;
  /** Whether part of the work was done, so that the count of attempts begins again. Default: false. */
  hasProgressed?: boolean;
}

/** Attempts something until it succeeds, fails for good, or has used up its repetitions. */
export type Repeat = <T>(
  attempt: () => Promise<{ value: T } | Failure>,
  signal: AbortSignal | undefined,
) => Promise<T>;

/** The longest wait that the service may ask for before the error is passed on instead, in seconds. */
const LONGEST_RETRY_AFTER_SECONDS = 60;

/** Creates the function that repeats what failed with a retryable error, after growing random waits. */
export function createRepeat({ retries = 3, random = Math.random }: SignalboxOptions): Repeat {
  checkInteger('retries', retries, 0, 10);

  return async (attempt, signal) => {
    for (let attempts = 1; ; attempts++) {
      signal?.throwIfAborted();
      const result = await attempt();
      if ('value' in result) return result.value;
      const { error, isSafe, hasProgressed = false } = result;
      if (hasProgressed) attempts = 1;
      const isSoon = (error.retryAfterSeconds ?? 0) <= LONGEST_RETRY_AFTER_SECONDS;
      if (attempts > retries || !error.retryable || !isSafe || !isSoon) throw error;
      await wait(waitBefore(attempts, error.retryAfterSeconds, random), signal);
    }
  };
}
