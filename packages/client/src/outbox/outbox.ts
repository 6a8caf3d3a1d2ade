import { backoff } from '../connection/backoff.ts';
import { type Socket } from '../connection/socket.ts';
import { SignalboxError, toError } from '../errors.ts';
import { copyOf, type Message } from '../message.ts';
import { publishOn } from '../publish-on.ts';
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
  /** Takes over entries of an earlier page. Of those without an owner, the user is unknown: `resume` fails them. */
  restore(saved: readonly SavedEntry[]): void;
  /** Fails what has another owner and sends the rest. `owner` is the identity or the token of the socket; empty: neither. */
  resume(socket: Socket, owner: string): void;
  /** The socket is gone: entries that were being sent are sent again, with the same key, on the next one. */
  pause(): void;
  /** A message of this client was delivered to it: the entry is done even if its receipt is lost. */
  confirm(message: Message): void;
  /** The client ended: fails every entry that is not published yet. The next login may be another one. */
  fail(error: SignalboxError): void;
}

export interface OutboxOptions {
  readonly runtime: Runtime;
  /** The time of the service, which remembers keys. Milliseconds since 1970. */
  now(): number;
  /** The largest number of entries that wait, and of those that failed: the oldest of these are discarded. */
  readonly limit: number;
  readonly saved: SavedEntries;
  /** The owner of entries that are published before the first socket. Undefined: unknown. */
  readonly owner?: string | undefined;
  /** An entry of the channel changed. */
  onChange(channel: string): void;
  /** The service has kept a message. Called before the entry is removed from `entries`. */
  onPublished(message: Message, key: string): void;
  /** The service refused the credential: asks for a new one. */
  renew(): void;
}

/** The service remembers an idempotency key for 24 hours. A later repeat could publish twice, so it is not sent. */
const KEY_LIFETIME_MS = 23 * 3_600_000;
const MAX_ATTEMPTS = 10;
const LOGIN_CODES = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED']);

/** Creates an empty outbox. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { runtime, saved, limit, onChange } = options;
  let { owner } = options;
  /** What waits or is being sent, by channel and key. The first entry of a channel is the next one. */
  const queues = new Map<string, Map<string, MutableEntry>>();
  const failures = new Map<string, MutableEntry>();
  const timers = new Map<string, unknown>();
  let waiting = 0;
  let socket: Socket | undefined;

  const pending = () => [...queues.values()].flatMap((queue) => [...queue.values()]);
  const find = (channel: string | null, key: string) =>
    failures.get(key) ?? queues.get(channel ?? '')?.get(key);
  const isExpired = ({ sentAt = Infinity }: MutableEntry) => options.now() - sentAt > KEY_LIFETIME_MS;

  function enqueue(entry: MutableEntry): void {
    const { channel, key } = entry;
    queues.set(channel, (queues.get(channel) ?? new Map<string, MutableEntry>()).set(key, entry));
    waiting++;
  }

  function remove({ channel, key }: MutableEntry): void {
    failures.delete(key);
    const queue = queues.get(channel);
    if (!queue?.delete(key)) return;
    if (queue.size === 0) queues.delete(channel);
    waiting--;
    saved.set(key);
  }

  function save(entry: MutableEntry): void {
    const stored = { ...entry, settle: undefined };
    saved.set(entry.key, stored);
  }

  function add(entry: MutableEntry): void {
    enqueue(entry);
    save(entry);
    onChange(entry.channel);
    next(entry.channel);
  }

  /** Sends the first entry of a channel unless it is under way, or the channel has to wait. */
  function next(channel: string): void {
    const [first] = queues.get(channel)?.values() ?? [];
    if (socket && !timers.has(channel) && first?.status === 'queued') void send(socket, first);
  }

  async function send(on: Socket, entry: MutableEntry): Promise<void> {
    if (isExpired(entry))
      return reject(
        entry,
        new SignalboxError('OUTBOX_EXPIRED', 'The message waited for more than 23 hours.'),
      );
    entry.sentAt ??= options.now();
    entry.status = 'sending';
    save(entry);
    onChange(entry.channel);
    const { key: idempotencyKey, channel, event, data } = entry;
    try {
      done(entry, await publishOn(on, { channel, event, data, idempotencyKey }));
    } catch (thrown) {
      if (on === socket && find(channel, idempotencyKey) === entry) onError(entry, toError(thrown));
    }
  }

  function done(entry: MutableEntry, message: Message): void {
    if (find(entry.channel, entry.key) !== entry) return;
    options.onPublished(message, entry.key);
    remove(entry);
    onChange(entry.channel);
    entry.settle?.resolve(message);
    next(entry.channel);
  }

  function onError(entry: MutableEntry, error: SignalboxError): void {
    if (error.code === 'CONNECTION_LOST') return;
    entry.attempts++;
    const isLogin = LOGIN_CODES.has(error.code);
    if ((!error.retryable && !isLogin) || entry.attempts >= MAX_ATTEMPTS) return reject(entry, error);
    entry.status = 'queued';
    if (isLogin) options.renew();
    const { retryAfterSeconds = 0 } = error.fields;
    const wait = Math.max(retryAfterSeconds * 1000, backoff(runtime, entry.attempts));
    timers.set(
      entry.channel,
      runtime.setTimer(() => {
        timers.delete(entry.channel);
        next(entry.channel);
      }, wait),
    );
    onChange(entry.channel);
  }

  function reject(entry: MutableEntry, error: SignalboxError): void {
    remove(entry);
    entry.status = 'failed';
    entry.error = error;
    failures.set(entry.key, entry);
    onChange(entry.channel);
    const [oldest = ''] = failures.keys();
    if (failures.size > limit) discard(oldest);
    entry.settle?.reject(error);
    entry.settle = undefined;
    next(entry.channel);
  }

  function discard(key: string): void {
    const entry = failures.get(key);
    if (entry && failures.delete(key)) onChange(entry.channel);
  }

  return {
    publish(channel, event, data) {
      return new Promise<Message>((resolve, rejectPublish) => {
        if (waiting >= limit)
          throw new SignalboxError('OUTBOX_FULL', `${limit} messages wait to be published.`, true);
        add({
          ...{ key: randomKey(runtime), channel, event, data: copyOf(data), createdAt: runtime.now() },
          ...{ status: 'queued', attempts: 0, owner, settle: { resolve, reject: rejectPublish } },
        });
      });
    },
    // A message fails when it is the first of its channel, so those that failed are older than those that wait.
    entries: (channel) => [
      ...[...failures.values()].filter((entry) => entry.channel === channel),
      ...(queues.get(channel)?.values() ?? []),
    ],
    retry(key) {
      const entry = failures.get(key);
      if (!entry) return;
      failures.delete(key);
      // The service has forgotten the key by now. The user has decided that the message is to be published.
      const renewed = isExpired(entry) && { key: randomKey(runtime), sentAt: undefined };
      add({ ...entry, status: 'queued', error: undefined, attempts: 0, owner, ...renewed });
    },
    discard,
    restore(restored) {
      const later = pending();
      queues.clear();
      waiting = 0;
      for (const entry of restored) enqueue({ owner: '?', ...entry, status: 'queued', attempts: 0 });
      for (const entry of later) {
        enqueue(entry);
        save(entry);
      }
      for (const channel of queues.keys()) onChange(channel);
    },
    resume(live, liveOwner) {
      owner = liveOwner;
      // Before there is a socket, because the failure of a message sends the next one.
      for (const entry of pending())
        if (entry.owner === undefined) {
          entry.owner = owner;
          save(entry);
        } else if (entry.owner !== owner)
          reject(entry, new SignalboxError('FORBIDDEN', 'The message is of another or an unknown login.'));
      socket = live;
      for (const channel of [...queues.keys()]) next(channel);
    },
    pause() {
      socket = undefined;
      for (const timer of timers.values()) runtime.clearTimer(timer);
      timers.clear();
      for (const entry of pending()) entry.status = 'queued';
    },
    confirm(message) {
      const entry = find(message.channel, message.idempotencyKey ?? '');
      if (entry) done(entry, message);
    },
    fail(error) {
      owner = undefined;
      for (const entry of pending()) reject(entry, error);
    },
  };
}
