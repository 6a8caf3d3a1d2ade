import { type SignalboxError } from '../errors.ts';
import { type Batch } from '../batch.ts';
import { type Connection } from '../connections/connection.ts';

/** Where the events of a stream go. */
export interface Sink<T> {
  deliver(events: Batch<T>): void;
  /** Undefined while there is room; otherwise resolves when there is again, or when the sink is gone. */
  room(): Promise<void> | undefined;
  /** Forgets what it was given and has not handed on. */
  discard?(): void;
  /** Nothing follows. With an error: why. */
  end(error?: SignalboxError): void;
}

/** Where the events of a stream come from. */
export interface Source<T> {
  /** Called once, when there is a sink. */
  start(sink: Sink<T>): void;
  /** The connection's caller has changed: look again at what it may hear. */
  reauthorize(): void;
  /** Called once, when nobody listens any more. */
  stop(): void;
}

/** Events that wait for a reader who pulls; one more and the stream ends with SLOW_CONSUMER. */
export const MAX_PULLED_EVENTS = 1000;
const ROOM_BELOW = 100;

/**
 * What a subscription yields, bound to the life of its connection. Its events are either pushed into a sink
 * (`attach`) or pulled (`for await`); either may be done once.
 */
export class EventStream<T> implements AsyncIterable<T> {
  readonly connection: Connection;
  readonly #source: Source<T>;
  #sink: Sink<T> | undefined;
  #ended: { error: SignalboxError | undefined } | undefined;

  constructor(connection: Connection, source: Source<T>) {
    this.connection = connection;
    this.#source = source;
    connection.add(this);
  }

  attach(sink: Sink<T>): void {
    if (this.#sink) throw new TypeError('A stream has one sink.');
    this.#sink = sink;
    if (this.#ended) sink.end(this.#ended.error);
    else this.#source.start(sink);
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

  /** Ends it for both sides; repeating it changes nothing. */
  end(error?: SignalboxError): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.#source.stop();
    this.connection.remove(this);
    this.#sink?.end(error);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    const waiting: T[] = [];
    const wake = new Waker();
    const room = new Waker();
    let over: { error?: SignalboxError } | undefined;
    this.attach({
      deliver: (events) => {
        if (over) return;
        waiting.push(...events);
        if (waiting.length > MAX_PULLED_EVENTS) {
          waiting.length = 0;
          this.connection.close('SLOW_CONSUMER');
        }
        wake.call();
      },
      room: () => (waiting.length < ROOM_BELOW ? undefined : room.wait()),
      discard: () => (waiting.length = 0),
      end: (error) => {
        over = error ? { error } : {};
        wake.call();
        room.call();
      },
    });
    const iterator: AsyncIterableIterator<T> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        while (waiting.length === 0 && !over) await wake.wait();
        if (waiting.length < ROOM_BELOW) room.call();
        if (waiting.length > 0) return { value: waiting.shift() as T, done: false };
        if (over?.error) {
          const { error } = over;
          over = {};
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

/** One promise at a time that a call resolves. */
class Waker {
  #waiting: { promise: Promise<void>; resolve: () => void } | undefined;

  wait(): Promise<void> {
    if (!this.#waiting) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#waiting = { promise, resolve };
    }
    return this.#waiting.promise;
  }

  call(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
