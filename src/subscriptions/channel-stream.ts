import { type Signal } from '../broker/signal.ts';
import { decideAccess, accessRefused, type Access, type ChannelAccess } from '../channels/access.ts';
import { notFound, type SignalboxError } from '../errors.ts';
import { type Action } from '../projects/permissions.ts';
import { errorOf, type Connection } from '../connections/connection.ts';
import { EventStream, type Sink, type Source } from './event-stream.ts';
import { type SignalRouter, type SignalHandler } from './signal-router.ts';

/** Why a connection may no longer take an action in a channel. */
export type EndReason = 'UNSUBSCRIBED' | 'NOT_ALLOWED' | 'DELETED';

/** What a stream about one channel does; that it may do so is seen to by whoever opens it. */
export interface ChannelSource<T> {
  /** Called once, when there is a sink. */
  start(sink: Sink<T>, encounter: ChannelAccess): void;
  /** The state of the channel has changed. */
  changed?(encounter: ChannelAccess): void;
  /** With a reason: the connection may no longer take the action. */
  stop(reason?: EndReason): void;
}

interface Parts {
  signalRouter: SignalRouter;
  access: Access;
}

/**
 * A stream about one channel, for as long as the connection may take `action` there: then it ends with the refusal.
 * `make` is called once the connection is admitted.
 * @throws as `Access.require`, and whatever `make` throws
 */
export async function openChannelStream<T>(
  parts: Parts,
  connection: Connection,
  action: Action,
  channelId: string,
  make: (stream: EventStream<T>, encounter: ChannelAccess) => Promise<ChannelSource<T>> | ChannelSource<T>,
): Promise<EventStream<T>> {
  const admission = new ChannelGuard<T>(parts, connection, action, channelId);
  const stream = new EventStream<T>(connection, admission);
  try {
    admission.setSource(await make(stream, await admission.admit(stream)));
  } catch (error) {
    stream.end();
    throw error;
  }
  // It may have closed while it was being admitted, and would not end what it did not know of.
  if (connection.closed !== undefined) stream.end(errorOf(connection.closed));
  return stream;
}

/** That a connection may take an action in a channel, kept true. One object, for there are as many as subscriptions. */
class ChannelGuard<T> implements Source<T>, SignalHandler {
  readonly #parts: Parts;
  readonly #connection: Connection;
  readonly #action: Action;
  readonly #channelId: string;
  #stream: EventStream<T> | undefined;
  #source: ChannelSource<T> | undefined;
  /** The channel and membership as they are now; until they are read, what is signalled about them. */
  #channelAccess: ChannelAccess | undefined;
  #early: Signal[] | undefined = [];
  #stopped: { reason: EndReason | undefined } | undefined;

  constructor(parts: Parts, connection: Connection, action: Action, channelId: string) {
    this.#parts = parts;
    this.#connection = connection;
    this.#action = action;
    this.#channelId = channelId;
  }

  /** It listens before it reads: what is signalled while the rows are read is applied after them. */
  async admit(stream: EventStream<T>): Promise<ChannelAccess> {
    const { caller } = this.#connection;
    this.#stream = stream;
    this.#route('add');
    const found = await this.#parts.access.require(caller, this.#action, this.#channelId);
    this.#channelAccess = found;
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const signal of early) this.#apply(signal);
    if (!this.#isAllowed()) throw accessRefused(this.#connection.caller, this.#action, this.#channelId);
    return this.#channelAccess;
  }

  /** What the stream does, now that the connection is admitted. It may have ended in the meantime. */
  setSource(source: ChannelSource<T>): void {
    this.#source = source;
    if (this.#stopped) source.stop(this.#stopped.reason);
  }

  onSignal(signal: Signal): void {
    this.#connection.applyDue();
    if (this.#early) this.#early.push(signal);
    else this.#apply(signal);
  }

  start(sink: Sink<T>): void {
    if (this.#channelAccess) this.#source?.start(sink, this.#channelAccess);
  }

  reauthorize(): void {
    this.#endUnlessAllowed('NOT_ALLOWED');
  }

  stop(): void {
    this.#stopped ??= { reason: undefined };
    this.#route('remove');
    this.#source?.stop(this.#stopped.reason);
  }

  #route(verb: 'add' | 'remove'): void {
    const { signalRouter } = this.#parts;
    const { projectId, caller } = this.#connection;
    signalRouter[verb]('channel', projectId, this.#channelId, this);
    if (caller.kind === 'TOKEN') signalRouter[verb]('memberships', projectId, caller.token.id, this);
  }

  #apply(signal: Signal): void {
    const before = this.#channelAccess;
    if (!before) return;
    switch (signal.kind) {
      case 'CHANNEL_UPDATED':
        this.#channelAccess = { ...before, channel: signal.channel };
        return this.#endUnlessAllowed('NOT_ALLOWED');
      case 'CHANNEL_STATE_UPDATED':
        this.#channelAccess = { ...before, channel: signal.channel };
        return this.#source?.changed?.(this.#channelAccess);
      case 'CHANNEL_DELETED':
        return this.#end(notFound('channel', this.#channelId), 'DELETED');
      case 'MEMBERSHIP_BEGAN':
        if (signal.membership.channelId === this.#channelId)
          this.#channelAccess = { ...before, membership: signal.membership };
        return;
      case 'MEMBERSHIP_ENDED':
        if (signal.channelId !== this.#channelId) return;
        this.#channelAccess = { ...before, membership: undefined };
        return this.#endUnlessAllowed('UNSUBSCRIBED');
      default:
    }
  }

  #isAllowed(): boolean {
    const { caller } = this.#connection;
    return (
      this.#channelAccess !== undefined && decideAccess(caller, this.#action, this.#channelAccess).allowed
    );
  }

  #endUnlessAllowed(reason: EndReason): void {
    if (this.#channelAccess && !this.#isAllowed())
      this.#end(accessRefused(this.#connection.caller, this.#action, this.#channelId), reason);
  }

  #end(error: SignalboxError, reason: EndReason): void {
    this.#stopped ??= { reason };
    this.#stream?.end(error);
  }
}
