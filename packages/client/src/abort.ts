import { type AbortSignalLike } from './runtime.ts';

/** Calls `listener` when the signal is aborted, until the returned function is called. */
export function onAbort(signal: AbortSignalLike | undefined, listener: () => void): () => void {
  signal?.addEventListener('abort', listener);
  return () => signal?.removeEventListener('abort', listener);
}

/**
 * A promise that rejects with the reason of the signal when it is aborted. `start` returns a function that is called once the
 * promise is settled.
 */
export function abortable<T>(
  signal: AbortSignalLike | undefined,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => () => void,
): Promise<T> {
  let stops: (() => void)[] = [];
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal?.reason ?? new Error('Aborted'));
    if (signal?.aborted) abort();
    else stops = [start(resolve, reject), onAbort(signal, abort)];
  }).finally(() => stops.forEach((stop) => stop()));
}
