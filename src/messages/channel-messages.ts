import { type Broker } from '../broker/broker.ts';
import { channelAddress, type Message } from '../broker/message.ts';
import { type Access, type Encounter } from '../channels/access.ts';
import { openChannelStream, type ChannelSource, type EndReason } from '../connections/channel-stream.ts';
import { type Connection } from '../connections/connection.ts';
import { type EventStream, type Sink } from '../connections/stream.ts';
import { type Watch } from '../connections/watch.ts';
import { SignalboxError } from '../errors.ts';
import { parseName } from '../names.ts';
import { runOf, type Run } from '../run.ts';
import { type Presence } from '../presence/presence.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Cursors } from './cursor.ts';
import { Feed, type FeedSink } from './feed.ts';
import { type Hearers } from './hearers.ts';
import { startAfter } from './resume.ts';

export interface StreamParts {
  broker: Broker;
  hearers: Hearers;
  watch: Watch;
  access: Access;
  presence: Presence;
  cursors: Cursors;
  replayed: (count: number) => void;
}

/** Event names that one subscription may name. */
export const MAX_EVENT_NAMES = 100;

/**
 * The messages of one channel, in order, after `since` or from now on.
 * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may hear it; POSITION_LOST when not all since
 * `since` is kept; BAD_USER_INPUT. Ends with the refusal when it may no longer hear it.
 */
export function openChannelMessages(
  parts: StreamParts,
  connection: Connection,
  channelId: string,
  { since, events }: { since?: string | undefined; events?: readonly string[] | undefined },
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
    const feed = new Feed(parts, connection);
    feed.hear(address, floor);
    try {
      const head = await broker.head(projectId);
      const { after, positionLost } = startAfter(cursors, projectId, since, head);
      const trimmed = await broker.trimmedThrough(projectId, address);
      if (positionLost || trimmed > Math.max(after.sequence, floor)) throw positionLostError();
      feed.begin({ after, head });
    } catch (error) {
      feed.stop();
      throw error;
    }
    return new ChannelMessages(parts, stream, feed, channelId, wanted);
  });
}

/** Leads from the feed of one channel to the sink of one subscription. One object, for there are as many as subscriptions. */
class ChannelMessages implements ChannelSource<Message>, FeedSink {
  readonly replayed: StreamParts['replayed'];
  readonly #presence: Presence;
  readonly #stream: EventStream<Message>;
  readonly #feed: Feed;
  readonly #channelId: string;
  readonly #wanted: ReadonlySet<string> | undefined;
  #sink: Sink<Message> | undefined;

  constructor(
    { presence, replayed }: StreamParts,
    stream: EventStream<Message>,
    feed: Feed,
    channelId: string,
    wanted: ReadonlySet<string> | undefined,
  ) {
    this.replayed = replayed;
    this.#presence = presence;
    this.#stream = stream;
    this.#feed = feed;
    this.#channelId = channelId;
    this.#wanted = wanted;
  }

  start(sink: Sink<Message>): void {
    this.#sink = sink;
    this.#presence.enter(this.#stream.connection, this.#channelId);
    this.#feed.start(this);
  }

  take(run: Run<Message>): void {
    const wanted = this.#wanted;
    if (!wanted) return this.#sink?.push(run);
    const heard = run.filter(({ event }) => wanted.has(event));
    if (heard.length > 0) this.#sink?.push(runOf(heard));
  }

  lost(): void {
    this.#stream.end(positionLostError());
  }

  room(): Promise<void> | undefined {
    return this.#sink?.room();
  }

  failed(error: SignalboxError): void {
    this.#stream.end(error);
  }

  stop(reason?: EndReason): void {
    this.#feed.stop();
    const why = reason === 'NOT_ALLOWED' ? 'NOT_ALLOWED' : 'LEFT';
    this.#presence.exit(this.#stream.connection, this.#channelId, why);
  }
}

/** What came up to here is not the caller's to read: it was said in an earlier channel of this name, or before it was let in. */
export function floorOf(caller: Caller, { channel, membership }: Encounter): number {
  const letInAfter =
    caller.kind === 'TOKEN' && channel.type === 'PRIVATE' ? (membership?.beganAfter ?? 0) : 0;
  return Math.max(channel.createdAfter, letInAfter);
}

export function positionLostError(): SignalboxError {
  return new SignalboxError('POSITION_LOST', 'The log no longer holds everything since this cursor.');
}
