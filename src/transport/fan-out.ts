import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { type Connection } from '../connections/connection.ts';
import { EventStream } from '../connections/stream.ts';
import { SignalboxError } from '../errors.ts';
import { type Outbox } from './outbox.ts';
import { Executed, type Plan, type Plans } from './plan.ts';
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
}

/**
 * Subscribes as graphql-js does, so that arguments, authorisation and errors are its own; then takes the events of our
 * streams out of its hands: they are executed by a plan that all like-minded subscribers share, and written to the
 * socket. What is returned only ends.
 */
export async function subscribe(
  args: ExecutionArgs,
  operationId: string,
  receiver: Receiver,
  { plans, publicError, delivered }: { plans: Plans; publicError: PublicError; delivered: () => void },
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  if (!(source instanceof EventStream)) {
    const { errors } = source as ExecutionResult;
    return { errors: (errors ?? []).map((error) => publicError(error)) };
  }
  const plan = plans.take(args, receiver.connection.projectId);
  const ending = new Ending(() => {
    plans.release(plan);
    source.end();
  });
  const failed = (error: unknown) => source.end(toFault(publicError(error)));
  source.attach({
    push(event) {
      try {
        push(receiver, operationId, plan.run(event, args), {
          delivered,
          failed,
          isOver: () => ending.isOver,
        });
      } catch (error) {
        failed(error);
      }
    },
    room: () => receiver.outbox.room(),
    end: (error) => {
      const end = () => ending.end(error);
      if (receiver.tail) void receiver.tail.then(end);
      else end();
    },
  });
  return ending;
}

/** A result that cannot be made is a fault of ours, logged by now; the subscription ends rather than leave it out. */
function toFault({ message }: Error): SignalboxError {
  return new SignalboxError('INTERNAL_SERVER_ERROR', message);
}

/** Sends what is made, in the order of the pushes of this connection, also where one takes longer to make. */
function push(
  receiver: Receiver,
  operationId: string,
  made: ReturnType<Plan['run']>,
  {
    delivered,
    failed,
    isOver,
  }: { delivered: () => void; failed: (error: unknown) => void; isOver: () => boolean },
): void {
  const { connection, outbox } = receiver;
  const send = (executed: Executed) => {
    // It may have been made for a connection that has ended since, or for an operation, whose id may be another's by now.
    if (connection.closed !== undefined || isOver()) return;
    outbox.send(executed.frameOf(operationId));
    delivered();
  };
  if (made instanceof Executed && !receiver.tail) return send(made);
  if (++receiver.pending > MAX_PENDING) return connection.close('SLOW_CONSUMER');
  const tail = (receiver.tail ?? Promise.resolve())
    .then(() => made)
    .then(send)
    .catch(failed)
    .finally(() => {
      receiver.pending--;
      if (receiver.tail === tail) receiver.tail = undefined;
    });
  receiver.tail = tail;
}

/** An iterator without values: it is done, or fails, when the stream ends. */
class Ending implements AsyncIterableIterator<ExecutionResult> {
  readonly #released: () => void;
  #over: { error: SignalboxError | undefined } | undefined;
  #wake: (() => void) | undefined;

  constructor(released: () => void) {
    this.#released = released;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  end(error?: SignalboxError): void {
    if (this.#over) return;
    this.#over = { error };
    this.#released();
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (!this.#over) await new Promise<void>((wake) => (this.#wake = wake));
    const error = this.#over?.error;
    this.#over = { error: undefined };
    if (error) throw error;
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
