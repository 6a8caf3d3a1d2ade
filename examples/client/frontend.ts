import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type Answer, dataOf, PATIENCE_MS, Refusal, url } from './backend.ts';

/** What a frontend needs: a graphql-ws client and the cursor of what it heard last. */

const EVENTS = `
  subscription ($since: Cursor) { events(since: $since) {
    __typename
    ... on Connected { cursor connection { id } token { id } channels { id state } }
    ... on ChannelAvailable { channel { id state } }
    ... on ChannelStateUpdated { channel { id state } }
    ... on ChannelMessage { message { ...Said } }
    ... on DirectMessage { message { ...Said } }
    ... on Restricted { restriction { kind reason } }
    ... on Disconnecting { reason note }
  } }
  fragment Said on Message { cursor channel event data sender { identity connectionData } }`;

/** Which fields are there depends on `__typename`. */
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
  /** The next event of this type, or message of this name; what comes before is dropped. Fails when none comes in time. */
  hear(what: string): Promise<Event>;
  /** One operation on the socket. */
  ask<T>(query: string, variables?: Record<string, unknown>): Promise<T>;
  close(): void;
}

/** `fetchToken` is asked at every reconnect, also when the token has expired (close code 4403). */
export function connect(fetchToken: () => string | Promise<string>, since?: string): Frontend {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ token: await fetchToken() }),
    retryWait: (retries) => pause(Math.min(100 * 2 ** retries, 10_000)),
  });
  const heard: Event[] = [];
  let last = since;
  let ended: unknown;
  let wake = () => {};
  const end = (error: unknown) => {
    ended = error;
    wake();
  };
  // The variables are a getter: each reconnect asks for what came since.
  const variables = {
    get since() {
      return last;
    },
  };
  client.subscribe<{ events: Event }>(
    { query: EVENTS, variables },
    {
      next(result) {
        const { events } = dataOf(result);
        last = events.message?.cursor ?? events.cursor ?? last;
        heard.push(events);
        wake();
      },
      error: end,
      complete: () => end(new Error('Signalbox has ended the stream.')),
    },
  );

  async function next(what: string): Promise<Event> {
    for (;;) {
      for (let event = heard.shift(); event; event = heard.shift()) {
        if (event.__typename === what || event.message?.event === what) return event;
      }
      if (ended !== undefined) throw failure(`${what} cannot come`, ended);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  async function answerTo<T>(query: string, variables: Record<string, unknown>): Promise<T> {
    for await (const answer of client.iterate<T>({ query, variables })) return dataOf(answer);
    throw new Refusal();
  }

  return {
    hear: (what) => inTime(what, next(what)),
    ask: (query, variables = {}) => inTime('The answer', answerTo(query, variables)),
    close: () => void client.dispose(),
  };
}

async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const late = pause(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${what} has not come in ${PATIENCE_MS} ms.`);
  });
  return Promise.race([work, late]);
}

function failure(what: string, ended: unknown): Error {
  if (ended instanceof Refusal) return ended;
  if (Array.isArray(ended)) return new Refusal(ended as Answer<unknown>['errors']);
  const { code, reason, message } = ended as { code?: unknown; reason?: unknown; message?: unknown };
  return new Error(`${what}: ${[code, reason ?? message ?? ended].filter(Boolean).join(' ')}`);
}
