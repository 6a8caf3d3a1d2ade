import { backoff } from '../connection/backoff.ts';
import { type Socket } from '../connection/socket.ts';
import { DOCUMENTS } from '../documents.ts';
import { SignalboxError, toError } from '../errors.ts';
import { copyOf, type Message } from '../message.ts';
import { randomKey, type Runtime } from '../runtime.ts';
import { type MutableEntry, type OutboxEntry } from './entry.ts';
import { type SavedEntries, type SavedEntry } from './saved-entries.ts';

/** The queue of publishes: first in, first out per channel, each with one idempotency key for all its attempts. */
export interface Outbox {
  /** Queues a message. Rejects with OUTBOX_FULL, with the error of the service, or with ENDED. */
  publish(channel: string, event: string, data: unknown): Promise<Message>;
  /** The entries of a channel, failed ones included, in the order of their publication. */
  entries(channel: string): readonly OutboxEntry[];
  /** Queues a failed entry again, as the last one of its channel. */
  retry(key: string): void;
  /** Removes a failed entry. */
  discard(key: string): void;
  /** Takes over entries of an earlier page. */
  restore(saved: readonly SavedEntry[]): void;
  /** Sends what is queued. `owner` is the token of the socket. */
  resume(socket: Socket, owner: string | undefined): void;
  /** The socket is gone: entries that were being sent are sent again, with the same key, on the next one. */
  pause(): void;
  /** A message of this client was delivered to it: the entry is done even if its receipt is lost. */
  confirm(message: Message): void;
  /** Fails every entry that is not published yet. */
  fail(error: SignalboxError): void;
}

export interface OutboxOptions {
  readonly runtime: Runtime;
  /** The time of the service, which remembers keys. Milliseconds since 1970. */
  now(): number;
  /** The largest number of entries that wait, and of those that failed: the oldest of these are discarded. */
  readonly limit: number;
  readonly saved: SavedEntries;
  /** An entry of the channel changed. */
  onChange(channel: string): void;
  /** The service has kept a message. Called before the entry is removed from `entries`. */
  onPublished(message: Message, key: string): void;
  /** The service refused the credential. */
  onUnauthenticated(): void;
}

/** The service remembers an idempotency key for 24 hours. A later repeat could publish twice, so it is not sent. */
const KEY_LIFETIME_MS = 23 * 3_600_000;
const MAX_ATTEMPTS = 10;
const LOGIN_CODES = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED']);

/** Creates an empty outbox. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { runtime } = options;
  const entries = new Map<string, MutableEntry>();
  const timers = new Map<string, unknown>();
  let socket: Socket | undefined;
  let owner: string | undefined;

  const pending = () => [...entries.values()].filter(({ status }) => status !== 'failed');
  const ofChannel = (channel: string) => [...entries.values()].filter((entry) => entry.channel === channel);

  function changed(channel: string): void {
    options.saved.save(pending(), owner);
    options.onChange(channel);
  }

  function add(entry: MutableEntry): void {
    entries.set(entry.key, entry);
    changed(entry.channel);
    next(entry.channel);
  }

  /** Sends the first entry of a channel unless one is under way, or the channel has to wait. */
  function next(channel: string): void {
    if (!socket || timers.has(channel)) return;
    const [first] = ofChannel(channel).filter(({ status }) => status !== 'failed');
    if (first?.status === 'queued') void send(socket, first);
  }

  async function send(on: Socket, entry: MutableEntry): Promise<void> {
    if (options.now() - (entry.sentAt ??= options.now()) > KEY_LIFETIME_MS)
      return reject(
        entry,
        new SignalboxError('OUTBOX_EXPIRED', 'The message waited for more than 23 hours.'),
      );
    entry.status = 'sending';
    changed(entry.channel);
    const { key: idempotencyKey, channel, event, data } = entry;
    try {
      const result = await on.execute(DOCUMENTS.publish, { channel, event, data, idempotencyKey });
      const { publishMessage } = result as { publishMessage: { message: Message } };
      done(entry, publishMessage.message);
    } catch (thrown) {
      if (on === socket && entries.get(entry.key) === entry) failed(entry, toError(thrown));
    }
  }

  function done(entry: MutableEntry, message: Message): void {
    if (entries.get(entry.key) !== entry) return;
    options.onPublished(message, entry.key);
    entries.delete(entry.key);
    changed(entry.channel);
    entry.settle?.resolve(message);
    next(entry.channel);
  }

  function failed(entry: MutableEntry, error: SignalboxError): void {
    if (error.code === 'CONNECTION_LOST') return;
    entry.attempts++;
    const isLogin = LOGIN_CODES.has(error.code);
    if ((!error.retryable && !isLogin) || entry.attempts >= MAX_ATTEMPTS) return reject(entry, error);
    entry.status = 'queued';
    if (isLogin) options.onUnauthenticated();
    const { retryAfterSeconds } = error.fields;
    const wait = Math.max((retryAfterSeconds ?? 0) * 1000, backoff(runtime, entry.attempts));
    timers.set(
      entry.channel,
      runtime.setTimer(() => {
        timers.delete(entry.channel);
        next(entry.channel);
      }, wait),
    );
    changed(entry.channel);
  }

  function reject(entry: MutableEntry, error: SignalboxError): void {
    entry.status = 'failed';
    entry.error = error;
    changed(entry.channel);
    const [oldest, ...others] = [...entries.values()].filter(({ status }) => status === 'failed');
    if (oldest && others.length >= options.limit) discard(oldest.key);
    entry.settle?.reject(error);
    entry.settle = undefined;
    next(entry.channel);
  }

  function discard(key: string): void {
    const entry = entries.get(key);
    if (entry?.status === 'failed' && entries.delete(key)) changed(entry.channel);
  }

  function pause(): void {
    socket = undefined;
    for (const timer of timers.values()) runtime.clearTimer(timer);
    timers.clear();
    for (const entry of entries.values()) if (entry.status === 'sending') entry.status = 'queued';
  }

  return {
    publish(channel, event, data) {
      if (pending().length >= options.limit) {
        const full = new SignalboxError(
          'OUTBOX_FULL',
          `${options.limit} messages wait to be published.`,
          true,
        );
        return Promise.reject(full);
      }
      return new Promise<Message>((resolve, rejectPublish) =>
        add({
          ...{ key: randomKey(runtime), channel, event, data: copyOf(data), createdAt: runtime.now() },
          ...{ status: 'queued', attempts: 0, settle: { resolve, reject: rejectPublish } },
        }),
      );
    },
    entries: ofChannel,
    retry(key) {
      const entry = entries.get(key);
      if (entry?.status !== 'failed') return;
      entries.delete(key);
      add({ ...entry, status: 'queued', error: undefined, attempts: 0 });
    },
    discard,
    restore(saved) {
      const later = [...entries.values()];
      entries.clear();
      for (const entry of saved) {
        owner ??= entry.owner;
        entries.set(entry.key, { ...entry, status: 'queued', attempts: 0 });
      }
      for (const entry of later) entries.set(entry.key, entry);
      for (const channel of new Set(saved.map((entry) => entry.channel))) options.onChange(channel);
    },
    resume(live, liveOwner) {
      socket = live;
      if (owner !== undefined && owner !== liveOwner)
        fail(new SignalboxError('FORBIDDEN', 'The message was written under another login.'));
      owner = liveOwner;
      for (const channel of new Set(pending().map((entry) => entry.channel))) next(channel);
    },
    pause,
    confirm(message) {
      const entry = message.idempotencyKey ? entries.get(message.idempotencyKey) : undefined;
      if (entry) done(entry, message);
    },
    fail,
  };

  function fail(error: SignalboxError): void {
    for (const entry of pending()) reject(entry, error);
  }
}
