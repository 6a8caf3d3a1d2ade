import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster } from './cluster.ts';
import { type PublishedMessage } from './history.ts';
import { type Random } from './random.ts';
import { isRetryable, post, REQUEST_TIMEOUT_MS } from './requests.ts';

export interface Publisher {
  /** Everything that was published or tried, by its data. */
  readonly published: ReadonlyMap<string, PublishedMessage>;
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
  const published = new Map<string, PublishedMessage>();
  const problems: string[] = [];
  let retries = 0;
  let stopAt = Number.POSITIVE_INFINITY;

  async function attempt(data: string): Promise<boolean> {
    const url = random.pick(cluster.running())?.process?.url;
    if (url === undefined) return false;
    const { startedAt } = published.get(data) ?? { startedAt: performance.now() };
    published.set(data, { channel, startedAt });
    try {
      const answer = await post(url, PUBLISH, { channel, data, key: data });
      const message = answer.data?.publishMessage?.message;
      if (message) {
        const acknowledgedAt = performance.now();
        published.set(data, { channel, startedAt, acknowledged: { id: message.id, at: acknowledgedAt } });
        return true;
      }
      if (!isRetryable(answer))
        problems.push(`${name}: “${data}” was refused: ${JSON.stringify(answer.errors)}`);
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
    published,
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
