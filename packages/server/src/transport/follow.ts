import { SignalboxError } from '../errors.ts';
import { type CallOptions, checkInteger } from '../options.ts';
import { type EventStreamRequest, openEventStream } from './event-stream.ts';
import { type Operation } from './operation.ts';
import { wait, waitBefore } from './wait.ts';

/** Options of a stream. */
export interface StreamOptions extends CallOptions {
  /**
   * After this number of milliseconds without a sign of life, the stream counts as lost and is opened again: 1–2,147,483,647.
   * Default: 60,000. Must be longer than `SIGNALBOX_PING_INTERVAL_MS` of the service, 15,000 by default.
   */
  silenceMs?: number | undefined;
}

/** Executes a subscription whose results are not replayed, and yields `resumed` each time that it was opened again. */
export type Follow = <Result, Variables>(
  operation: Operation<Result, Variables>,
  variables: Variables,
  options?: StreamOptions & {
    /** The variables with which a stream is opened again. Default: the same ones. */
    later?: Variables;
  },
) => AsyncGenerator<Result | 'resumed', never, undefined>;

interface FollowParts {
  /** The parts that every request shares. */
  base: Pick<EventStreamRequest, 'fetch' | 'endpoint' | 'apiKey'>;
  /** How often the first opening is repeated; a stream that was open once is opened again without a limit. */
  retries: number;
  random: () => number;
  timeoutOf(options: CallOptions): number;
}

const LONGEST_SILENCE_MS = 2_147_483_647;

/** Creates the function that keeps the stream of a subscription open. */
export function createFollow({ base, retries, random, timeoutOf }: FollowParts): Follow {
  return async function* <Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    { later = variables, ...options }: StreamOptions & { later?: Variables } = {},
  ) {
    const { signal, silenceMs = 60_000 } = options;
    checkInteger('silenceMs', silenceMs, 1, LONGEST_SILENCE_MS);
    const request = { ...base, timeoutMs: timeoutOf(options), signal, silenceMs };
    let wasOpen = false;
    let failures = 0;
    for (;;) {
      signal?.throwIfAborted();
      let retryAfterSeconds: number | undefined;
      try {
        const body = JSON.stringify({ query: operation, variables: wasOpen ? later : variables });
        const { results, close } = await openEventStream({ ...request, body });
        try {
          if (wasOpen) yield 'resumed';
          wasOpen = true;
          for await (const result of results) {
            failures = 0;
            yield result as Result;
          }
        } finally {
          // Here, because a caller that leaves at “resumed” never begins to read the results.
          await close();
        }
      } catch (error) {
        if (!(error instanceof SignalboxError && error.retryable)) throw error;
        if (!wasOpen && failures >= retries) throw error;
        ({ retryAfterSeconds } = error);
      }
      await wait(waitBefore(++failures, retryAfterSeconds, random), signal);
    }
  };
}
