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

/** One subscription that resumes with the last cursor it saw, by nothing but a getter. */
export interface ResumingSubscription {
  /** Every message that came, in the order in which it came. */
  readonly messages: readonly ReceivedMessage[];
  /** Every other event that came. */
  readonly events: readonly any[];
  readonly lastCursor: string | undefined;
  /** Resolves when `fits` holds, which is asked after each result. Fails when the subscription ends first. */
  until(fits: (followed: ResumingSubscription) => boolean): Promise<void>;
  /** Resolves with how it ended. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

export function subscribeResuming(
  client: Client,
  query: string,
  { since, ...variables }: { since?: string | undefined; channel?: string } = {},
): ResumingSubscription {
  const messages: ReceivedMessage[] = [];
  const events: any[] = [];
  const waiting = new Set<() => void>();
  let over: { error: unknown } | undefined;
  let lastCursor = since;
  let settle!: (error: unknown) => void;
  const ended = new Promise<unknown>((resolve) => (settle = resolve));
  const end = (error?: unknown) => {
    over ??= { error };
    settle(over.error);
    for (const look of waiting) look();
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
        for (const look of waiting) look();
      },
      error: end,
      complete: () => end(),
    },
  );

  const followed: ResumingSubscription = {
    messages,
    events,
    get lastCursor() {
      return lastCursor;
    },
    until: (fits) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (fits(followed)) resolve();
          else if (over)
            reject(new Error(`The subscription ended: ${JSON.stringify(over.error ?? 'complete')}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    ended,
    stop,
  };
  return followed;
}
