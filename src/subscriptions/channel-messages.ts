import { type Broker } from '../broker/broker.ts';
import { channelAddress, type Message } from '../broker/message.ts';
import { type Access } from '../channels/access.ts';
import { openChannelStream, type ChannelSource, type EndReason } from './channel-stream.ts';
import { type Connection } from '../connections/connection.ts';
import { type EventStream, type Sink } from './event-stream.ts';
import { type SignalRouter } from './signal-router.ts';
import { SignalboxError } from '../errors.ts';
import { parseName } from '../names.ts';
import { internBatch, type Batch } from '../batch.ts';
import { type Presence } from '../presence/presence.ts';
import { type Cursors } from '../messages/cursor.ts';
import { floorOf, positionLostError } from '../messages/readable.ts';
import { LogSubscriber, type LogSink } from './log-subscriber.ts';
import { type SubscriberIndex } from './subscriber-index.ts';
import { startAfter } from '../messages/start-position.ts';

export interface StreamDeps {
  broker: Broker;
  subscriberIndex: SubscriberIndex;
  signalRouter: SignalRouter;
  access: Access;
  presence: Presence;
  cursors: Cursors;
  replayed: (count: number) => void;
}

export interface ChannelMessagesOptions {
  /** A cursor to resume after; absent: from now on. */
  since?: string | undefined;
  /** Only messages of these event names, at most 100; absent: all. */
  events?: readonly string[] | undefined;
}

/** Event names that one subscription may name. */
export const MAX_EVENT_NAMES = 100;

/**
 * The messages of one channel, in order, after `since` or from now on.
 * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may hear it; POSITION_LOST when not all since
 * `since` is kept; BAD_USER_INPUT. Ends with the refusal when it may no longer hear it.
 */
export function openChannelMessages(
  parts: StreamDeps,
  connection: Connection,
  channelId: string,
  { since, events }: ChannelMessagesOptions,
): Promise<EventStream<Message>> {
  const { broker, cursors } = parts;
  const { projectId } = connection;
  const wanted = events && new Set(events.map((event) => parseName('event', event, 'events')));
  if (wanted && wanted.size > MAX_EVENT_NAMES) {
    throw new SignalboxError('LIMIT_EXCEEDED', `At most ${MAX_EVENT_NAMES} event names.`, {
      limit: MAX_EVENT_NAMES,
    });
  }
  return openChannelStream<Message>(parts, connection, 'SUBSCRIBE', channelId, async (stream, encounter) => {
    const address = channelAddress(channelId);
    const floor = floorOf(connection.caller, encounter);
    const logSubscriber = new LogSubscriber(parts, connection);
    logSubscriber.subscribe(address, floor);
    try {
      const { after, head, positionLost } = await startAfter({ broker, cursors }, projectId, since);
      const trimmed = await broker.trimmedThrough(projectId, address);
      if (positionLost || trimmed > Math.max(after.sequence, floor)) throw positionLostError();
      logSubscriber.begin({ after, head });
    } catch (error) {
      logSubscriber.stop();
      throw error;
    }
    return new ChannelMessages(parts, stream, logSubscriber, channelId, wanted);
  });
}

/** Leads from the logSubscriber of one channel to the sink of one subscription. One object, for there are as many as subscriptions. */
class ChannelMessages implements ChannelSource<Message>, LogSink {
  readonly onReplayed: StreamDeps['replayed'];
  readonly #presence: Presence;
  readonly #stream: EventStream<Message>;
  readonly #logSubscriber: LogSubscriber;
  readonly #channelId: string;
  readonly #wanted: ReadonlySet<string> | undefined;
  #sink: Sink<Message> | undefined;

  constructor(
    { presence, replayed }: StreamDeps,
    stream: EventStream<Message>,
    logSubscriber: LogSubscriber,
    channelId: string,
    wanted: ReadonlySet<string> | undefined,
  ) {
    this.onReplayed = replayed;
    this.#presence = presence;
    this.#stream = stream;
    this.#logSubscriber = logSubscriber;
    this.#channelId = channelId;
    this.#wanted = wanted;
  }

  start(sink: Sink<Message>): void {
    this.#sink = sink;
    this.#presence.enter(this.#stream.connection, this.#channelId);
    this.#logSubscriber.start(this);
  }

  deliver(run: Batch<Message>): void {
    const wanted = this.#wanted;
    if (!wanted) return this.#sink?.deliver(run);
    const heard = run.filter(({ event }) => wanted.has(event));
    if (heard.length > 0) this.#sink?.deliver(internBatch(heard));
  }

  onLost(): void {
    this.#stream.end(positionLostError());
  }

  room(): Promise<void> | undefined {
    return this.#sink?.room();
  }

  onFailed(error: SignalboxError): void {
    this.#stream.end(error);
  }

  stop(reason?: EndReason): void {
    this.#logSubscriber.stop();
    const why = reason === 'NOT_ALLOWED' ? 'NOT_ALLOWED' : 'LEFT';
    this.#presence.exit(this.#stream.connection, this.#channelId, why);
  }
}
