import { type Address } from '../broker/message.ts';
import { type Member } from '../broker/leases.ts';
import { type SignalboxError } from '../errors.ts';
import { type Json } from '../names.ts';
import { errorOf, REVOKES_ACCESS, type CloseReason } from './close-reason.ts';
import { type Span } from './reception.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Restriction } from '../tokens/restriction.ts';
import { type Uses } from '../use-counts.ts';

/** One list for all connections, to save memory per connection. */
const NO_CHANNELS: readonly string[] = [];
const NO_HANDLERS: readonly never[] = [];

/** A list with one more item and no spare room. Most lists have at most two items, for which `concat` is slow. */
function withAdded<T>(items: readonly T[], item: T): readonly T[] {
  const [first] = items;
  if (first === undefined) return [item];
  return items.length === 1 ? [first, item] : items.concat(item);
}

/** Notifies the streams of a connection of a change to the connection itself. The broker signals all other changes. */
export type ConnectionNotice =
  | { kind: 'TOKEN_UPDATED' }
  | { kind: 'TOKEN_EXPIRING'; expiresAt: number }
  | { kind: 'RESTRICTED' | 'RESTRICTION_LIFTED'; restriction: Restriction }
  | { kind: 'DISCONNECTING'; reason: CloseReason; note: string | null };

export interface NoticeReceiver {
  onNotice(notice: ConnectionNotice, connection: Connection): void;
}

export interface ConnectionOptions {
  id: string;
  nodeId: string;
  caller: Caller;
  transport: Member['transport'];
  /** Milliseconds since 1970. */
  openedAt: number;
  /** See `Connection.applyDue`. */
  applyDue: (connection: Connection) => void;
}

/** How far a subscription has read the log. */
export interface StreamProgress {
  /** All messages for the subscription up to this sequence number have been delivered. */
  sequence: number;
  /** Whether the subscription is live: it has delivered everything that is in the log for it. */
  isCaughtUp: boolean;
}

/** A subscription that ends with its connection. */
export interface ConnectionStream {
  /** Undefined for subscriptions that do not read the log. */
  progress(): StreamProgress | undefined;
  /** See `Span`. Absent for subscriptions that receive no messages. */
  span?(address: Address): Span | undefined;
  /** Checks again which channels the stream may receive. Called when the caller of the connection changes. */
  reauthorize(): void;
  /** Drops all queued events. */
  discard(): void;
  /** @param error the error that the stream ends with; absent: it completes */
  end(error?: SignalboxError): void;
}

/**
 * One live WebSocket connection or SSE stream of a caller: its current caller, its streams, and its close handlers.
 * The registry opens connections and keeps their caller up to date.
 */
export class Connection {
  readonly id: string;
  readonly nodeId: string;
  readonly projectId: string;
  readonly transport: Member['transport'];
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** The current caller. Its token, grants and restrictions can change while the connection is open. */
  caller: Caller;
  /** When the connection closes because its credential expires, in milliseconds since 1970. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** The cursor that the client named when it connected. See `sinceOf`. */
  since: string | undefined;
  /** The expiry for which TOKEN_EXPIRING was sent, in milliseconds since 1970. */
  warnedExpiry: number | undefined;
  /** The state that the connection sets with `setPresence`. */
  presenceState: Json = null;
  /** The ids of the channels that show the presence state; see Presence.setState. */
  stateChannels: readonly string[] = NO_CHANNELS;
  // Presence keeps these three fields here, because one entry in a WeakMap costs more than all three.
  /** The channels that the connection is in, with the number of its subscriptions there; see `UseCounts`. */
  channelUses: Uses | undefined;
  /** The connection data of the token as presence announced it last. */
  announcedData: Json | undefined;
  /** The number of channels that the connection has left since its last join. */
  leaveCount = 0;
  /** The bytes that wait to be sent; undefined over SSE, where the HTTP response holds them. */
  sendQueue: { readonly queuedBytes: number } | undefined;
  /** Called after the caller of the connection changed. */
  onReauthorized: (() => void) | undefined;
  /** The number of the last batch that was counted for this connection. A reference would keep the batch alive. */
  lastCountedBatch = 0;
  /** The index of the first message of that batch that was counted. A message that matches two subscriptions counts once. */
  firstCountedIndex = 0;
  /** Set once the connection is closed. */
  closed: CloseReason | undefined;
  readonly #applyDue: (connection: Connection) => void;
  readonly #streams = new Set<ConnectionStream>();
  #nextDueAt = Number.POSITIVE_INFINITY;
  #deferred: (() => void)[] | undefined;
  #isClosing = false;
  #notifyPeer: ((reason: CloseReason) => void) | undefined;
  #closeHandlers: readonly ((reason: CloseReason, connection: Connection) => void)[] = NO_HANDLERS;
  /** Copied on every change, because a receiver may add or remove receivers during `notify`. */
  #noticeReceivers: readonly NoticeReceiver[] = NO_HANDLERS;

  constructor({ id, nodeId, caller, transport, openedAt, applyDue }: ConnectionOptions) {
    this.id = id;
    this.nodeId = nodeId;
    this.projectId = caller.projectId;
    this.caller = caller;
    this.transport = transport;
    this.openedAt = openedAt;
    this.#applyDue = applyDue;
  }

  /**
   * When the next grant or restriction of the caller lapses, in milliseconds since 1970; minus infinity while work is
   * deferred, so that `applyDue` is called before anything is delivered to the connection.
   */
  get nextDueAt(): number {
    return this.#deferred ? Number.NEGATIVE_INFINITY : this.#nextDueAt;
  }

  set nextDueAt(at: number) {
    this.#nextDueAt = at;
  }

  /**
   * Defers the part of a change that one connection has to do, so that a change to thousands of connections can be divided
   * among turns of the event loop. The change takes effect at once nevertheless: `applyDue` does the work, and it is called
   * before anything is delivered to the connection or done for its caller. Tasks run in the order in which they were deferred.
   */
  defer(work: () => void): void {
    if (this.#deferred) this.#deferred.push(work);
    else this.#deferred = [work];
  }

  /**
   * Applies everything already due: does deferred work, drops lapsed grants, closes if expired. Timers and slices do this
   * too, but can be late.
   */
  applyDue(): void {
    while (this.#deferred) this.#runDeferred(this.#deferred);
    // Most callers have nothing that expires or lapses. A late flush calls this once per socket, so it does not read the clock for them.
    if (Math.min(this.expiresAt, this.#nextDueAt) < Number.POSITIVE_INFINITY) this.#applyDue(this);
  }

  #runDeferred(tasks: (() => void)[]): void {
    // A task that calls `applyDue` itself must not run the tasks after it first.
    this.#deferred = undefined;
    try {
      for (let task = tasks.shift(); task; task = tasks.shift()) task();
    } finally {
      // After an error, the next call runs the remaining tasks.
      for (const task of tasks) this.defer(task);
    }
  }

  /** Whether messages may still be delivered to the connection. */
  isOpen(now: number): boolean {
    return this.closed === undefined && now < this.expiresAt;
  }

  /** The open subscriptions. */
  get streams(): ReadonlySet<ConnectionStream> {
    return this.#streams;
  }

  add(stream: ConnectionStream): void {
    this.#streams.add(stream);
  }

  remove(stream: ConnectionStream): void {
    this.#streams.delete(stream);
    // An SSE connection is its only stream; a WebSocket outlives its subscriptions.
    if (this.transport === 'SSE' && this.#streams.size === 0) this.close('CLIENT_LEFT');
  }

  /** Reauthorizes every stream and the presence state. */
  reauthorize(): void {
    for (const stream of this.#streams) stream.reauthorize();
    this.onReauthorized?.();
  }

  onNotice(receiver: NoticeReceiver): void {
    this.#noticeReceivers = withAdded(this.#noticeReceivers, receiver);
  }

  offNotice(receiver: NoticeReceiver): void {
    this.#noticeReceivers = this.#noticeReceivers.filter((other) => other !== receiver);
  }

  notify(notice: ConnectionNotice): void {
    for (const receiver of this.#noticeReceivers) receiver.onNotice(notice, this);
  }

  /** Sets the function that sends the reason to the peer and closes the socket. It is called at once if the connection is already closed. */
  setNotifyPeer(notifyPeer: (reason: CloseReason) => void): void {
    if (this.closed === undefined) this.#notifyPeer = notifyPeer;
    else notifyPeer(this.closed);
  }

  /** Adds a close handler. Called at once if the connection is already closed. */
  onClose(handler: (reason: CloseReason, connection: Connection) => void): void {
    if (this.closed === undefined) this.#closeHandlers = withAdded(this.#closeHandlers, handler);
    else handler(this.closed, this);
  }

  /**
   * Closes the connection: notifies the client, ends the streams, then calls the close handlers. Idempotent.
   * @param note a text for the client, in its `Disconnecting` event
   */
  close(reason: CloseReason, note: string | null = null): void {
    if (this.beginClose(reason, note)) this.finishClose(reason, errorOf(reason));
  }

  /** Notifies the client; nothing is sent to it afterwards. Returns false if the connection is already closing. */
  beginClose(reason: CloseReason, note: string | null): boolean {
    if (this.#isClosing) return false;
    this.#isClosing = true;
    if (REVOKES_ACCESS.has(reason)) for (const stream of this.#streams) stream.discard();
    // Notify the streams before `closed` is set, so that they can still send `Disconnecting`. If that overflows the queue,
    // `#isClosing` ignores the second close.
    this.notify({ kind: 'DISCONNECTING', reason, note });
    this.closed = reason;
    this.#notifyPeer?.(reason);
    return true;
  }

  /** Ends the streams with `error` and calls the close handlers. */
  finishClose(reason: CloseReason, error: SignalboxError | undefined): void {
    for (const stream of this.#streams) stream.end(error);
    for (const handler of this.#closeHandlers) handler(reason, this);
  }

  /** The connection as other callers see it in presence. */
  asMember(): Member {
    const token = this.caller.kind === 'TOKEN' ? this.caller.token : undefined;
    return {
      connectionId: this.id,
      nodeId: this.nodeId,
      projectId: this.projectId,
      tokenId: token?.id ?? null,
      identity: token?.identity ?? null,
      connectionData: token?.connectionData ?? null,
      state: this.presenceState,
      stateChannels: this.stateChannels,
      transport: this.transport,
      connectedAt: this.openedAt,
    };
  }
}
