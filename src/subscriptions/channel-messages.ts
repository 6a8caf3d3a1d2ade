import { channelAddress, type Address, type Message } from '../broker/message.ts';
import {
  openChannelStream,
  type ChannelSource,
  type ChannelStreamDeps,
  type EndReason,
} from './channel-stream.ts';
import { type ChannelAccess } from '../channels/access.ts';
import { type Clock } from '../clock.ts';
import { type Connection, type StreamProgress } from '../connections/connection.ts';
import { type EventStream, type Sink } from './event-stream.ts';
import { SignalboxError } from '../errors.ts';
import { parseName } from '../names.ts';
import { internBatch, type Batch } from '../batch.ts';
import { type Presence } from '../presence/presence.ts';
import { type Cursors } from '../messages/cursor.ts';
import { hiddenThrough, historyBounds, positionLost } from '../messages/visible-range.ts';
import { type Span } from '../connections/reception.ts';
import { sinceOf } from './since-of.ts';
import { LogSubscriber, type LogSink, type LogSubscriberDeps } from './log-subscriber.ts';
import { resolveStart } from '../messages/start-position.ts';

export interface ChannelMessagesDeps extends LogSubscriberDeps, ChannelStreamDeps {
  presence: Presence;
  cursors: Cursors;
  clock: Clock;
}

export interface ChannelMessagesOptions {
  /** Resume after this cursor. Default: start with the next message. */
  since?: string | undefined;
  /** Deliver only messages with these event names, at most 100. Default: all messages. */
  events?: readonly string[] | undefined;
}

/** Maximum number of event names per subscription. */
export const MAX_EVENT_NAMES = 100;

/**
 * The messages of one channel in log order, starting after `since` or with the next message. The stream ends with the
 * authorization error when the caller may no longer SUBSCRIBE.
 * @throws FORBIDDEN, UNAUTHENTICATED or NOT_FOUND unless the caller may SUBSCRIBE to the channel
 * @throws POSITION_LOST when messages after `since` are no longer retained
 * @throws LIMIT_EXCEEDED for more than 100 event names
 * @throws BAD_USER_INPUT for an invalid cursor or event name, RATE_LIMITED as Presence.requireMayJoin
 */
export function openChannelMessages(
  deps: ChannelMessagesDeps,
  connection: Connection,
  channelId: string,
  { since, events }: ChannelMessagesOptions,
): Promise<EventStream<Message>> {
  const { broker, cursors } = deps;
  const { projectId } = connection;
  const eventNames = events && new Set(events.map((event) => parseName('event', event, 'events')));
  if (eventNames && eventNames.size > MAX_EVENT_NAMES) {
    throw new SignalboxError('LIMIT_EXCEEDED', `At most ${MAX_EVENT_NAMES} event names are allowed.`, {
      limit: MAX_EVENT_NAMES,
    });
  }
  return openChannelStream<Message>(
    deps,
    connection,
    'SUBSCRIBE',
    channelId,
    async (stream, channelAccess) => {
      deps.presence.requireMayJoin(connection);
      const address = channelAddress(channelId);
      const floor = hiddenThrough(connection.caller, channelAccess);
      const bounds = historyBounds(channelAccess.channel, deps.clock.now());
      const logSubscriber = new LogSubscriber(deps, connection);
      logSubscriber.eventNames = eventNames;
      logSubscriber.subscribe(address, floor, bounds);
      try {
        const { after, head, isLost } = await resolveStart(
          { broker, cursors },
          projectId,
          // Over SSE the connection has this one subscription; a WebSocket may have others with other positions.
          connection.transport === 'SSE' ? sinceOf(connection, since) : since,
        );
        const trimmed = await broker.trimmedThrough(projectId, address);
        const start = Math.max(after.sequence, floor);
        const expired = bounds ? await broker.expiredThrough(projectId, address, bounds, start) : start;
        if (isLost) throw positionLost();
        if (Math.max(trimmed, expired) > start) throw positionLost({ isFiltered: eventNames !== undefined });
        logSubscriber.begin({ after, head });
        stream.startPosition = after;
      } catch (error) {
        logSubscriber.stop();
        throw error;
      }
      return new ChannelMessages(deps, stream, logSubscriber, channelId, eventNames);
    },
  );
}

/** Connects the log subscriber of one channel to the sink of one stream. A single object, to save memory per subscription. */
class ChannelMessages implements ChannelSource<Message>, LogSink {
  readonly #presence: Presence;
  readonly #stream: EventStream<Message>;
  readonly #logSubscriber: LogSubscriber;
  readonly #channelId: string;
  readonly #eventNames: ReadonlySet<string> | undefined;
  #sink: Sink<Message> | undefined;

  constructor(
    { presence }: ChannelMessagesDeps,
    stream: EventStream<Message>,
    logSubscriber: LogSubscriber,
    channelId: string,
    eventNames: ReadonlySet<string> | undefined,
  ) {
    this.#presence = presence;
    this.#stream = stream;
    this.#logSubscriber = logSubscriber;
    this.#channelId = channelId;
    this.#eventNames = eventNames;
  }

  start(sink: Sink<Message>, channelAccess: ChannelAccess): void {
    this.#sink = sink;
    // The channel may have been updated since the stream was opened.
    this.onChannelUpdated(channelAccess);
    this.#presence.joinChannel(this.#stream.connection, this.#channelId);
    this.#logSubscriber.start(this);
  }

  /** A replay that is in progress must not show the past of a channel that is PRIVATE now. */
  onChannelUpdated(channelAccess: ChannelAccess): void {
    const { caller } = this.#stream.connection;
    this.#logSubscriber.hideThrough(channelAddress(this.#channelId), hiddenThrough(caller, channelAccess));
  }

  deliver(batch: Batch<Message>): void {
    const eventNames = this.#eventNames;
    if (!eventNames) return this.#sink?.deliver(batch);
    const selected = batch.filter(({ event }) => eventNames.has(event));
    if (selected.length > 0) this.#sink?.deliver(internBatch(selected));
  }

  whenWritable(): Promise<void> | undefined {
    return this.#sink?.whenWritable();
  }

  span(address: Address): Span | undefined {
    return this.#logSubscriber.span(address);
  }

  progress(): StreamProgress {
    return this.#logSubscriber.progress();
  }

  onLost(): void {
    this.#stream.end(positionLost({ isFiltered: this.#eventNames !== undefined }));
  }

  end(error?: SignalboxError): void {
    this.#stream.end(error);
  }

  stop(reason?: EndReason): void {
    this.#logSubscriber.stop();
    // A stream that was refused before its start has not joined. Another one of the connection may be in the channel.
    if (!this.#sink) return;
    const leaveReason = reason === 'NOT_ALLOWED' ? 'NOT_ALLOWED' : 'LEFT';
    this.#presence.leaveChannel(this.#stream.connection, this.#channelId, leaveReason);
  }
}
