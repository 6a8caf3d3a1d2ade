import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { API_KEY } from '../support/service.ts';
import { type Random } from './random.ts';
import { type Cluster, type ClusterNode } from './cluster.ts';
import { type ReceivedMessage, type SubscriberHistory } from './history.ts';

const REQUEST_TIMEOUT_MS = 8000;
/** A client that receives nothing for so long asks another node, in milliseconds. */
const SILENCE_MS = 3000;

interface Answer {
  data?: any;
  errors?: { message: string; extensions?: { code?: string; retryable?: boolean } }[];
}

async function post(url: string, query: string, variables: object): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  return (await response.json()) as Answer;
}

export interface Publisher {
  /** The data of acknowledged publishes, with the id in the receipt. */
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
  /** Requests that failed and were repeated. */
  readonly retries: number;
  /** Publishes nothing new; resolves when the last publish is acknowledged or given up. */
  stop(): Promise<void>;
}

const PUBLISH = `mutation ($channel: ID!, $data: JSON, $key: String) {
  publishMessage(channel: $channel, event: "said", data: $data, idempotencyKey: $key) { message { id } }
}`;

/** Publishes to a channel, one message after another, each to a random node, and repeats it until it is acknowledged. */
export function startPublisher(name: string, channel: string, cluster: Cluster, random: Random): Publisher {
  const acknowledged = new Map<string, string>();
  const problems: string[] = [];
  let retries = 0;
  let stopAt = Number.POSITIVE_INFINITY;

  async function attempt(data: string): Promise<boolean> {
    const node = random.pick(cluster.running());
    if (!node?.process) return false;
    try {
      const { data: answer, errors } = await post(node.process.url, PUBLISH, { channel, data, key: data });
      if (answer?.publishMessage) {
        acknowledged.set(data, answer.publishMessage.message.id);
        return true;
      }
      if (errors?.[0]?.extensions?.retryable !== true)
        problems.push(`${name}: “${data}” was refused: ${JSON.stringify(errors)}`);
    } catch {
      // The node went away.
    }
    return false;
  }

  async function run(): Promise<void> {
    for (let n = 1; performance.now() < stopAt; n++) {
      const data = `${name}-${n}`;
      while (!(await attempt(data))) {
        if (performance.now() > stopAt + REQUEST_TIMEOUT_MS) return;
        retries++;
        await delay(random.between(20, 200));
      }
      await delay(random.between(0, 10));
    }
  }

  const running = run();
  return {
    acknowledged,
    problems,
    get retries() {
      return retries;
    },
    async stop() {
      stopAt = performance.now();
      await running;
    },
  };
}

export interface TortureSubscriber extends SubscriberHistory {
  /** Connections that were opened. */
  readonly connects: number;
  stop(): void;
}

const MESSAGE = '{ id channel cursor previous sequence data }';
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
  start: ReadonlyMap<string, { cursor: string; sequence: number }>;
  since: string;
  /** The credential of a member of all channels, for `events`. Undefined: `messages` of the only channel. */
  credential?: string | undefined;
}

/** A client that is terminated while it connects emits an error that nothing listens to. */
class QuietWebSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args);
    this.on('error', () => undefined);
  }
}

/** Subscribes on a random node; whenever the subscription ends, resumes by cursor on another one. */
export function startSubscriber(options: SubscriberOptions): TortureSubscriber {
  const { name, cluster, random, start, credential } = options;
  const channels = [...start.keys()];
  const received: ReceivedMessage[] = [];
  const problems: string[] = [];
  let connects = 0;
  let since = options.since;
  let isStopped = false;
  let end: () => void = () => undefined;

  function note(result: Answer): void {
    const { data, errors } = result;
    const code = errors?.[0]?.extensions?.code;
    if (errors && errors[0]?.extensions?.retryable !== true)
      problems.push(`error ${code ?? JSON.stringify(errors)}`);
    const event = data?.events;
    if (event?.__typename === 'Gap') problems.push(`a gap: ${event.reason}`);
    const message: ReceivedMessage | undefined = data?.messages ?? event?.message;
    if (!message) return;
    received.push(message);
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
        if (performance.now() - heardAt > SILENCE_MS) finish();
      }, 100);
      const finish = () => {
        clearInterval(watch);
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
    end = () => undefined;
    client.terminate();
    await client.dispose();
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      const node = random.pick(cluster.running());
      if (node) {
        // Sometimes the client moves without a reason.
        const timer = setTimeout(() => end(), random.between(500, 8000));
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
    problems,
    get connects() {
      return connects;
    },
    stop() {
      isStopped = true;
      end();
    },
  };
}
