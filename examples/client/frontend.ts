import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { dataOf, RefusedError, TIMEOUT_MS, url, type Result } from './backend.ts';

/** The frontend's side of every example: a graphql-ws client and the cursor of the last message it received. */

const EVENTS = `
  subscription ($since: Cursor) { events(since: $since) {
    __typename
    ... on Connected { cursor connection { id } token { id } channels { id state } }
    ... on ChannelAvailable { channel { id state } }
    ... on ChannelStateUpdated { channel { id state } }
    ... on ChannelMessage { message { ...MessageFields } }
    ... on DirectMessage { message { ...MessageFields } }
    ... on Restricted { restriction { kind reason } }
    ... on Disconnecting { reason note }
  } }
  fragment MessageFields on Message { cursor channel event data sender { identity connectionData } }`;

/** One event of the inbox. `__typename` determines which fields are present. */
export interface Event {
  __typename: string;
  cursor?: string;
  connection?: { id: string };
  token?: { id: string };
  channels?: { id: string; state: unknown }[];
  channel?: { id: string; state: unknown };
  message?: {
    cursor: string | null;
    channel: string | null;
    event: string;
    data: unknown;
    sender: { identity: string | null; connectionData: string | null };
  };
  restriction?: { kind: string; reason: string | null };
  reason?: string;
  note?: string | null;
}

export interface Frontend {
  /**
   * Resolves to the next event of this type, or the next message of this name; earlier events are dropped.
   * @throws Error when none arrives within 10 s, or the subscription ends
   */
  waitFor(name: string): Promise<Event>;
  /** Executes an operation on the socket. */
  execute<T>(query: string, variables?: Record<string, unknown>): Promise<T>;
  close(): void;
}

/** Connects. `fetchToken` is called at every reconnect, also after the token has expired (close code 4403). */
export function connect(fetchToken: () => string | Promise<string>, since?: string): Frontend {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ token: await fetchToken() }),
    retryWait: (retries) => sleep(Math.min(100 * 2 ** retries, 10_000)),
  });
  const received: Event[] = [];
  let lastCursor = since;
  let failure: unknown;
  let wake = () => {};
  const fail = (error: unknown) => {
    failure = error;
    wake();
  };
  // The variables are a getter: each reconnect asks for the messages after the last cursor.
  const variables = {
    get since() {
      return lastCursor;
    },
  };
  client.subscribe<{ events: Event }>(
    { query: EVENTS, variables },
    {
      next(result) {
        const { events } = dataOf(result);
        lastCursor = events.message?.cursor ?? events.cursor ?? lastCursor;
        received.push(events);
        wake();
      },
      error: fail,
      complete: () => fail(new Error('Signalbox has ended the stream.')),
    },
  );

  async function next(name: string): Promise<Event> {
    for (;;) {
      for (let event = received.shift(); event; event = received.shift()) {
        if (event.__typename === name || event.message?.event === name) return event;
      }
      if (failure !== undefined) throw toError(`${name} cannot arrive`, failure);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  async function resultOf<T>(query: string, variables: Record<string, unknown>): Promise<T> {
    for await (const result of client.iterate<T>({ query, variables })) return dataOf(result);
    throw new RefusedError();
  }

  return {
    waitFor: (name) => withTimeout(name, next(name)),
    execute: (query, variables = {}) => withTimeout('The result', resultOf(query, variables)),
    close: () => void client.dispose(),
  };
}

async function withTimeout<T>(name: string, pending: Promise<T>): Promise<T> {
  const timeout = sleep(TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${name} has not arrived in ${TIMEOUT_MS} ms.`);
  });
  return Promise.race([pending, timeout]);
}

/** Turns GraphQL errors or the close of a socket, as graphql-ws reports them, into an error. */
function toError(context: string, failure: unknown): Error {
  if (failure instanceof RefusedError) return failure;
  if (Array.isArray(failure)) return new RefusedError(failure as Result<unknown>['errors']);
  const { code, reason, message } = failure as { code?: unknown; reason?: unknown; message?: unknown };
  return new Error(`${context}: ${[code, reason ?? message ?? failure].filter(Boolean).join(' ')}`);
}
