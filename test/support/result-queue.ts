import { type Client, type SubscribePayload } from 'graphql-ws';

/** The results of one subscription, taken one by one; what has come and was not taken waits. */
export interface ResultQueue<T> {
  /** The next result; fails when the subscription ends first. */
  next(): Promise<T>;
  /** The first result, from here on, for which `fits` holds; those before it are dropped. */
  until(fits: (result: T) => boolean): Promise<T>;
  /** Resolves when the subscription has ended, with its error if it had one. */
  readonly ended: Promise<unknown>;
  /** Results that came and were not taken. */
  readonly waiting: readonly T[];
  stop(): void;
}

/** Subscribes with a plain graphql-ws client and queues from the first result on. Yields `data`; an answer with errors ends it. */
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
  let over: { error: unknown } | undefined;
  let settle!: (error: unknown) => void;
  const ended = new Promise<unknown>((resolve) => (settle = resolve));
  const end = (error?: unknown) => {
    over ??= { error };
    settle(over.error);
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
      if (over) throw new Error(`The subscription ended: ${JSON.stringify(over.error ?? 'complete')}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return waiting.shift() as T;
  }

  return {
    next,
    async until(fits) {
      for (;;) {
        const result = await next();
        if (fits(result)) return result;
      }
    },
    ended,
    waiting,
    stop,
  };
}
