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
import { type ChannelName } from './speech.ts';

/** One subscription, and what it is to hear. */
export interface Listener {
  name: string;
  followed: ResumingSubscription;
  channels: readonly ChannelName[];
  /** Only messages of this name, where it asked for no others. */
  only: 'a' | undefined;
  /** It is there from before the first word to after the last one, so that it hears what is ephemeral, too. */
  isSteady: boolean;
}

const ONLY_A = MESSAGES.replace('since: $since', 'since: $since, events: ["a"]');

/** A graphql-ws client that watches under which ids it is answered. */
export interface Watched {
  client: Client;
  /** What came under an id that is not one of its own, or of another operation of its own. */
  readonly misdelivered: readonly unknown[];
  /** Its socket, while it is connected. */
  readonly socket: WebSocket | undefined;
}

/** @param nextId of its operations; absent: UUIDs. */
export function watchedClient(
  signalbox: TestService,
  token: MintedToken,
  nextId: () => string = () => crypto.randomUUID(),
  options: Partial<ClientOptions> = {},
): Watched {
  const asked = new Map<string, unknown>();
  const misdelivered: unknown[] = [];
  let socket: WebSocket | undefined;
  const client = signalbox.client(
    { token: token.credential },
    {
      generateID: ({ variables }) => {
        const id = nextId();
        asked.set(id, variables?.['channel']);
        return id;
      },
      ...options,
    },
  );
  client.on('connected', (connected) => (socket = connected as WebSocket));
  client.on('message', (message) => {
    if (message.type !== MessageType.Next) return;
    const channel = (message.payload.data?.['messages'] as { channel: string } | undefined)?.channel;
    if (!asked.has(message.id) || (channel !== undefined && channel !== asked.get(message.id)))
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

/** Ids that are counted, as many clients do, from anywhere. */
export function counted(from: number): () => string {
  let last = from;
  return () => String(last++);
}

/** Options of a client that comes back at once, however often it is cut off or given up. */
const COMES_BACK: Partial<ClientOptions> = {
  retryAttempts: Number.POSITIVE_INFINITY,
  retryWait: () => Promise.resolve(),
  // It may be cut off before it is connected.
  shouldRetry: () => true,
};

/** Comes back with its last cursor whenever it is cut off. */
export async function cuttableClient(
  signalbox: TestService,
  token: MintedToken,
  nextId?: () => string,
): Promise<{ watched: Watched; proxy: Proxy }> {
  const proxy = await createProxy(Number(new URL(signalbox.url).port));
  const url = `ws://127.0.0.1:${proxy.port}/graphql`;
  return { watched: watchedClient(signalbox, token, nextId, { ...COMES_BACK, url }), proxy };
}

/** Stops reading when it is told to, and comes back where the service has given it up meanwhile. */
export const stallingClient = (signalbox: TestService, token: MintedToken, nextId?: () => string): Watched =>
  watchedClient(signalbox, token, nextId, COMES_BACK);

export function listenToChannel(
  name: string,
  client: Client,
  channel: ChannelName,
  { since, only }: { since?: string; only?: 'a' } = {},
): Listener {
  const followed = subscribeResuming(client, only ? ONLY_A : MESSAGES, { channel, since });
  return { name, followed, channels: [channel], only, isSteady: since === undefined };
}

export function listenToEvents(
  name: string,
  client: Client,
  channels: readonly ChannelName[],
  since?: string,
): Listener {
  const followed = subscribeResuming(client, EVENTS, { since });
  return { name, followed, channels, only: undefined, isSteady: since === undefined };
}

export const bySse = (signalbox: TestService, { credential }: MintedToken): Client =>
  sseClient(signalbox, credential);
