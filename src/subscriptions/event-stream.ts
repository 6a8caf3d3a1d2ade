import assert from 'node:assert/strict';
import { type SignalboxError } from '../errors.ts';
import { type Batch } from '../batch.ts';
import { type Address } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type Connection, type StreamProgress } from '../connections/connection.ts';
import { type Span } from '../connections/reception.ts';

/** The destination of the events of a stream. */
export interface Sink<T> {
  deliver(events: Batch<T>): void;
  /** Undefined while the sink has room; otherwise a promise that resolves when it has room again or is closed. */
  whenWritable(): Promise<void> | undefined;
  /** Drops events that were delivered but not sent yet. */
  discard?(): void;
  /** No event follows. `error` is the reason, if any. */
  end(error?: SignalboxError): void;
}

/** The origin of the events of a stream. */
export interface Source<T> {
  /** Set if all events are about one channel. */
  readonly channelId?: string;
  /** Called once, when the stream has a sink. */
  start(sink: Sink<T>): void;
  /** See `ConnectionStream.progress`. Absent if the source never reads the log. */
  progress?(): StreamProgress | undefined;
  /** See `LogSubscriber.span`. Absent if the source never reads the log. */
  span?(address: Address): Span | undefined;
  /** Called after the caller of the connection changed: checks again which events the caller may receive. */
  reauthorize(): void;
  /** Called once, when the stream has ended. */
  stop(): void;
}

/** Maximum number of events queued for a pulling consumer. Beyond it, the connection is closed with SLOW_CONSUMER. */
const MAX_QUEUED_EVENTS = 1000;
/** A pulling consumer has room while fewer events than this are queued. */
const ROOM_BELOW = 100;

/**
 * The events of a subscription, bound to the lifetime of its connection. The events are either pushed into a sink
 * (`attach`) or pulled (`for await`); a stream supports one consumer.
 */
export class EventStream<T> implements AsyncIterable<T> {
  readonly connection: Connection;
  /** The position after which the stream began, if its events do not start with one. Set before the stream has a consumer. */
  startPosition: Position | undefined;
  readonly #source: Source<T>;
  #sink: Sink<T> | undefined;
  #ended: { error: SignalboxError | undefined } | undefined;

  constructor(connection: Connection, source: Source<T>) {
    this.connection = connection;
    this.#source = source;
    connection.add(this);
  }

  attach(sink: Sink<T>): void {
    assert(!this.#sink, 'EventStream.attach() called twice');
    this.#sink = sink;
    if (this.#ended) sink.end(this.#ended.error);
    else this.#source.start(sink);
  }

  /** The channel that all events are about; undefined if there is no single one. */
  get channelId(): string | undefined {
    return this.#source.channelId;
  }

  progress(): StreamProgress | undefined {
    return this.#source.progress?.();
  }

  span(address: Address): Span | undefined {
    return this.#source.span?.(address);
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  reauthorize(): void {
    this.#source.reauthorize();
  }

  discard(): void {
    this.#sink?.discard?.();
  }

  /** Stops the source and ends the sink. Idempotent. */
  end(error?: SignalboxError): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.#source.stop();
    this.connection.remove(this);
    this.#sink?.end(error);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    const queue: T[] = [];
    const eventOrEnd = new Notifier();
    const room = new Notifier();
    let ended: { error?: SignalboxError } | undefined;
    this.attach({
      deliver: (events) => {
        if (ended) return;
        queue.push(...events);
        if (queue.length > MAX_QUEUED_EVENTS) {
          queue.length = 0;
          this.connection.close('SLOW_CONSUMER');
        }
        eventOrEnd.notify();
      },
      whenWritable: () => (queue.length < ROOM_BELOW ? undefined : room.wait()),
      discard: () => (queue.length = 0),
      end: (error) => {
        ended = error ? { error } : {};
        eventOrEnd.notify();
        room.notify();
      },
    });
    const iterator: AsyncIterableIterator<T> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        while (queue.length === 0 && !ended) await eventOrEnd.wait();
        // The caller may have lost access since the events were queued.
        this.connection.applyDue();
        if (queue.length < ROOM_BELOW) room.notify();
        if (queue.length > 0) return { value: queue.shift() as T, done: false };
        if (ended?.error) {
          const { error } = ended;
          ended = {};
          throw error;
        }
        return { value: undefined, done: true };
      },
      return: async () => {
        this.end();
        return { value: undefined, done: true };
      },
    };
    return iterator;
  }
}

/** A promise that can be awaited repeatedly: `notify` resolves the current one. */
class Notifier {
  #pending: { promise: Promise<void>; resolve: () => void } | undefined;

  wait(): Promise<void> {
    if (!this.#pending) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#pending = { promise, resolve };
    }
    return this.#pending.promise;
  }

  notify(): void {
    this.#pending?.resolve();
    this.#pending = undefined;
  }
}
