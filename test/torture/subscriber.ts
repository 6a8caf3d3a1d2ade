import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { API_KEY } from '../support/service.ts';
import { type Random } from './random.ts';
import { type Cluster, type ClusterNode } from './cluster.ts';
import { type ReceivedMessage, type Restart, type SubscriberHistory } from './history.ts';
import { isRetryable, QuietWebSocket, type Answer } from './requests.ts';

/** A client that receives nothing for so long asks another node, in milliseconds. */
const SILENCE_MS = 3000;

/** The newest messages that a lost position makes doubtful: those of about half a minute. */
const FIRST_DROPPED = 1000;

export interface TortureSubscriber extends SubscriberHistory {
  /** Connections that were opened. */
  readonly connects: number;
  /**
   * From now on stays on its node until the subscription ends, and waits for messages for as long as it takes: a node that
   * has stopped delivering is found out, because no other node helps.
   */
  settle(): void;
  stop(): void;
}

const MESSAGE = '{ id channel cursor previous ordinal data }';
const SUBSCRIPTION = `subscription ($channel: ID!, $since: Cursor) { messages(channel: $channel, since: $since) ${MESSAGE} }`;
const INBOX = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { cursor }
  ... on ChannelMessage { message ${MESSAGE} }
  ... on Gap { reason }
} }`;

export interface SubscriberOptions {
  name: string;
  cluster: Cluster;
  random: Random;
  /** The channels, each with its first message. The subscriber starts after the newest of them. */
  start: ReadonlyMap<string, { cursor: string; ordinal: number }>;
  since: string;
  /** The credential of a member of all channels, for `events`. Undefined: `messages` of the only channel. */
  credential?: string | undefined;
}

/** Subscribes on a random node; whenever the subscription ends, resumes by cursor on another one. */
export function startSubscriber(options: SubscriberOptions): TortureSubscriber {
  const { name, cluster, random, start, credential } = options;
  const channels = [...start.keys()];
  const received: ReceivedMessage[] = [];
  const problems: string[] = [];
  const restarts: Restart[] = [];
  /** The cursors of the messages that the subscriber holds. */
  const kept: string[] = [];
  /** How many of them the next lost position drops. */
  let dropped = FIRST_DROPPED;
  let connects = 0;
  let since = options.since;
  let isSettled = false;
  let isStopped = false;
  let end: () => void = () => undefined;

  function note(result: Answer): void {
    const { data, errors } = result;
    const code = errors?.[0]?.extensions?.code;
    const event = data?.events;
    if (code === 'POSITION_LOST' || event?.reason === 'POSITION_LOST') {
      // A standby lacks the newest messages only. Not from the first message on: after some minutes it is outside retention.
      kept.length = Math.max(0, kept.length - dropped);
      dropped *= 4;
      since = kept.at(-1) ?? options.since;
      restarts.push({ received: received.length, kept: kept.length });
      end();
      return;
    }
    if (errors && !isRetryable(result)) problems.push(`error ${code ?? JSON.stringify(errors)}`);
    if (event?.__typename === 'Gap') problems.push(`a gap: ${event.reason}`);
    const message: ReceivedMessage | undefined = data?.messages ?? event?.message;
    if (!message) return;
    received.push(message);
    kept.push(message.cursor);
    dropped = FIRST_DROPPED;
    since = message.cursor;
  }

  /** Resolves when the subscription ends, for whatever reason. */
  async function subscribe({ process }: ClusterNode): Promise<void> {
    if (!process) return;
    connects++;
    const client: Client = createClient({
      url: process.wsUrl,
      webSocketImpl: QuietWebSocket,
      connectionParams: credential === undefined ? { apiKey: API_KEY } : { token: credential },
      retryAttempts: 0,
    });
    let heardAt = performance.now();
    await new Promise<void>((resolve) => {
      const watch = setInterval(() => {
        if (!isSettled && performance.now() - heardAt > SILENCE_MS) finish();
      }, 100);
      const finish = () => {
        clearInterval(watch);
        // At once: the next messages may be in the same chunk of the socket, and must not move the position.
        end = () => undefined;
        resolve();
      };
      end = finish;
      client.subscribe(
        {
          query: credential === undefined ? SUBSCRIPTION : INBOX,
          variables: { since, ...(credential === undefined && { channel: channels[0] }) },
        },
        {
          next(result) {
            // After its end, a client may still receive what was on its way.
            if (end !== finish) return;
            heardAt = performance.now();
            note(result as Answer);
          },
          error: finish,
          complete: finish,
        },
      );
    });
    client.terminate();
    await client.dispose();
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      const node = random.pick(cluster.running());
      if (node) {
        // Sometimes the client moves without a reason.
        const timer = setTimeout(() => !isSettled && end(), random.between(500, 8000));
        await subscribe(node);
        clearTimeout(timer);
      }
      await delay(random.between(0, 100));
    }
  }
  void run();

  return {
    name,
    channels,
    received,
    start,
    restarts,
    problems,
    get connects() {
      return connects;
    },
    settle() {
      isSettled = true;
    },
    stop() {
      isStopped = true;
      end();
    },
  };
}
