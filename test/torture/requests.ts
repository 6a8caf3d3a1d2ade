import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { API_KEY } from '../support/service.ts';
import { type Cluster } from './cluster.ts';
import { type Random } from './random.ts';

/** How long a node may take for an answer, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 8000;

export interface Answer {
  data?: any;
  errors?: { message: string; extensions?: { code?: string; retryable?: boolean } }[];
}

/** Executes an operation with the API key. Rejects when the node does not answer in time. */
export async function post(url: string, query: string, variables: object): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  return (await response.json()) as Answer;
}

export const isRetryable = ({ errors }: Answer): boolean => errors?.[0]?.extensions?.retryable === true;

/**
 * Executes an operation that may be repeated, each time on a random node, until one answers. Resolves to the answer with the
 * number of attempts, or to undefined once `isOver` holds before that.
 */
export async function postUntilAnswered(
  { cluster, random }: { cluster: Cluster; random: Random },
  isOver: () => boolean,
  query: string,
  variables: object,
): Promise<(Answer & { attempts: number }) | undefined> {
  for (let attempts = 1; !isOver(); attempts++) {
    const url = random.pick(cluster.running())?.process?.url;
    // A node that went away answers with an error of the network.
    const answer = url === undefined ? undefined : await post(url, query, variables).catch(() => undefined);
    if (answer && !isRetryable(answer)) return { ...answer, attempts };
    await delay(random.between(20, 200));
  }
  return undefined;
}

/** A client that is terminated while it connects emits an error that nothing listens to. */
export class QuietWebSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args);
    this.on('error', () => undefined);
  }
}
