import { type Client } from 'graphql-ws';

export interface ReceivedMessage {
  id: string;
  cursor: string | null;
  previous: string | null;
  channel: string | null;
  event: string;
  data: any;
}

const MESSAGE = '{ id cursor previous channel event data }';

export const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { cursor channels { id } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelUnavailable { channel { id } reason }
  ... on ChannelMessage { message ${MESSAGE} }
  ... on DirectMessage { message ${MESSAGE} }
  ... on Gap { reason channels { id } directMessages }
} }`;
export const MESSAGES = `subscription ($channel: ID!, $since: Cursor) {
  messages(channel: $channel, since: $since) ${MESSAGE}
}`;
export const DIRECT_MESSAGES = `subscription ($since: Cursor) { directMessages(since: $since) ${MESSAGE} }`;

/** A subscription that resumes from the last cursor that it received, through a getter in its variables. */
export interface ResumingSubscription {
  /** Every message received, in the order of delivery. */
  readonly messages: readonly ReceivedMessage[];
  /** Every other event received. */
  readonly events: readonly any[];
  readonly lastCursor: string | undefined;
  /** Resolves when the predicate holds; it is evaluated after each result. Rejects if the subscription ends first. */
  until(predicate: (subscription: ResumingSubscription) => boolean): Promise<void>;
  /** Resolves to the error that ended the subscription, or to undefined. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

/**
 * Subscribes with a graphql-ws client and records everything that it receives.
 *
 * @param variables.since the cursor to start from. After a reconnect, the client sends the last cursor that it received.
 */
export function subscribeResuming(
  client: Client,
  query: string,
  { since, ...variables }: { since?: string | undefined; channel?: string } = {},
): ResumingSubscription {
  const messages: ReceivedMessage[] = [];
  const events: any[] = [];
  const waiters = new Set<() => void>();
  let outcome: { error: unknown } | undefined;
  let lastCursor = since;
  let settle!: (error: unknown) => void;
  const ended = new Promise<unknown>((resolve) => (settle = resolve));
  const end = (error?: unknown) => {
    outcome ??= { error };
    settle(outcome.error);
    for (const check of waiters) check();
  };
  const stop = client.subscribe<any>(
    {
      query,
      variables: {
        ...variables,
        get since() {
          return lastCursor;
        },
      },
    },
    {
      next({ data, errors }) {
        if (errors) return end(errors);
        const [result] = Object.values<any>(data);
        const message = '__typename' in result ? result.message : result;
        if (message) messages.push(message);
        else events.push(result);
        lastCursor = message?.cursor ?? result.cursor ?? lastCursor;
        for (const check of waiters) check();
      },
      error: end,
      complete: () => end(),
    },
  );

  const subscription: ResumingSubscription = {
    messages,
    events,
    get lastCursor() {
      return lastCursor;
    },
    until: (predicate) =>
      new Promise<void>((resolve, reject) => {
        const check = () => {
          if (predicate(subscription)) resolve();
          else if (outcome)
            reject(new Error(`The subscription ended: ${JSON.stringify(outcome.error ?? 'complete')}`));
          else return;
          waiters.delete(check);
        };
        waiters.add(check);
        check();
      }),
    ended,
    stop,
  };
  return subscription;
}
