import { channelAddress, channelOf, type Address, type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type Signal } from '../broker/signal.ts';
import { mayDo } from '../channels/access.ts';
import { type Channel, type Membership } from '../channels/channel.ts';
import { type Memberships } from '../channels/memberships.ts';
import { type Clock } from '../clock.ts';
import { type Connection, type ConnectionNotice } from '../connections/connection.ts';
import { EventStream, type Sink, type Source } from '../connections/stream.ts';
import { EVERY_CHANNEL } from '../connections/watch.ts';
import { runOf, type Run } from '../run.ts';
import { type StreamParts } from './channel-messages.ts';
import { directAddresses } from './direct-messages.ts';
import { onceEach, type Event, type UnavailableReason } from './event.ts';
import { Feed } from './feed.ts';
import { startAfter, type Start } from './resume.ts';

export interface InboxParts extends StreamParts {
  memberships: Memberships;
  clock: Clock;
  shared: SharedEvents;
}

/** Events that every inbox yields alike, made once for all of them. */
export interface SharedEvents {
  messages(run: Run<Message>): Run<Event>;
  stateUpdated(signal: Extract<Signal, { kind: 'CHANNEL_STATE_UPDATED' }>): Run<Event>;
  presenceChanged(signal: Extract<Signal, { kind: 'PRESENCE_CHANGED' }>): Run<Event>;
}

export function createSharedEvents(clock: Clock): SharedEvents {
  return {
    messages: onceEach((run) =>
      run.map((message) => ({
        type: channelOf(message.address) === null ? 'DirectMessage' : 'ChannelMessage',
        at: message.publishedAt,
        message,
      })),
    ),
    stateUpdated: onceEach(({ channel }) => [{ type: 'ChannelStateUpdated', at: clock.now(), channel }]),
    presenceChanged: onceEach(({ change }) => [{ type: 'PresenceChanged', at: change.at, presence: change }]),
  };
}

/**
 * Everything the connection may hear, as one stream: the channels its token is subscribed to, direct messages, and
 * what changes about them. *Connected* comes first.
 * @throws BAD_USER_INPUT when `since` is no cursor
 */
export async function openInbox(
  parts: InboxParts,
  connection: Connection,
  { since, presence }: { since?: string | undefined; presence: boolean },
): Promise<EventStream<Event>> {
  const { projectId, caller } = connection;
  const early: Signal[] = [];
  let inbox: Inbox | undefined;
  // It listens before it reads: what is signalled while the memberships are read is applied after them.
  const see = (signal: Signal) => {
    if (inbox) inbox.see(signal);
    else early.push(signal);
  };
  const watching = [parts.watch.on('connection', projectId, connection.id, see)];
  if (caller.kind === 'TOKEN') watching.push(parts.watch.on('memberships', projectId, caller.token.id, see));
  // Which channels concern it is known once they are read; from then on it watches those.
  const watchingAll = parts.watch.on('channel', projectId, EVERY_CHANNEL, see);
  try {
    const entries = caller.kind === 'TOKEN' ? await parts.memberships.allOf(projectId, caller.token.id) : [];
    inbox = new Inbox(parts, connection, presence);
    for (const { membership, channel } of entries) inbox.add(channel, membership);
    for (const signal of early) inbox.see(signal);
    const head = await parts.broker.head(projectId);
    inbox.begin({ ...startAfter(parts.cursors, projectId, since, head), head });
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
interface Place {
  channel: Channel;
  membership: Membership;
  isHeard: boolean;
  watching: Disposable;
  watchingPresence: Disposable | undefined;
}

class Inbox implements Source<Event> {
  readonly #parts: InboxParts;
  readonly #connection: Connection;
  readonly #withPresence: boolean;
  readonly #feed: Feed;
  readonly #places = new Map<string, Place>();
  #owned: Disposable[] = [];
  readonly #hear = (notice: ConnectionNotice) => this.#notice(notice);
  #end: (error: Parameters<EventStream<Event>['end']>[0]) => void = () => undefined;
  #sink: Sink<Event> | undefined;
  #start: Start | undefined;

  constructor(parts: InboxParts, connection: Connection, withPresence: boolean) {
    this.#parts = parts;
    this.#connection = connection;
    this.#withPresence = withPresence;
    this.#feed = new Feed(parts, connection);
    for (const address of directAddresses(connection.caller)) this.#feed.hear(address, 0);
  }

  /** See Feed. */
  begin(start: Start & { head: Position }): void {
    this.#start = start;
    this.#feed.begin(start);
  }

  owns(disposables: Disposable[], end: (error: Parameters<EventStream<Event>['end']>[0]) => void): void {
    this.#owned = disposables;
    this.#connection.onNotice(this.#hear);
    this.#end = end;
  }

  start(sink: Sink<Event>): void {
    const { caller } = this.#connection;
    if (!this.#start) throw new TypeError('An inbox is started where it begins.');
    this.#sink = sink;
    this.#push({
      type: 'Connected',
      at: this.#now(),
      connection: this.#connection,
      token: caller.kind === 'TOKEN' ? caller.token : null,
      channels: [...this.#places.values()].filter(({ isHeard }) => isHeard).map(({ channel }) => channel),
      position: this.#start.after,
    });
    for (const [channelId, { isHeard }] of this.#places) {
      if (isHeard) this.#parts.presence.enter(this.#connection, channelId);
    }
    const { toldEnd } = this.#connection;
    if (toldEnd !== undefined) this.#notice({ kind: 'TOKEN_EXPIRING', expiresAt: toldEnd });
    if (this.#start.positionLost) this.#gap('POSITION_LOST', [...this.#feed.addresses.keys()]);
    this.#feed.start({
      take: (run) => sink.push(this.#parts.shared.messages(run)),
      lost: (addresses) => this.#gap('RETENTION', addresses),
      room: () => sink.room(),
      failed: (error) => this.#end(error),
      replayed: this.#parts.replayed,
    });
  }

  judge(): void {
    for (const place of this.#places.values()) this.#judge(place);
  }

  stop(): void {
    for (const channelId of [...this.#places.keys()]) this.#remove(channelId, undefined);
    this.#feed.stop();
    this.#connection.offNotice(this.#hear);
    for (const owned of this.#owned) owned[Symbol.dispose]();
    this.#sink = undefined;
  }

  see(signal: Signal): void {
    this.#connection.review();
    switch (signal.kind) {
      case 'MEMBERSHIP_BEGAN':
        return this.add(signal.channel, signal.membership);
      case 'MEMBERSHIP_ENDED':
        return this.#remove(signal.channelId, 'UNSUBSCRIBED');
      case 'CHANNEL_DELETED':
        return this.#remove(signal.channelId, 'DELETED');
      case 'CHANNEL_UPDATED':
      case 'CHANNEL_STATE_UPDATED': {
        const place = this.#places.get(signal.channel.id);
        if (!place) return;
        place.channel = signal.channel;
        this.#judge(place);
        if (signal.kind === 'CHANNEL_STATE_UPDATED' && place.isHeard)
          this.#sink?.push(this.#parts.shared.stateUpdated(signal));
        return;
      }
      case 'PRESENCE_CHANGED':
        if (!this.#places.get(signal.change.channelId)?.watchingPresence) return;
        return this.#sink?.push(this.#parts.shared.presenceChanged(signal));
      case 'CONNECTION_SIGNALLED':
        return this.#sink?.push(this.#parts.shared.messages(runOf([signal.message])));
      default:
    }
  }

  /** Idempotent: a membership that is known already begins no second time. */
  add(channel: Channel, membership: Membership): void {
    const known = this.#places.get(channel.id);
    if (known?.membership.beganAfter === membership.beganAfter) return;
    if (known) this.#remove(channel.id, 'UNSUBSCRIBED');
    const { projectId } = this.#connection;
    const watching = this.#parts.watch.on('channel', projectId, channel.id, (signal) => this.see(signal));
    const place: Place = { channel, membership, isHeard: false, watching, watchingPresence: undefined };
    this.#places.set(channel.id, place);
    this.#judge(place);
  }

  #remove(channelId: string, reason: UnavailableReason | undefined): void {
    const place = this.#places.get(channelId);
    if (!place) return;
    this.#places.delete(channelId);
    place.watching[Symbol.dispose]();
    if (place.isHeard) this.#silence(place, reason);
  }

  /** Hears the place or stops hearing it, as the caller's role and grants have it now. */
  #judge(place: Place): void {
    const { caller } = this.#connection;
    const { allowed, rule } = mayDo(caller, 'SUBSCRIBE', place);
    if (allowed && !place.isHeard) this.#listen(place);
    else if (!allowed && place.isHeard) this.#silence(place, rule === 'BANNED' ? 'BANNED' : 'NOT_ALLOWED');
    this.#judgePresence(place);
  }

  #listen(place: Place): void {
    const { channel, membership } = place;
    place.isHeard = true;
    this.#feed.hear(channelAddress(channel.id), Math.max(membership.beganAfter, channel.createdAfter));
    if (!this.#sink) return;
    this.#parts.presence.enter(this.#connection, channel.id);
    this.#push({ type: 'ChannelAvailable', at: this.#now(), channel });
  }

  #silence(place: Place, reason: UnavailableReason | undefined): void {
    const { id: channelId } = place.channel;
    place.isHeard = false;
    place.watchingPresence?.[Symbol.dispose]();
    place.watchingPresence = undefined;
    this.#feed.unhear(channelAddress(channelId));
    if (!this.#sink) return;
    this.#parts.presence.exit(
      this.#connection,
      channelId,
      reason === 'NOT_ALLOWED' || reason === 'BANNED' ? 'NOT_ALLOWED' : 'LEFT',
    );
    if (reason !== undefined)
      this.#push({ type: 'ChannelUnavailable', at: this.#now(), channel: place.channel, reason });
  }

  #judgePresence(place: Place): void {
    const { caller, projectId } = this.#connection;
    const maySee = this.#withPresence && place.isHeard && mayDo(caller, 'PRESENCE', place).allowed;
    if (maySee) {
      place.watchingPresence ??= this.#parts.watch.on('presence', projectId, place.channel.id, (signal) =>
        this.see(signal),
      );
    } else {
      place.watchingPresence?.[Symbol.dispose]();
      place.watchingPresence = undefined;
    }
  }

  #notice(notice: ConnectionNotice): void {
    const { caller } = this.#connection;
    switch (notice.kind) {
      case 'TOKEN_UPDATED':
        if (caller.kind === 'TOKEN')
          this.#push({ type: 'TokenUpdated', at: this.#now(), token: caller.token });
        return;
      case 'TOKEN_EXPIRING':
        return this.#push({ type: 'TokenExpiring', at: this.#now(), expiresAt: notice.expiresAt });
      case 'RESTRICTED':
        return this.#push({ type: 'Restricted', at: this.#now(), restriction: notice.restriction });
      case 'RESTRICTION_LIFTED':
        return this.#push({ type: 'RestrictionLifted', at: this.#now(), restriction: notice.restriction });
      case 'DISCONNECTING':
        return this.#push({
          type: 'Disconnecting',
          at: this.#now(),
          reason: notice.reason,
          note: notice.note,
        });
    }
  }

  #gap(reason: 'RETENTION' | 'POSITION_LOST', addresses: Address[]): void {
    const channels = addresses.flatMap(
      (address) => this.#places.get(channelOf(address) ?? '')?.channel ?? [],
    );
    const directMessages = addresses.some((address) => channelOf(address) === null);
    this.#push({ type: 'Gap', at: this.#now(), reason, channels, directMessages });
  }

  #push(event: Event): void {
    this.#sink?.push([event]);
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}
