import { createEmitter } from '../emitter.ts';
import { type SignalboxError } from '../errors.ts';
import { type ChannelInfo } from '../inbox/events.ts';
import { type Message } from '../message.ts';
import { type OutboxEntry } from '../outbox/entry.ts';
import { type Outbox } from '../outbox/outbox.ts';
import { type Members } from './members.ts';
import { type ChannelSnapshot, type TimelineEntry } from './snapshot.ts';
import { type Timeline } from './timeline.ts';
import { type Typing } from './typing.ts';

type Snapshot = ChannelSnapshot<Record<string, unknown>>;
type Entry = TimelineEntry<Record<string, unknown>>;
/** What a snapshot has beside its lists. */
type Shown = Pick<Snapshot, 'isLoading' | 'error' | 'state' | 'version'>;

/** The store of a channel for pages: a snapshot and listeners. */
export interface View {
  getSnapshot(): Snapshot;
  onChange(listener: () => void): () => void;
  /** Something that is shown has changed. */
  change(changes?: Partial<Shown>): void;
  fail(error: SignalboxError | undefined): void;
  inform(info: ChannelInfo): void;
  /** A message was delivered. If it is one of this client, the timeline has it now and its entry is removed. */
  onMessage(message: Message): void;
  /** Messages were lost, possibly some that published entries wait for: the page that is loaded next shows those that exist. */
  onGap(): void;
  /** The service has kept a message. It is shown as published, at the end, until it is delivered and has its place in the order. */
  onPublished(message: Message, key: string, awaitsDelivery: boolean): void;
}

interface Parts {
  readonly id: string;
  readonly outbox: Outbox;
  readonly timeline: Timeline;
  readonly members: Members;
  readonly typing: Typing;
  isOwn(message: Message): boolean;
}

/** Keys are remembered for this many own messages, so that a list does not build their items anew. */
const MAX_KEYS = 1_000;

/** Creates the store of a channel. The snapshot is built when it is asked for, not at each change. */
export function createView({ id, outbox, timeline, members, typing, isOwn }: Parts): View {
  const listeners = createEmitter<[]>();
  const keys = new Map<string, string>();
  const awaited = new Map<string, Message>();
  const cache = new WeakMap<Message, Entry>();
  let snapshot: Snapshot | undefined;
  let shown: Shown = { isLoading: false, error: undefined, state: undefined, version: 0 };

  function change(changes?: Partial<Shown>): void {
    shown = { ...shown, ...changes };
    snapshot = undefined;
    listeners.emit();
  }

  function publishedEntry(message: Message): Entry {
    const known = cache.get(message);
    const key = keys.get(message.id) ?? message.idempotencyKey ?? message.id;
    if (known?.key === key) return known;
    const { event, data, publishedAt: at } = message;
    const entry = entryOf({
      ...{ key, state: 'published', event, data, message, isOwn: isOwn(message), at, error: undefined },
    });
    cache.set(message, entry);
    return entry;
  }

  const pendingEntry = ({ key, status, event, data, createdAt, error }: OutboxEntry) =>
    entryOf({
      ...{ key, state: status, event, data, message: undefined, isOwn: true, error },
      at: new Date(createdAt).toISOString(),
    });

  /** An entry with its functions, which have an effect on failed ones only. */
  function entryOf(fields: Omit<Entry, 'retry' | 'discard'>): Entry {
    const { key } = fields;
    return { ...fields, retry: () => outbox.retry(key), discard: () => outbox.discard(key) };
  }

  function build(): Snapshot {
    for (const { id: known } of timeline.messages) awaited.delete(known);
    const published = [...timeline.messages, ...awaited.values()].map(publishedEntry);
    const shownKeys = new Set(published.map(({ key }) => key));
    const pending = outbox.entries(id).filter(({ key }) => !shownKeys.has(key));
    return {
      messages: [...published, ...pending.map(pendingEntry)],
      ...shown,
      members: members.list,
      typing: typing.users,
      hasOlder: timeline.hasOlder,
    };
  }

  return {
    getSnapshot: () => (snapshot ??= build()),
    onChange: listeners.on,
    change,
    fail(next) {
      if (next !== shown.error) change({ error: next });
    },
    inform: ({ state, version }) => change({ state, version }),
    onMessage(message) {
      awaited.delete(message.id);
      change();
    },
    onGap: () => awaited.clear(),
    onPublished(message, key, awaitsDelivery) {
      keys.set(message.id, key);
      const [oldest = ''] = keys.keys();
      if (keys.size > MAX_KEYS) keys.delete(oldest);
      if (awaitsDelivery) awaited.set(message.id, message);
      change();
    },
  };
}
