import { type Json } from '../names.ts';

/** The publisher of a message, as subscribers see it. */
export interface Sender {
  kind: 'API_KEY' | 'TOKEN';
  tokenId: string | null;
  identity: string | null;
  connectionData: string | null;
}

/** The destination of a message: a channel, a token, an identity or a connection. */
export type Address = `channel:${string}` | `token:${string}` | `identity:${string}` | `connection:${string}`;

export const channelAddress = (id: string): Address => `channel:${id}`;

/** The channel id of an address; null for the addresses of direct messages. */
export function channelOf(address: Address): string | null {
  return address.startsWith('channel:') ? address.slice('channel:'.length) : null;
}

/** Distinguishes a channel from others that had, or will have, the same id. */
export interface ChannelInstance {
  /** The sequence number after which the history of the channel begins. */
  readonly createdAfter: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** A random id; null for channels that an earlier version created. */
  readonly instance: string | null;
}

/** A message before it is appended to the log. */
export interface Draft {
  projectId: string;
  id: string;
  address: Address;
  event: string;
  data: Json;
  /** Size of `data` as JSON, in bytes of UTF-8. */
  bytes: number;
  sender: Sender;
  /** Milliseconds since 1970. */
  publishedAt: number;
  /**
   * The channel of the address as the publisher was authorized for it. The message is published only while this channel exists:
   * another one may have got its id. Absent for direct messages.
   */
  channel?: ChannelInstance | undefined;
  /** Skips the log: delivered to live subscribers only, never replayed. */
  ephemeral: boolean;
  /**
   * Deduplicates repeated publishes of the same message until `expiresAt`, in milliseconds since 1970. `key` is the key that
   * the publisher chose, prefixed with the publisher, so that equal keys of different publishers do not collide.
   */
  idempotency?: { key: string; fingerprint: string; expiresAt: number } | undefined;
  /** The idempotency key as the publisher chose it. */
  idempotencyKey?: string | undefined;
}

/** A published message. Immutable, so one object is delivered to every subscriber. */
export interface Message {
  readonly projectId: string;
  readonly id: string;
  readonly address: Address;
  readonly event: string;
  readonly data: Json;
  readonly sender: Sender;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** The idempotency key as the publisher chose it. Only the publisher may read it: see `Context.isSender`. */
  readonly idempotencyKey?: string | undefined;
  /**
   * The position in the project's log, the sequence number of the previous message at the same address (0: none), and the
   * ordinal of the message at its address. Null for ephemeral messages, which skip the log.
   */
  readonly logged: {
    readonly epoch: number;
    readonly sequence: number;
    readonly previous: number;
    /** Counts the messages of the address from 1, without holes. A channel that is created again starts from 1 again. */
    readonly ordinal: number;
    /** The epoch of `previous`, if it is another than `epoch`. */
    readonly previousEpoch?: number;
  } | null;
}
