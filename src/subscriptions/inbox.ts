import { channelAddress, channelOf, type Address, type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type Signal } from '../broker/signal.ts';
import { decideAccess } from '../channels/access.ts';
import { type Channel, type Membership } from '../channels/channel.ts';
import { type Memberships } from '../channels/memberships.ts';
import { type Clock } from '../clock.ts';
import { type Connection, type ConnectionNotice } from '../connections/connection.ts';
import { EventStream, type Sink, type Source } from './event-stream.ts';
import { EVERY_CHANNEL } from './signal-router.ts';
import { internBatch, type Batch } from '../batch.ts';
import { type StreamDeps } from './channel-messages.ts';
import { directAddresses } from '../messages/readable.ts';
import { memoizeByIdentity, type Event, type UnavailableReason } from './event.ts';
import { LogSubscriber } from './log-subscriber.ts';
import { startAfter, type Start } from '../messages/start-position.ts';

export interface InboxDeps extends StreamDeps {
  memberships: Memberships;
  clock: Clock;
  shared: SharedEvents;
}

export interface InboxOptions {
  /** A cursor to resume after; absent: from now on. */
  since?: string | undefined;
  /** Whether to yield `PresenceChanged` too. */
  presence: boolean;
}

/** Events that every inbox yields alike, made once for all of them. */
export interface SharedEvents {
  messages(run: Batch<Message>): Batch<Event>;
  stateUpdated(signal: Extract<Signal, { kind: 'CHANNEL_STATE_UPDATED' }>): Batch<Event>;
  presenceChanged(signal: Extract<Signal, { kind: 'PRESENCE_CHANGED' }>): Batch<Event>;
}

export function createSharedEvents(clock: Clock): SharedEvents {
  return {
    messages: memoizeByIdentity((run) =>
      run.map((message) => ({
        type: channelOf(message.address) === null ? 'DirectMessage' : 'ChannelMessage',
        at: message.publishedAt,
        message,
      })),
    ),
    stateUpdated: memoizeByIdentity(({ channel }) => [
      { type: 'ChannelStateUpdated', at: clock.now(), channel },
    ]),
    presenceChanged: memoizeByIdentity(({ change }) => [
      { type: 'PresenceChanged', at: change.at, presence: change },
    ]),
  };
}

/**
 * Everything the connection may hear, as one stream: the channels its token is subscribed to, direct messages, and
 * what changes about them. *Connected* comes first.
 * @throws BAD_USER_INPUT when `since` is no cursor
 */
export async function openInbox(
  parts: InboxDeps,
  connection: Connection,
  { since, presence }: InboxOptions,
): Promise<EventStream<Event>> {
  const { projectId, caller } = connection;
  const early: Signal[] = [];
  let inbox: Inbox | undefined;
  // It listens before it reads: what is signalled while the memberships are read is applied after them.
  const see = (signal: Signal) => {
    if (inbox) inbox.onSignal(signal);
    else early.push(signal);
  };
  const watching = [parts.signalRouter.on('connection', projectId, connection.id, see)];
  if (caller.kind === 'TOKEN')
    watching.push(parts.signalRouter.on('memberships', projectId, caller.token.id, see));
  // Which channels concern it is known once they are read; from then on it watches those.
  const watchingAll = parts.signalRouter.on('channel', projectId, EVERY_CHANNEL, see);
  try {
    const entries = caller.kind === 'TOKEN' ? await parts.memberships.allOf(projectId, caller.token.id) : [];
    inbox = new Inbox(parts, connection, presence);
    for (const { membership, channel } of entries) inbox.add(channel, membership);
    for (const signal of early) inbox.onSignal(signal);
    inbox.begin(await startAfter(parts, projectId, since));
    const stream = new EventStream<Event>(connection, inbox);
    inbox.owns(watching, (error) => stream.end(error));
    if (connection.closed !== undefined) stream.end();
    return stream;
  } catch (error) {
    for (const watched of watching) watched[Symbol.dispose]();
    inbox?.stop();
    throw error;
  } finally {
    watchingAll[Symbol.dispose]();
  }
}

/** A channel that the token is subscribed to, whether or not its role and grants let it hear it now. */
interface InboxChannel {
  channel: Channel;
  membership: Membership;
  isSubscribed: boolean;
  routing: Disposable;
  presenceRouting: Disposable | undefined;
}

class Inbox implements Source<Event> {
  readonly #parts: InboxDeps;
  readonly #connection: Connection;
  readonly #withPresence: boolean;
  readonly #logSubscriber: LogSubscriber;
  readonly #channels = new Map<string, InboxChannel>();
  #owned: Disposable[] = [];
  readonly #onNotice = (notice: ConnectionNotice) => this.#notice(notice);
  #end: (error: Parameters<EventStream<Event>['end']>[0]) => void = () => undefined;
  #sink: Sink<Event> | undefined;
  #start: Start | undefined;

  constructor(parts: InboxDeps, connection: Connection, withPresence: boolean) {
    this.#parts = parts;
    this.#connection = connection;
    this.#withPresence = withPresence;
    this.#logSubscriber = new LogSubscriber(parts, connection);
    for (const address of directAddresses(connection.caller)) this.#logSubscriber.subscribe(address, 0);
  }

  /** See Feed. */
  begin(start: Start & { head: Position }): void {
    this.#start = start;
    this.#logSubscriber.begin(start);
  }

  owns(disposables: Disposable[], end: (error: Parameters<EventStream<Event>['end']>[0]) => void): void {
    this.#owned = disposables;
    this.#connection.onNotice(this.#onNotice);
    this.#end = end;
  }

  start(sink: Sink<Event>): void {
    const { caller } = this.#connection;
    if (!this.#start) throw new TypeError('An inbox is started where it begins.');
    this.#sink = sink;
    this.#deliver({
      type: 'Connected',
      at: this.#now(),
      connection: this.#connection,
      token: caller.kind === 'TOKEN' ? caller.token : null,
      channels: [...this.#channels.values()]
        .filter(({ isSubscribed }) => isSubscribed)
        .map(({ channel }) => channel),
      position: this.#start.after,
    });
    for (const [channelId, { isSubscribed }] of this.#channels) {
      if (isSubscribed) this.#parts.presence.enter(this.#connection, channelId);
    }
    const { warnedExpiry } = this.#connection;
    if (warnedExpiry !== undefined) this.#notice({ kind: 'TOKEN_EXPIRING', expiresAt: warnedExpiry });
    if (this.#start.positionLost) this.#gap('POSITION_LOST', [...this.#logSubscriber.addresses.keys()]);
    this.#logSubscriber.start({
      deliver: (run) => sink.deliver(this.#parts.shared.messages(run)),
      onLost: (addresses) => this.#gap('RETENTION', addresses),
      room: () => sink.room(),
      onFailed: (error) => this.#end(error),
      onReplayed: this.#parts.replayed,
    });
  }

  reauthorize(): void {
    for (const inboxChannel of this.#channels.values()) this.#reauthorize(inboxChannel);
  }

  stop(): void {
    for (const channelId of [...this.#channels.keys()]) this.#remove(channelId, undefined);
    this.#logSubscriber.stop();
    this.#connection.offNotice(this.#onNotice);
    for (const owned of this.#owned) owned[Symbol.dispose]();
    this.#sink = undefined;
  }

  onSignal(signal: Signal): void {
    this.#connection.applyDue();
    switch (signal.kind) {
      case 'MEMBERSHIP_BEGAN':
        return this.add(signal.channel, signal.membership);
      case 'MEMBERSHIP_ENDED':
        return this.#remove(signal.channelId, 'UNSUBSCRIBED');
      case 'CHANNEL_DELETED':
        return this.#remove(signal.channelId, 'DELETED');
      case 'CHANNEL_UPDATED':
      case 'CHANNEL_STATE_UPDATED': {
        const inboxChannel = this.#channels.get(signal.channel.id);
        if (!inboxChannel) return;
        inboxChannel.channel = signal.channel;
        this.#reauthorize(inboxChannel);
        if (signal.kind === 'CHANNEL_STATE_UPDATED' && inboxChannel.isSubscribed)
          this.#sink?.deliver(this.#parts.shared.stateUpdated(signal));
        return;
      }
      case 'PRESENCE_CHANGED':
        if (!this.#channels.get(signal.change.channelId)?.presenceRouting) return;
        return this.#sink?.deliver(this.#parts.shared.presenceChanged(signal));
      case 'CONNECTION_SIGNALLED':
        return this.#sink?.deliver(this.#parts.shared.messages(internBatch([signal.message])));
      default:
    }
  }

  /** Idempotent: a membership that is known already begins no second time. */
  add(channel: Channel, membership: Membership): void {
    const known = this.#channels.get(channel.id);
    if (known?.membership.beganAfter === membership.beganAfter) return;
    if (known) this.#remove(channel.id, 'UNSUBSCRIBED');
    const { projectId } = this.#connection;
    const routing = this.#parts.signalRouter.on('channel', projectId, channel.id, (signal) =>
      this.onSignal(signal),
    );
    const inboxChannel: InboxChannel = {
      channel,
      membership,
      isSubscribed: false,
      routing,
      presenceRouting: undefined,
    };
    this.#channels.set(channel.id, inboxChannel);
    this.#reauthorize(inboxChannel);
  }

  #remove(channelId: string, reason: UnavailableReason | undefined): void {
    const inboxChannel = this.#channels.get(channelId);
    if (!inboxChannel) return;
    this.#channels.delete(channelId);
    inboxChannel.routing[Symbol.dispose]();
    if (inboxChannel.isSubscribed) this.#unsubscribe(inboxChannel, reason);
  }

  /** Hears the inboxChannel or stops hearing it, as the caller's role and grants have it now. */
  #reauthorize(inboxChannel: InboxChannel): void {
    const { caller } = this.#connection;
    const { allowed, rule } = decideAccess(caller, 'SUBSCRIBE', inboxChannel);
    if (allowed && !inboxChannel.isSubscribed) this.#subscribe(inboxChannel);
    else if (!allowed && inboxChannel.isSubscribed)
      this.#unsubscribe(inboxChannel, rule === 'BANNED' ? 'BANNED' : 'NOT_ALLOWED');
    this.#reauthorizePresence(inboxChannel);
  }

  #subscribe(inboxChannel: InboxChannel): void {
    const { channel, membership } = inboxChannel;
    inboxChannel.isSubscribed = true;
    this.#logSubscriber.subscribe(
      channelAddress(channel.id),
      Math.max(membership.beganAfter, channel.createdAfter),
    );
    if (!this.#sink) return;
    this.#parts.presence.enter(this.#connection, channel.id);
    this.#deliver({ type: 'ChannelAvailable', at: this.#now(), channel });
  }

  #unsubscribe(inboxChannel: InboxChannel, reason: UnavailableReason | undefined): void {
    const { id: channelId } = inboxChannel.channel;
    inboxChannel.isSubscribed = false;
    inboxChannel.presenceRouting?.[Symbol.dispose]();
    inboxChannel.presenceRouting = undefined;
    this.#logSubscriber.unsubscribe(channelAddress(channelId));
    if (!this.#sink) return;
    this.#parts.presence.exit(
      this.#connection,
      channelId,
      reason === 'NOT_ALLOWED' || reason === 'BANNED' ? 'NOT_ALLOWED' : 'LEFT',
    );
    if (reason !== undefined)
      this.#deliver({ type: 'ChannelUnavailable', at: this.#now(), channel: inboxChannel.channel, reason });
  }

  #reauthorizePresence(inboxChannel: InboxChannel): void {
    const { caller, projectId } = this.#connection;
    const maySee =
      this.#withPresence &&
      inboxChannel.isSubscribed &&
      decideAccess(caller, 'PRESENCE', inboxChannel).allowed;
    if (maySee) {
      inboxChannel.presenceRouting ??= this.#parts.signalRouter.on(
        'presence',
        projectId,
        inboxChannel.channel.id,
        (signal) => this.onSignal(signal),
      );
    } else {
      inboxChannel.presenceRouting?.[Symbol.dispose]();
      inboxChannel.presenceRouting = undefined;
    }
  }

  #notice(notice: ConnectionNotice): void {
    const { caller } = this.#connection;
    switch (notice.kind) {
      case 'TOKEN_UPDATED':
        if (caller.kind === 'TOKEN')
          this.#deliver({ type: 'TokenUpdated', at: this.#now(), token: caller.token });
        return;
      case 'TOKEN_EXPIRING':
        return this.#deliver({ type: 'TokenExpiring', at: this.#now(), expiresAt: notice.expiresAt });
      case 'RESTRICTED':
        return this.#deliver({ type: 'Restricted', at: this.#now(), restriction: notice.restriction });
      case 'RESTRICTION_LIFTED':
        return this.#deliver({ type: 'RestrictionLifted', at: this.#now(), restriction: notice.restriction });
      case 'DISCONNECTING':
        return this.#deliver({
          type: 'Disconnecting',
          at: this.#now(),
          reason: notice.reason,
          note: notice.note,
        });
    }
  }

  #gap(reason: 'RETENTION' | 'POSITION_LOST', addresses: Address[]): void {
    const channels = addresses.flatMap(
      (address) => this.#channels.get(channelOf(address) ?? '')?.channel ?? [],
    );
    const directMessages = addresses.some((address) => channelOf(address) === null);
    this.#deliver({ type: 'Gap', at: this.#now(), reason, channels, directMessages });
  }

  #deliver(event: Event): void {
    this.#sink?.deliver([event]);
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}
