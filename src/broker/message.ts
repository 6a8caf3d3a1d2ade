import { type Json } from '../names.ts';

/** Who said it, as others see it. */
export interface Sender {
  kind: 'API_KEY' | 'TOKEN';
  tokenId: string | null;
  identity: string | null;
  connectionData: string | null;
}

/** Where a message goes: one channel, or directly to a token, an identity or a connection. */
export type Address = `channel:${string}` | `token:${string}` | `identity:${string}` | `connection:${string}`;

export const channelAddress = (id: string): Address => `channel:${id}`;

/** The channel of an address; null for direct messages. */
export function channelOf(address: Address): string | null {
  return address.startsWith('channel:') ? address.slice('channel:'.length) : null;
}

/** What is about to be said. */
export interface Draft {
  projectId: string;
  id: string;
  address: Address;
  event: string;
  data: Json;
  /** Of `data`, as JSON. */
  bytes: number;
  sender: Sender;
  publishedAt: number;
  /** Skips the log: heard by who is here now, never replayed. */
  ephemeral: boolean;
  /** Collapses repeats of the same publish until `expiresAt`. */
  idempotency?: { key: string; fingerprint: string; expiresAt: number } | undefined;
}

/** What was said. Never changed: one object serves every subscriber. */
export interface Message {
  readonly projectId: string;
  readonly id: string;
  readonly address: Address;
  readonly event: string;
  readonly data: Json;
  readonly sender: Sender;
  readonly publishedAt: number;
  /** Its place in the project's log, and the place before it at the same address (0: none); null when it skipped the log. */
  readonly logged: {
    readonly epoch: number;
    readonly sequence: number;
    readonly previous: number;
    /** The epoch of `previous`, if it is another than `epoch`. */
    readonly previousEpoch?: number;
  } | null;
}
