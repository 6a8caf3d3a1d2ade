import { MessageType, type Client, type ClientOptions } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { type MintedToken } from '../support/backend.ts';
import {
  EVENTS,
  subscribeResuming,
  MESSAGES,
  type ResumingSubscription,
} from '../support/resuming-subscription.ts';
import { createProxy, type Proxy } from '../support/proxy.ts';
import { type TestService } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';
import { type ChannelName } from './publishing.ts';

/** One subscription, and the messages that it must receive. */
export interface Subscriber {
  name: string;
  subscription: ResumingSubscription;
  channels: readonly ChannelName[];
  /** The event name that the subscription is restricted to. */
  eventFilter: 'a' | undefined;
  /** The subscription is live from the first message to the last, so that it must receive ephemeral messages as well. */
  isFromStart: boolean;
}

const ONLY_A = MESSAGES.replace('since: $since', 'since: $since, events: ["a"]');

/** A graphql-ws client that checks the operation ids of its results. */
export interface TrackedClient {
  client: Client;
  /** Results whose id belongs to no operation of this client, or to an operation on another channel. */
  readonly misdelivered: readonly unknown[];
  /** The current socket. */
  readonly socket: WebSocket | undefined;
}

/** @param nextId generates the ids of the operations. Default: UUIDs. */
export function createTrackedClient(
  signalbox: TestService,
  token: MintedToken,
  nextId: () => string = () => crypto.randomUUID(),
  options: Partial<ClientOptions> = {},
): TrackedClient {
  const channelsById = new Map<string, unknown>();
  const misdelivered: unknown[] = [];
  let socket: WebSocket | undefined;
  const client = signalbox.client(
    { token: token.credential },
    {
      generateID: ({ variables }) => {
        const id = nextId();
        channelsById.set(id, variables?.['channel']);
        return id;
      },
      ...options,
    },
  );
  client.on('connected', (connected) => (socket = connected as WebSocket));
  client.on('message', (message) => {
    if (message.type !== MessageType.Next) return;
    const channel = (message.payload.data?.['messages'] as { channel: string } | undefined)?.channel;
    if (!channelsById.has(message.id) || (channel !== undefined && channel !== channelsById.get(message.id)))
      misdelivered.push(message);
  });
  return {
    client,
    misdelivered,
    get socket() {
      return socket;
    },
  };
}

/** Generates consecutive numbers as ids, as many clients do. */
export function countFrom(from: number): () => string {
  let last = from;
  return () => String(last++);
}

/** Options of a client that reconnects at once, without a limit of attempts. */
const RECONNECTING: Partial<ClientOptions> = {
  retryAttempts: Number.POSITIVE_INFINITY,
  retryWait: () => Promise.resolve(),
  // The proxy may cut the connection during the handshake, which graphql-ws treats as fatal by default.
  shouldRetry: () => true,
};

/** A client behind a proxy that can cut its connection. It reconnects and resumes from its last cursor. */
export async function createCuttableClient(
  signalbox: TestService,
  token: MintedToken,
  nextId?: () => string,
): Promise<{ tracked: TrackedClient; proxy: Proxy }> {
  const proxy = await createProxy(Number(new URL(signalbox.url).port));
  const url = `ws://127.0.0.1:${proxy.port}/graphql`;
  return { tracked: createTrackedClient(signalbox, token, nextId, { ...RECONNECTING, url }), proxy };
}

/** A client whose socket tests can pause. It reconnects and resumes if the service closes it as a slow consumer. */
export const createStallingClient = (
  signalbox: TestService,
  token: MintedToken,
  nextId?: () => string,
): TrackedClient => createTrackedClient(signalbox, token, nextId, RECONNECTING);

export function subscribeToChannel(
  name: string,
  client: Client,
  channel: ChannelName,
  { since, eventFilter }: { since?: string; eventFilter?: 'a' } = {},
): Subscriber {
  const subscription = subscribeResuming(client, eventFilter ? ONLY_A : MESSAGES, { channel, since });
  return { name, subscription, channels: [channel], eventFilter, isFromStart: since === undefined };
}

export function subscribeToEvents(
  name: string,
  client: Client,
  channels: readonly ChannelName[],
  since?: string,
): Subscriber {
  const subscription = subscribeResuming(client, EVENTS, { since });
  return { name, subscription, channels, eventFilter: undefined, isFromStart: since === undefined };
}

export const bySse = (signalbox: TestService, { credential }: MintedToken): Client =>
  sseClient(signalbox, credential);
