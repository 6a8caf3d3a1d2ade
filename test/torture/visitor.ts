import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { type Cluster } from './cluster.ts';
import { type VisitHistory } from './history.ts';
import { type Random } from './random.ts';
import { postUntilAnswered, QuietWebSocket } from './requests.ts';

/** How long a connection stays open after its access has ended, in milliseconds: longer than a pause of a node. */
const LINGER_MS = 22_000;
/** The longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 3000;

export interface Visitor {
  readonly visits: readonly VisitHistory[];
  /** Ends when the visit at this moment has ended; closes all connections. */
  stop(): Promise<void>;
}

type Arrival = VisitHistory['received'][number];

export interface VisitorOptions {
  name: string;
  channel: string;
  cluster: Cluster;
  random: Random;
}

const MINT = 'mutation { createToken { token { id } credential } }';
const ENTER =
  'mutation ($channel: ID!, $token: ID!) { subscribeToken(channel: $channel, token: $token) { createdAt } }';
const LEAVE = {
  unsubscribeToken:
    'mutation ($channel: ID!, $token: ID!) { unsubscribeToken(channel: $channel, token: $token) { __typename } }',
  revokeToken: 'mutation ($token: ID!) { revokeToken(id: $token) { id } }',
} as const;
const EVENTS = 'subscription { events { __typename ... on ChannelMessage { message { data } } } }';

/**
 * Visits a channel again and again, each time as a new token: it connects to one node, is made a member on another one, and
 * after a moment loses its membership or is revoked on a third one. Its connection stays open, so that what should not be
 * delivered can be.
 */
export function startVisitor({ name, channel, cluster, random }: VisitorOptions): Visitor {
  const visits: VisitHistory[] = [];
  const clients = new Set<Client>();
  const lingering = new Set<NodeJS.Timeout>();
  let stopped = false;
  const isStopped = () => stopped;
  const ask = (query: string, variables: object) =>
    postUntilAnswered({ cluster, random }, isStopped, query, variables);

  function close(client: Client): void {
    clients.delete(client);
    client.terminate();
    void client.dispose();
  }

  /** Resolves to the client when `events` is live, or to undefined when the node cannot be reached. */
  function connect(credential: string, received: Arrival[]): Promise<Client | undefined> {
    const url = random.pick(cluster.running())?.process?.wsUrl;
    if (url === undefined) return Promise.resolve(undefined);
    const client = createClient({
      url,
      webSocketImpl: QuietWebSocket,
      connectionParams: { token: credential },
      retryAttempts: 0,
    });
    clients.add(client);
    return new Promise((resolve) => {
      const fail = () => {
        close(client);
        resolve(undefined);
      };
      const timer = setTimeout(fail, CONNECT_TIMEOUT_MS);
      client.subscribe<{ events: { __typename: string; message?: { data: string } } }>(
        { query: EVENTS },
        {
          next({ data }) {
            if (data?.events.message)
              received.push({ data: data.events.message.data, at: performance.now() });
            if (data?.events.__typename !== 'Connected') return;
            clearTimeout(timer);
            resolve(client);
          },
          error: fail,
          complete: fail,
        },
      );
    });
  }

  async function visit(visitName: string): Promise<void> {
    const minted = (await ask(MINT, {}))?.data?.createToken;
    if (!minted) return;
    const received: Arrival[] = [];
    const client = await connect(minted.credential, received);
    if (!client) return;
    const variables = { channel, token: minted.token.id };
    // What is published meanwhile must not be received, even by a node that learns of it after the membership.
    await delay(random.between(0, 800));
    const startedAt = performance.now();
    const entered = await ask(ENTER, variables);
    if (!entered?.data) return close(client);
    await delay(random.between(50, 800));
    // An attempt that was given up may be executed later, and would make the token a member again; nothing brings back a
    // revoked token.
    const mayEnterAgain = entered.attempts > 1;
    const leave =
      (!mayEnterAgain && random.pick(['unsubscribeToken', 'revokeToken'] as const)) || 'revokeToken';
    const left = await ask(LEAVE[leave], variables);
    const endedAt = left?.data ? performance.now() : Number.POSITIVE_INFINITY;
    visits.push({ name: `${visitName} (${leave})`, channel, startedAt, endedAt, received });
    const timer = setTimeout(() => {
      lingering.delete(timer);
      close(client);
    }, LINGER_MS);
    lingering.add(timer);
  }

  async function run(): Promise<void> {
    for (let n = 1; !isStopped(); n++) await visit(`${name}-${n}`);
  }

  const running = run();
  return {
    visits,
    async stop() {
      stopped = true;
      await running;
      for (const timer of lingering) clearTimeout(timer);
      for (const client of [...clients]) close(client);
    },
  };
}
