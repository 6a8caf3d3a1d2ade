import { type Client, type SubscribePayload } from 'graphql-ws';

/** Queues the results of one subscription, so that a test can await them one by one. */
export interface ResultQueue<T> {
  /** Resolves to the next result. Rejects if the subscription ends first. */
  next(): Promise<T>;
  /** Resolves to the next result that satisfies the predicate and drops the results before it. */
  until(predicate: (result: T) => boolean): Promise<T>;
  /** Resolves when the subscription has ended, to its error if there was one. */
  readonly ended: Promise<unknown>;
  /** Results that have arrived and were not taken yet. */
  readonly waiting: readonly T[];
  stop(): void;
}

/**
 * Executes an operation with a plain graphql-ws client and queues the `data` of its results, from the first one on. A
 * result with errors ends the queue.
 *
 * @example
 * const events = queueResults(client, 'subscription { events { __typename } }');
 * expect(await events.next()).toEqual({ events: { __typename: 'Connected' } });
 */
export function queueResults<T = any>(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): ResultQueue<T> {
  return queuePayloadResults(client, { query, variables });
}

export function queuePayloadResults<T = any>(client: Client, payload: SubscribePayload): ResultQueue<T> {
  const waiting: T[] = [];
  let wake: (() => void) | undefined;
  let outcome: { error: unknown } | undefined;
  let settle!: (error: unknown) => void;
  const ended = new Promise<unknown>((resolve) => (settle = resolve));
  const end = (error?: unknown) => {
    outcome ??= { error };
    settle(outcome.error);
    wake?.();
  };
  const stop = client.subscribe<T>(payload, {
    next(result) {
      if (result.errors) end(result.errors);
      else waiting.push(result.data as T);
      wake?.();
    },
    error: end,
    complete: () => end(),
  });

  async function next(): Promise<T> {
    while (waiting.length === 0) {
      if (outcome) throw new Error(`The subscription ended: ${JSON.stringify(outcome.error ?? 'complete')}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return waiting.shift() as T;
  }

  return {
    next,
    async until(predicate) {
      for (;;) {
        const result = await next();
        if (predicate(result)) return result;
      }
    },
    ended,
    waiting,
    stop,
  };
}
