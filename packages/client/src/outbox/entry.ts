import { type SignalboxError } from '../errors.ts';
import { type Message } from '../message.ts';

/** A message that this client publishes, from the call of `publish` until the service has kept it. */
export interface OutboxEntry {
  /** The idempotency key: it identifies the entry, its repeats, and the message when it is delivered to this client. */
  readonly key: string;
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly status: 'queued' | 'sending' | 'failed';
  /** Why the entry failed. */
  readonly error?: SignalboxError | undefined;
}

/** An entry with the parts that only the outbox changes. */
export interface MutableEntry extends OutboxEntry {
  status: 'queued' | 'sending' | 'failed';
  error?: SignalboxError | undefined;
  attempts: number;
  /**
   * The identity, or the token without one, that it is to be published by. Undefined: that of the next socket, because this
   * page has not had one. Empty: an anonymous caller or an API key. `?`: unknown, because an earlier page never had a socket.
   */
  owner?: string | undefined;
  /** When it was first sent: the service remembers the key from then on. */
  sentAt?: number | undefined;
  settle?: { resolve(message: Message): void; reject(error: SignalboxError): void } | undefined;
}
