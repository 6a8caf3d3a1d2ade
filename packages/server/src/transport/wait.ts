const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;

/**
 * The wait before a repetition, in milliseconds: full jitter below 250 ms, doubled with each attempt up to 8 s, after the
 * `retryAfterSeconds` of the service.
 *
 * @param attempt the number of attempts so far, from 1
 */
export function waitBefore(
  attempt: number,
  retryAfterSeconds: number | undefined,
  random: () => number,
): number {
  const bound = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return (retryAfterSeconds ?? 0) * 1_000 + Math.round(random() * bound);
}

/** Resolves after `ms` milliseconds; rejects with the reason of `signal` as soon as it is aborted. */
export function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      // The reason belongs to the caller, who may have passed any value.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}
