import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { type Connection } from '../connections/connection.ts';
import { EventStream, type Sink } from '../subscriptions/event-stream.ts';
import { SignalboxError } from '../errors.ts';
import { type Batch } from '../batch.ts';
import { SerializedResults } from './serialized-results.ts';
import { type OperationId, type OperationIds } from './operation-id.ts';
import { type Outbox } from './outbox.ts';
import { type SharedOperation, type SharedOperations } from './shared-operation.ts';
import { type PublicError } from './public-errors.ts';

/** Results that may be in the making for one connection; beyond, it is a slow consumer. */
const MAX_PENDING = 1000;

/** What a socket is to the fan-out: the connection, where its frames go, and what is still being made for it. */
export interface Receiver {
  readonly connection: Connection;
  readonly outbox: Outbox;
  /** The network address of its peer. */
  readonly address: string;
  /** Settles when the last result in the making has been sent; undefined while there is none. */
  tail: Promise<void> | undefined;
  pending: number;
  /** Its live subscriptions. */
  subscriptions: number;
}

export interface FanOutDeps {
  sharedOperations: SharedOperations;
  operationIds: OperationIds;
  publicError: PublicError;
  delivered: (count: number) => void;
  /** Subscriptions that one connection may have. */
  maxSubscriptions: number;
}

/**
 * Subscribes as graphql-js does, so that arguments, authorisation and errors are its own; then takes the events of our
 * streams out of its hands: they are executed by a plan that all like-minded subscribers share, and written to the
 * socket. What is returned only ends.
 */
export async function subscribe(
  parts: FanOutDeps,
  args: ExecutionArgs,
  operationId: string,
  receiver: Receiver,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  const refuse = (errors: readonly unknown[]) => ({
    errors: errors.map((error) => parts.publicError(error, receiver.connection.caller)),
  });
  if (!(source instanceof EventStream)) return refuse((source as ExecutionResult).errors ?? []);
  // Counted here, for the protocol counts ids, and an id may be used again while what it began is still in the making.
  const limit = parts.maxSubscriptions;
  if (receiver.subscriptions < limit) return new Subscription(parts, args, operationId, receiver, source);
  source.end();
  return refuse([tooManyOperations(limit)]);
}

export function tooManyOperations(limit: number): SignalboxError {
  return new SignalboxError('LIMIT_EXCEEDED', `At most ${limit} operations may be open on one connection.`, {
    limit,
  });
}

type Done = IteratorReturnResult<undefined>;
const DONE: Done = { value: undefined, done: true };

/**
 * One operation of one socket: takes the events of its stream, and is to graphql-ws an iterator without values, which is
 * done, or fails, when the stream ends. One object, for there are as many of them as subscriptions.
 */
class Subscription implements Sink<unknown>, AsyncIterableIterator<ExecutionResult> {
  readonly #parts: FanOutDeps;
  readonly #args: ExecutionArgs;
  readonly #id: OperationId;
  readonly #sharedOperation: SharedOperation;
  readonly #receiver: Receiver;
  readonly #source: EventStream<unknown>;
  #over: { error: SignalboxError | undefined } | undefined;
  #settle: ((result: Promise<Done>) => void) | undefined;

  constructor(
    parts: FanOutDeps,
    args: ExecutionArgs,
    operationId: string,
    receiver: Receiver,
    source: EventStream<unknown>,
  ) {
    this.#parts = parts;
    this.#args = args;
    this.#id = parts.operationIds.take(operationId);
    this.#sharedOperation = parts.sharedOperations.take(args, receiver.connection.projectId);
    this.#receiver = receiver;
    this.#source = source;
    receiver.subscriptions++;
    source.attach(this);
  }

  /** Sends what is made, in the order of the pushes of this connection, also where one takes longer to make. */
  deliver(events: Batch<unknown>): void {
    const receiver = this.#receiver;
    try {
      const made = this.#sharedOperation.execute(events, this.#args);
      if (made instanceof SerializedResults && !receiver.tail) this.#send(made);
      else this.#sendLater(made, events.length);
    } catch (error) {
      this.#fail(error);
    }
  }

  #send(executed: SerializedResults): void {
    const { connection, outbox } = this.#receiver;
    // It may have been made for a connection that has ended since, or for an operation, whose id may be another's by now.
    if (connection.closed !== undefined || this.#over) return;
    outbox.send(executed.framesFor(this.#id), this.#id);
    this.#parts.delivered(executed.count);
  }

  #sendLater(made: SerializedResults | Promise<SerializedResults>, count: number): void {
    const receiver = this.#receiver;
    // It is looked at when its turn comes; until then a failure of it would be nobody's, and end the process.
    if (made instanceof Promise) made.catch(() => undefined);
    receiver.pending += count;
    if (receiver.pending > MAX_PENDING) return receiver.connection.close('SLOW_CONSUMER');
    const tail = (receiver.tail ?? Promise.resolve())
      .then(() => made)
      .then((executed) => this.#send(executed))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        receiver.pending -= count;
        if (receiver.tail === tail) receiver.tail = undefined;
      });
    receiver.tail = tail;
  }

  /** A result that cannot be made is a fault of ours, logged by now; the subscription ends rather than leave it out. */
  #fail(error: unknown): void {
    const { message } = this.#parts.publicError(error, this.#receiver.connection.caller);
    this.#source.end(new SignalboxError('INTERNAL_SERVER_ERROR', message));
  }

  room(): Promise<void> | undefined {
    return this.#receiver.outbox.room();
  }

  end(error?: SignalboxError): void {
    const { tail } = this.#receiver;
    if (tail) void tail.then(() => this.#finish(error));
    else this.#finish(error);
  }

  #finish(error?: SignalboxError): void {
    if (this.#over) return;
    // A connection that has ended was told by its close; the protocol has nobody to tell.
    this.#over = { error: this.#receiver.connection.closed === undefined ? error : undefined };
    this.#receiver.subscriptions--;
    this.#parts.sharedOperations.release(this.#sharedOperation);
    this.#parts.operationIds.release(this.#id);
    this.#source.end();
    this.#settle?.(this.#result());
  }

  /** One promise for as long as it lives: a function that waits would hold ten times as much. */
  next(): Promise<Done> {
    return this.#over ? this.#result() : new Promise((settle) => (this.#settle = settle));
  }

  return(): Promise<Done> {
    this.#finish();
    return Promise.resolve(DONE);
  }

  /** The error is told once. */
  #result(): Promise<Done> {
    const error = this.#over?.error;
    this.#over = { error: undefined };
    return error ? Promise.reject(error) : Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
