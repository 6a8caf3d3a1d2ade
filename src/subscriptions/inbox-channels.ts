import { channelAddress } from '../broker/message.ts';
import { decideAccess } from '../channels/access.ts';
import { type Channel, type Membership } from '../channels/channel.ts';
import { type Connection } from '../connections/connection.ts';
import { historyBounds } from '../messages/visible-range.ts';
import { type UnavailableReason } from './event.ts';
import { type LogSubscriber } from './log-subscriber.ts';
import { type SignalReceiver, type SignalRouter } from './signal-router.ts';

/** A channel of which the token is a member, whether or not its role and grants allow it to SUBSCRIBE at present. */
interface InboxChannel {
  channel: Channel;
  membership: Membership;
  /** Whether the inbox delivers the messages of the channel. */
  isSubscribed: boolean;
  routing: Disposable;
  /** Set while the inbox delivers the presence changes of the channel. */
  presenceRouting: Disposable | undefined;
}

/** Also receives the signals about the channels and their presence. */
export interface InboxChannelsListener extends SignalReceiver {
  /** The current time, in milliseconds since 1970. */
  now(): number;
  /** Called after the inbox subscribed to a channel. */
  onAvailable(channel: Channel): void;
  /** Called after the inbox unsubscribed from a channel. `reason` is undefined when the inbox itself ends. */
  onUnavailable(channel: Channel, reason: UnavailableReason | undefined): void;
}

/** The channels of an inbox. Subscribes to each channel while the caller's role, grants and membership allow it. */
export class InboxChannels {
  readonly #signalRouter: SignalRouter;
  readonly #connection: Connection;
  readonly #logSubscriber: LogSubscriber;
  readonly #withPresence: boolean;
  readonly #listener: InboxChannelsListener;
  readonly #channels = new Map<string, InboxChannel>();

  constructor(
    signalRouter: SignalRouter,
    logSubscriber: LogSubscriber,
    withPresence: boolean,
    listener: InboxChannelsListener,
  ) {
    this.#signalRouter = signalRouter;
    this.#connection = logSubscriber.connection;
    this.#logSubscriber = logSubscriber;
    this.#withPresence = withPresence;
    this.#listener = listener;
  }

  /** Finds a channel of the inbox, subscribed or not. */
  get(channelId: string): Channel | undefined {
    return this.#channels.get(channelId)?.channel;
  }

  /** The channels that the inbox is subscribed to. */
  *subscribed(): Generator<Channel> {
    for (const { channel, isSubscribed } of this.#channels.values()) if (isSubscribed) yield channel;
  }

  /** The channels that the inbox is subscribed to through a membership that began after a sequence number. */
  *joinedAfter(sequence: number): Generator<InboxChannel> {
    for (const inboxChannel of this.#channels.values())
      if (inboxChannel.isSubscribed && inboxChannel.membership.beganAfter > sequence) yield inboxChannel;
  }

  /** Whether the inbox delivers the presence changes of a channel. */
  showsPresence(channelId: string): boolean {
    return this.#channels.get(channelId)?.presenceRouting !== undefined;
  }

  /**
   * Idempotent: a newer membership replaces an older one. A known membership that may read more of the past is noted
   * without an event, because the connection is beyond that past.
   */
  add(channel: Channel, membership: Membership): void {
    const known = this.#channels.get(channel.id);
    if (known && membership.beganAfter <= known.membership.beganAfter) {
      known.membership = membership;
      return;
    }
    if (known) this.remove(channel.id, 'UNSUBSCRIBED');
    const routing = this.#signalRouter.on('channel', this.#connection, channel.id, this.#listener);
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

  /** Replaces a known channel with its new version. Returns whether the inbox is subscribed to the channel afterwards. */
  update(channel: Channel): boolean {
    const inboxChannel = this.#channels.get(channel.id);
    if (!inboxChannel) return false;
    inboxChannel.channel = channel;
    this.#reauthorize(inboxChannel);
    return inboxChannel.isSubscribed;
  }

  remove(channelId: string, reason: UnavailableReason | undefined): void {
    const inboxChannel = this.#channels.get(channelId);
    if (!inboxChannel) return;
    this.#channels.delete(channelId);
    inboxChannel.routing[Symbol.dispose]();
    if (inboxChannel.isSubscribed) this.#unsubscribe(inboxChannel, reason);
  }

  removeAll(): void {
    for (const channelId of [...this.#channels.keys()]) this.remove(channelId, undefined);
  }

  /** Subscribes and unsubscribes according to the current role and grants of the caller. */
  reauthorize(): void {
    for (const inboxChannel of this.#channels.values()) this.#reauthorize(inboxChannel);
  }

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
      historyBounds(channel, this.#listener.now()),
    );
    this.#listener.onAvailable(channel);
  }

  #unsubscribe(inboxChannel: InboxChannel, reason: UnavailableReason | undefined): void {
    const { channel } = inboxChannel;
    inboxChannel.isSubscribed = false;
    inboxChannel.presenceRouting?.[Symbol.dispose]();
    inboxChannel.presenceRouting = undefined;
    this.#logSubscriber.unsubscribe(channelAddress(channel.id));
    this.#listener.onUnavailable(channel, reason);
  }

  #reauthorizePresence(inboxChannel: InboxChannel): void {
    const { caller } = this.#connection;
    const isAllowed =
      this.#withPresence &&
      inboxChannel.isSubscribed &&
      decideAccess(caller, 'PRESENCE', inboxChannel).allowed;
    if (isAllowed) {
      inboxChannel.presenceRouting ??= this.#signalRouter.on(
        'presence',
        this.#connection,
        inboxChannel.channel.id,
        this.#listener,
      );
    } else {
      inboxChannel.presenceRouting?.[Symbol.dispose]();
      inboxChannel.presenceRouting = undefined;
    }
  }
}
