import assert from 'node:assert/strict';
import { channelAddress, channelOf, type Address, type Message } from '../broker/message.ts';
import { type Signal } from '../broker/signal.ts';
import { type Channel, type Membership } from '../channels/channel.ts';
import { type Memberships } from '../channels/memberships.ts';
import { type Clock } from '../clock.ts';
import {
  type Connection,
  type ConnectionNotice,
  type NoticeReceiver,
  type StreamProgress,
} from '../connections/connection.ts';
import { EventStream, type Sink, type Source } from './event-stream.ts';
import { EVERY_CHANNEL, type SignalRouter } from './signal-router.ts';
import { internBatch, type Batch } from '../batch.ts';
import { addToBacklog } from './backlog.ts';
import { type SignalboxError } from '../errors.ts';
import { type Presence } from '../presence/presence.ts';
import { type Cursors } from '../messages/cursor.ts';
import { directAddressesOf } from '../messages/visible-range.ts';
import { eventOfNotice, type Event, type GapReason, type UnavailableReason } from './event.ts';
import { sinceOf } from './since-of.ts';
import { InboxChannels, type InboxChannelsListener } from './inbox-channels.ts';
import { LogSubscriber, type LogSink, type LogSubscriberDeps } from './log-subscriber.ts';
import { type Span } from '../connections/reception.ts';
import { type SharedEvents } from './shared-events.ts';
import { resolveStart, type StartPosition } from '../messages/start-position.ts';

export interface InboxDeps extends LogSubscriberDeps {
  signalRouter: SignalRouter;
  memberships: Memberships;
  presence: Presence;
  cursors: Cursors;
  clock: Clock;
  sharedEvents: SharedEvents;
  gap: (projectId: string) => void;
}

export interface InboxOptions {
  /** Resume after this cursor. Default: `sinceOf`. */
  since?: string | undefined;
  /** Whether to yield `PresenceChanged` events too. */
  presence: boolean;
}

/**
 * Opens the inbox of a connection: one stream with the messages of the channels that its token is subscribed to, direct
 * messages, and changes to channels, memberships and the token. *Connected* is always the first event.
 * @throws BAD_USER_INPUT when `since` is not a cursor, RATE_LIMITED as Presence.requireMayJoin
 */
export async function openInbox(
  deps: InboxDeps,
  connection: Connection,
  { since, presence }: InboxOptions,
): Promise<EventStream<Event>> {
  const { projectId, caller } = connection;
  deps.presence.requireMayJoin(connection);
  const inbox = new Inbox(deps, connection, presence);
  // The channels of the token are unknown until its memberships are read, so listen to all channels until then.
  const allChannels = deps.signalRouter.on('channel', connection, EVERY_CHANNEL, inbox);
  try {
    const entries = caller.kind === 'TOKEN' ? await deps.memberships.allOf(projectId, caller.token.id) : [];
    inbox.addAll(entries);
    const start = await resolveStart(deps, projectId, sinceOf(connection, since));
    inbox.begin(start, start.isLost ? [] : await inbox.findMissedBeforeMembership(start.after.sequence));
    const stream = new EventStream<Event>(connection, inbox);
    inbox.bind(stream);
    if (connection.closed !== undefined) stream.end();
    return stream;
  } catch (error) {
    inbox.stop();
    throw error;
  } finally {
    allChannels[Symbol.dispose]();
  }
}

/** Also the sink of its log subscriber. A single object without closures, to save memory per connection. */
class Inbox implements Source<Event>, InboxChannelsListener, LogSink, NoticeReceiver {
  readonly #deps: InboxDeps;
  readonly #connection: Connection;
  readonly #logSubscriber: LogSubscriber;
  readonly #channels: InboxChannels;
  readonly #connectionRoute: Disposable;
  readonly #membershipsRoute: Disposable | undefined;
  /** Signals that arrive while the memberships are read; undefined afterwards. */
  #earlySignals: Signal[] | undefined = [];
  #stream: EventStream<Event> | undefined;
  #sink: Sink<Event> | undefined;
  #start: StartPosition | undefined;
  #missed: Address[] | undefined;
  /** The channels that became available after `#missed` was read and before `start`; undefined outside of that time. */
  #lateChannels: Set<string> | undefined;
  /** Messages to the connection that arrive before `start`. */
  #backlog: Batch<Message> | undefined;

  constructor(deps: InboxDeps, connection: Connection, withPresence: boolean) {
    this.#deps = deps;
    this.#connection = connection;
    this.#logSubscriber = new LogSubscriber(deps, connection);
    this.#channels = new InboxChannels(deps.signalRouter, this.#logSubscriber, withPresence, this);
    const { caller } = connection;
    for (const address of directAddressesOf(caller)) this.#logSubscriber.subscribe(address, 0);
    // Listens before the memberships are read: signals that arrive during the read are applied after it.
    this.#connectionRoute = deps.signalRouter.on('connection', connection, connection.id, this);
    if (caller.kind === 'TOKEN')
      this.#membershipsRoute = deps.signalRouter.on('memberships', connection, caller.token.id, this);
  }

  /** Adds the memberships that were read, and then applies the signals that arrived during the read. */
  addAll(entries: readonly { channel: Channel; membership: Membership }[]): void {
    for (const { channel, membership } of entries) this.#channels.add(channel, membership);
    const earlySignals = this.#earlySignals ?? [];
    this.#earlySignals = undefined;
    for (const signal of earlySignals) this.onSignal(signal);
  }

  /**
   * The channels with messages after a sequence number that the token missed because it was not a member: it left and
   * came back, or it is another token of the same user. A channel that becomes available from now on is not among them.
   */
  async findMissedBeforeMembership(sequence: number): Promise<Address[]> {
    this.#lateChannels = new Set();
    const missed: Address[] = [];
    for (const { channel, membership } of [...this.#channels.joinedAfter(sequence)]) {
      const address = channelAddress(channel.id);
      const range = { after: Math.max(sequence, channel.createdAfter), before: membership.beganAfter + 1 };
      const page = await this.#deps.broker.readBack(this.#connection.projectId, address, range, 1);
      const trimmed = await this.#deps.broker.trimmedThrough(this.#connection.projectId, address);
      if (page.messages.length > 0 || trimmed > range.after) missed.push(address);
    }
    return missed;
  }

  /** See `LogSubscriber.begin`. `missed` as `findMissedBeforeMembership` returns it. */
  begin(start: StartPosition, missed: Address[]): void {
    this.#start = start;
    this.#missed = missed;
    this.#logSubscriber.begin(start);
  }

  bind(stream: EventStream<Event>): void {
    this.#stream = stream;
    this.#connection.onNotice(this);
  }

  start(sink: Sink<Event>): void {
    const { caller } = this.#connection;
    assert(this.#start, 'Inbox.start() called before begin()');
    this.#sink = sink;
    const late: ReadonlySet<string> = this.#lateChannels ?? new Set();
    this.#lateChannels = undefined;
    this.#deliver({
      type: 'Connected',
      at: this.now(),
      connection: this.#connection,
      token: caller.kind === 'TOKEN' ? caller.token : null,
      channels: [...this.#channels.subscribed()].filter(({ id }) => !late.has(id)),
      position: this.#start.after,
      resumed: this.#start.isResumed,
    });
    // Read the list again: delivering `Connected` can close the connection, which removes its channels.
    for (const { id } of this.#channels.subscribed())
      if (!late.has(id)) this.#deps.presence.joinChannel(this.#connection, id);
    const { warnedExpiry } = this.#connection;
    if (warnedExpiry !== undefined) this.onNotice({ kind: 'TOKEN_EXPIRING', expiresAt: warnedExpiry });
    const isInitial = (address: Address) =>
      this.#logSubscriber.addresses.has(address) && !late.has(channelOf(address) ?? '');
    if (this.#start.isLost)
      this.#deliverGap('POSITION_LOST', [...this.#logSubscriber.addresses.keys()].filter(isInitial));
    const missed = this.#missed?.filter(isInitial) ?? [];
    if (missed.length > 0) this.#deliverGap('MEMBERSHIP', missed);
    this.#missed = undefined;
    for (const channel of this.#channels.subscribed()) if (late.has(channel.id)) this.onAvailable(channel);
    if (this.#backlog) this.deliver(internBatch(this.#backlog));
    this.#backlog = undefined;
    this.#logSubscriber.start(this);
  }

  /** Part of LogSink. */
  deliver(batch: Batch<Message>): void {
    this.#sink?.deliver(this.#deps.sharedEvents.messages(batch));
  }

  /** Part of LogSink. */
  whenWritable(): Promise<void> | undefined {
    return this.#sink?.whenWritable();
  }

  /** Part of LogSink. */
  onLost(addresses: Address[]): void {
    this.#deliverGap('RETENTION', addresses);
  }

  /** Part of LogSink. */
  end(error?: SignalboxError): void {
    this.#stream?.end(error);
  }

  reauthorize(): void {
    this.#channels.reauthorize();
  }

  stop(): void {
    this.#channels.removeAll();
    this.#logSubscriber.stop();
    this.#connection.offNotice(this);
    this.#connectionRoute[Symbol.dispose]();
    this.#membershipsRoute?.[Symbol.dispose]();
    this.#sink = undefined;
  }

  onSignal(signal: Signal): void {
    this.#connection.applyDue();
    if (this.#earlySignals) return void this.#earlySignals.push(signal);
    switch (signal.kind) {
      case 'MEMBERSHIP_BEGAN':
        return this.#channels.add(signal.channel, signal.membership);
      case 'MEMBERSHIP_ENDED':
        return this.#channels.remove(signal.channelId, signal.reason);
      case 'CHANNEL_DELETED':
        return this.#channels.remove(signal.channelId, 'DELETED');
      case 'CHANNEL_UPDATED':
      case 'CHANNEL_STATE_UPDATED': {
        const isSubscribed = this.#channels.update(signal.channel);
        if (signal.kind === 'CHANNEL_STATE_UPDATED' && isSubscribed)
          this.#sink?.deliver(this.#deps.sharedEvents.stateUpdated(signal));
        return;
      }
      case 'PRESENCE_CHANGED':
        if (!this.#channels.showsPresence(signal.change.channelId)) return;
        return this.#sink?.deliver(this.#deps.sharedEvents.presenceChanged(signal));
      case 'CONNECTION_MESSAGE':
        return this.#deliverConnectionMessage(signal.message);
      default:
    }
  }

  onAvailable(channel: Channel): void {
    // Before `start`, channels are part of the Connected event, or announced after it.
    if (!this.#sink) return void this.#lateChannels?.add(channel.id);
    this.#deps.presence.joinChannel(this.#connection, channel.id);
    this.#deliver({ type: 'ChannelAvailable', at: this.now(), channel });
  }

  onUnavailable(channel: Channel, reason: UnavailableReason | undefined): void {
    if (!this.#sink) return;
    const leaveReason = reason === 'NOT_ALLOWED' || reason === 'BANNED' ? 'NOT_ALLOWED' : 'LEFT';
    this.#deps.presence.leaveChannel(this.#connection, channel.id, leaveReason);
    if (reason !== undefined) this.#deliver({ type: 'ChannelUnavailable', at: this.now(), channel, reason });
  }

  /** Part of NoticeReceiver. */
  onNotice(notice: ConnectionNotice): void {
    const event = eventOfNotice(notice, this.#connection, this.now());
    if (event) this.#deliver(event);
  }

  #deliverGap(reason: GapReason, addresses: Address[]): void {
    const channels = addresses.flatMap((address) => this.#channels.get(channelOf(address) ?? '') ?? []);
    const directMessages = addresses.some((address) => channelOf(address) === null);
    this.#deps.gap(this.#connection.projectId);
    this.#deliver({ type: 'Gap', at: this.now(), reason, channels, directMessages });
  }

  #deliverConnectionMessage(message: Message): void {
    if (this.#sink) this.deliver(internBatch([message]));
    else this.#backlog = addToBacklog(this.#backlog ?? [], [message]);
  }

  #deliver(event: Event): void {
    this.#sink?.deliver([event]);
  }

  span(address: Address): Span | undefined {
    return this.#logSubscriber.span(address);
  }

  progress(): StreamProgress {
    return this.#logSubscriber.progress();
  }

  now(): number {
    return this.#deps.clock.now();
  }
}
