import { type Address } from '../broker/message.ts';
import { type Signal } from '../broker/signal.ts';
import { decideAccess, accessRefused, type Access, type ChannelAccess } from '../channels/access.ts';
import { notFound, type SignalboxError } from '../errors.ts';
import { type Action } from '../projects/permissions.ts';
import { errorOf } from '../connections/close-reason.ts';
import { type Connection, type StreamProgress } from '../connections/connection.ts';
import { EventStream, type Sink, type Source } from './event-stream.ts';
import { type Span } from '../connections/reception.ts';
import { type SignalRouter, type SignalHandler } from './signal-router.ts';

/** Why a connection may no longer take an action in a channel. */
export type EndReason = 'UNSUBSCRIBED' | 'NOT_ALLOWED' | 'DELETED';

/** Produces the events of a stream about one channel. Does not check authorization: see `openChannelStream`. */
export interface ChannelSource<T> {
  /** Called once, when the stream has a sink. */
  start(sink: Sink<T>, channelAccess: ChannelAccess): void;
  /** Called after the type or the history policy of the channel changed, and the connection may still take the action. */
  onChannelUpdated?(channelAccess: ChannelAccess): void;
  /** Called after the state of the channel changed. */
  onStateUpdated?(channelAccess: ChannelAccess): void;
  /** Called once. `reason` is set when the connection may no longer take the action. */
  stop(reason?: EndReason): void;
  /** See `ConnectionStream.progress`. Absent if the source never reads the log. */
  progress?(): StreamProgress;
  /** See `LogSubscriber.span`. Absent if the source never reads the log. */
  span?(address: Address): Span | undefined;
}

export interface ChannelStreamDeps {
  signalRouter: SignalRouter;
  access: Access;
}

/**
 * Opens a stream about one channel that ends with the authorization error as soon as the connection may no longer take
 * `action`. `createSource` is called after the connection has been authorized.
 * @throws the errors of `Access.require` and of `createSource`
 */
export async function openChannelStream<T>(
  deps: ChannelStreamDeps,
  connection: Connection,
  action: Action,
  channelId: string,
  createSource: (
    stream: EventStream<T>,
    channelAccess: ChannelAccess,
  ) => Promise<ChannelSource<T>> | ChannelSource<T>,
): Promise<EventStream<T>> {
  const guard = new ChannelGuard<T>(deps, connection, action, channelId);
  const stream = new EventStream<T>(connection, guard);
  try {
    guard.setSource(await createSource(stream, await guard.authorize(stream)));
  } catch (error) {
    stream.end();
    throw error;
  }
  // The connection may have closed before the stream was registered with it.
  if (connection.closed !== undefined) stream.end(errorOf(connection.closed));
  return stream;
}

/**
 * Authorizes a connection for an action in a channel, and ends the stream when the authorization is lost. A single
 * object, to save memory per subscription.
 */
class ChannelGuard<T> implements Source<T>, SignalHandler {
  readonly #deps: ChannelStreamDeps;
  readonly connection: Connection;
  readonly #action: Action;
  readonly channelId: string;
  #stream: EventStream<T> | undefined;
  #source: ChannelSource<T> | undefined;
  /** The current channel and membership; undefined until they have been read. */
  #channelAccess: ChannelAccess | undefined;
  /** Signals that arrive while the channel and membership are read; undefined afterwards. */
  #earlySignals: Signal[] | undefined = [];
  #stopped: { reason: EndReason | undefined } | undefined;

  constructor(deps: ChannelStreamDeps, connection: Connection, action: Action, channelId: string) {
    this.#deps = deps;
    this.connection = connection;
    this.#action = action;
    this.channelId = channelId;
  }

  /** Listens before it reads: signals that arrive during the read are applied after it, so no change is missed. */
  async authorize(stream: EventStream<T>): Promise<ChannelAccess> {
    const { caller } = this.connection;
    this.#stream = stream;
    this.#updateRouting('add');
    this.#channelAccess = await this.#deps.access.require(caller, this.#action, this.channelId);
    const earlySignals = this.#earlySignals ?? [];
    this.#earlySignals = undefined;
    for (const signal of earlySignals) this.#apply(signal);
    if (!this.#isAllowed())
      throw accessRefused(this.connection.caller, this.#action, this.channelId, this.#channelAccess);
    return this.#channelAccess;
  }

  /** Sets the source after authorization. The stream may have ended in the meantime. */
  setSource(source: ChannelSource<T>): void {
    this.#source = source;
    if (this.#stopped) source.stop(this.#stopped.reason);
  }

  onSignal(signal: Signal): void {
    this.connection.applyDue();
    if (this.#earlySignals) this.#earlySignals.push(signal);
    else this.#apply(signal);
  }

  span(address: Address): Span | undefined {
    return this.#source?.span?.(address);
  }

  progress(): StreamProgress | undefined {
    return this.#source?.progress?.();
  }

  start(sink: Sink<T>): void {
    if (this.#channelAccess) this.#source?.start(sink, this.#channelAccess);
  }

  reauthorize(): void {
    this.#endUnlessAllowed('NOT_ALLOWED');
  }

  stop(): void {
    this.#stopped ??= { reason: undefined };
    this.#updateRouting('remove');
    this.#source?.stop(this.#stopped.reason);
  }

  #updateRouting(change: 'add' | 'remove'): void {
    const { signalRouter } = this.#deps;
    const { projectId, caller } = this.connection;
    signalRouter[change]('channel', projectId, this.channelId, this);
    if (caller.kind === 'TOKEN') signalRouter[change]('memberships', projectId, caller.token.id, this);
  }

  #apply(signal: Signal): void {
    const before = this.#channelAccess;
    if (!before) return;
    switch (signal.kind) {
      case 'CHANNEL_UPDATED':
        this.#channelAccess = { ...before, channel: signal.channel };
        this.#endUnlessAllowed('NOT_ALLOWED');
        return this.#source?.onChannelUpdated?.(this.#channelAccess);
      case 'CHANNEL_STATE_UPDATED':
        this.#channelAccess = { ...before, channel: signal.channel };
        return this.#source?.onStateUpdated?.(this.#channelAccess);
      case 'CHANNEL_DELETED':
        return this.#end(notFound('channel', this.channelId), 'DELETED');
      case 'MEMBERSHIP_BEGAN':
        if (signal.membership.channelId === this.channelId)
          this.#channelAccess = { ...before, membership: signal.membership };
        return;
      case 'MEMBERSHIP_ENDED':
        if (signal.channelId !== this.channelId) return;
        this.#channelAccess = { ...before, membership: undefined };
        return this.#endUnlessAllowed('UNSUBSCRIBED');
      default:
    }
  }

  #isAllowed(): boolean {
    const { caller } = this.connection;
    return (
      this.#channelAccess !== undefined && decideAccess(caller, this.#action, this.#channelAccess).allowed
    );
  }

  #endUnlessAllowed(reason: EndReason): void {
    if (this.#channelAccess && !this.#isAllowed())
      this.#end(
        accessRefused(this.connection.caller, this.#action, this.channelId, this.#channelAccess),
        reason,
      );
  }

  #end(error: SignalboxError, reason: EndReason): void {
    this.#stopped ??= { reason };
    this.#stream?.end(error);
  }
}
