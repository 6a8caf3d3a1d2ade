/**
 * Delivery: takes each published batch from an event stream and delivers it to the sockets that subscribe.
 * Next: `shared-operation` executes the batch once for equivalent operations. The whole path is
 * fan-out → shared-operation → serialized-results → shared-frames → outbox.
 */
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { EventStream, type Sink } from '../subscriptions/event-stream.ts';
import { type RightsWatches } from '../connections/rights-watch.ts';
import { SignalboxError } from '../errors.ts';
import { type Batch } from '../batch.ts';
import { SerializedResults } from './serialized-results.ts';
import { type OperationId, type OperationIds } from './operation-id.ts';
import { type SharedOperation, type SharedOperations } from './shared-operation.ts';
import { type OperationUse, type DistinctOperationLimits } from './distinct-operation-limits.ts';
import { type PublicError } from './public-errors.ts';
import { type AcknowledgedSession } from './websocket-session.ts';

/** How often events are executed, because the rights of their viewer changed during each execution. */
const MAX_EXECUTIONS = 5;
/** Results that may be pending for one session. Beyond this number the connection closes as a slow consumer. */
const MAX_PENDING_RESULTS = 1000;

export interface FanOutDeps {
  sharedOperations: SharedOperations;
  distinctOperations: DistinctOperationLimits;
  operationIds: OperationIds;
  publicError: PublicError;
  /** Is called with the project and the number of results after each delivery. */
  onDelivered: (projectId: string, count: number) => void;
  /** Live subscriptions that one session may have. */
  maxSubscriptions: number;
  /** See `Broker.untilLive`. */
  untilLive: () => Promise<void> | undefined;
  rights: RightsWatches;
}

/**
 * Subscribes a session to an operation. graphql-js creates the source stream, so arguments, authorization and errors are
 * those of the schema. The events bypass graphql-js: a shared operation executes them, and the session's outbox writes
 * the results. The returned iterator therefore yields no values; it only ends or fails.
 */
export async function subscribe(
  deps: FanOutDeps,
  args: ExecutionArgs,
  operationId: string,
  session: AcknowledgedSession,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  const refuse = (errors: readonly unknown[]) => ({
    errors: errors.map((error) => deps.publicError(error, session.connection.caller, session.address)),
  });
  if (!(source instanceof EventStream)) return refuse((source as ExecutionResult).errors ?? []);
  // The protocol counts operation ids, but a client can reuse an id while its previous subscription is still starting.
  const limit = deps.maxSubscriptions;
  try {
    if (session.subscriptions >= limit) throw tooManyOperations(limit);
    return new Subscription(deps, args, operationId, session, source);
  } catch (error) {
    source.end();
    return refuse([error]);
  }
}

export function tooManyOperations(limit: number): SignalboxError {
  return new SignalboxError('LIMIT_EXCEEDED', `At most ${limit} operations may be open on one connection.`, {
    limit,
  });
}

type Done = IteratorReturnResult<undefined>;
const DONE: Done = { value: undefined, done: true };

/**
 * One live subscription of a session: the sink of its event stream, and for graphql-ws an iterator without values that
 * is done, or fails, when the stream ends. A single object, to save memory for each subscription.
 */
class Subscription implements Sink<unknown>, AsyncIterableIterator<ExecutionResult> {
  readonly #deps: FanOutDeps;
  readonly #args: ExecutionArgs;
  readonly #id: OperationId;
  readonly #sharedOperation: SharedOperation;
  readonly #operationUse: OperationUse;
  readonly #session: AcknowledgedSession;
  readonly #source: EventStream<unknown>;
  #ended: { error: SignalboxError | undefined } | undefined;
  #resolveNext: ((result: Promise<Done>) => void) | undefined;

  constructor(
    deps: FanOutDeps,
    args: ExecutionArgs,
    operationId: string,
    session: AcknowledgedSession,
    source: EventStream<unknown>,
  ) {
    this.#deps = deps;
    this.#args = args;
    this.#sharedOperation = deps.sharedOperations.acquire(args, session.connection.projectId);
    try {
      this.#operationUse = deps.distinctOperations.acquire(session, this.#sharedOperation, source.channelId);
    } catch (error) {
      deps.sharedOperations.release(this.#sharedOperation);
      throw error;
    }
    this.#id = deps.operationIds.acquire(operationId);
    this.#session = session;
    this.#source = source;
    session.subscriptions++;
    source.attach(this);
  }

  /** Sends the results of a batch. Results of one session are sent in the order of its batches, even if some are slower. */
  deliver(events: Batch<unknown>): void {
    try {
      const results = this.#sharedOperation.execute(events, this.#args, this.#operationUse);
      if (results instanceof SerializedResults && !this.#session.tail) this.#send(results);
      else this.#sendLater(results, events);
    } catch (error) {
      this.#fail(error);
    }
  }

  #send(results: SerializedResults): void {
    const { connection, outbox } = this.#session;
    // Results can arrive after the connection or the subscription has ended; by then the client may have reused the id.
    if (connection.closed !== undefined || this.#ended) return;
    outbox.send(results.framesFor(this.#id), this.#id);
    this.#deps.onDelivered(connection.projectId, results.count);
  }

  #sendLater(results: SerializedResults | Promise<SerializedResults>, events: Batch<unknown>): void {
    const session = this.#session;
    const count = events.length;
    // The chain below handles a rejection, but only after the results before it; until then it would count as unhandled.
    if (results instanceof Promise) results.catch(() => undefined);
    session.pending += count;
    if (session.pending > MAX_PENDING_RESULTS) return session.connection.close('SLOW_CONSUMER');
    const current = this.#byCurrentRights(results, events);
    current.catch(() => undefined);
    const tail = (session.tail ?? Promise.resolve())
      .then(() => current)
      .then((settled) => {
        // The node may have been paused since, and others may have revoked the caller meanwhile.
        const live = this.#deps.untilLive();
        return live ? live.then(() => settled) : settled;
      })
      .then((settled) => {
        // The caller may have lost access since the events were delivered.
        session.connection.applyDue();
        this.#send(settled);
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        session.pending -= count;
        if (session.tail === tail) session.tail = undefined;
      });
    session.tail = tail;
  }

  /** Executes events again whose fields were read while the rights of the viewer changed, if they depend on the viewer. */
  async #byCurrentRights(
    results: SerializedResults | Promise<SerializedResults>,
    events: Batch<unknown>,
  ): Promise<SerializedResults> {
    let current = results;
    for (let count = 1; count <= MAX_EXECUTIONS; count++) {
      const watch = this.#deps.rights.begin(this.#session.connection.caller);
      try {
        const settled = await current;
        await this.#deps.untilLive();
        if (!watch.hasChanged || !this.#sharedOperation.isPerViewer) return settled;
      } finally {
        watch[Symbol.dispose]();
      }
      if (this.#session.connection.closed !== undefined || this.#ended) break;
      current = this.#sharedOperation.execute(events, this.#args, this.#operationUse);
    }
    return current;
  }

  /** Ends the subscription rather than omit a result. `publicError` has logged the cause. */
  #fail(error: unknown): void {
    if (error instanceof SignalboxError && error.code === 'LIMIT_EXCEEDED') return this.#source.end(error);
    // The node is suspended: clients resume on another one.
    if (error instanceof SignalboxError && error.code === 'UNAVAILABLE')
      return this.#session.connection.close('DRAINING');
    const { message } = this.#deps.publicError(error, this.#session.connection.caller, this.#session.address);
    this.#source.end(new SignalboxError('INTERNAL_SERVER_ERROR', message));
  }

  /** Results that wait for an earlier one, such as a `Connected` whose fields are being read, hold a replay back. */
  whenWritable(): Promise<void> | undefined {
    const { tail, outbox } = this.#session;
    return tail ? tail.then(() => outbox.whenWritable()) : outbox.whenWritable();
  }

  end(error?: SignalboxError): void {
    const { tail } = this.#session;
    if (tail) void tail.then(() => this.#finish(error));
    else this.#finish(error);
  }

  #finish(error?: SignalboxError): void {
    if (this.#ended) return;
    // When the connection has closed, the close code carries the reason.
    this.#ended = { error: this.#session.connection.closed === undefined ? error : undefined };
    this.#session.subscriptions--;
    this.#operationUse.release();
    this.#deps.sharedOperations.release(this.#sharedOperation);
    this.#deps.operationIds.release(this.#id);
    this.#source.end();
    this.#resolveNext?.(this.#takeOutcome());
  }

  /** A pending promise, not an async function: the suspended frame of one takes ten times the memory. */
  next(): Promise<Done> {
    return this.#ended ? this.#takeOutcome() : new Promise((resolve) => (this.#resolveNext = resolve));
  }

  return(): Promise<Done> {
    this.#finish();
    return Promise.resolve(DONE);
  }

  /** Rejects with the error once; afterwards the iterator is done. */
  #takeOutcome(): Promise<Done> {
    const error = this.#ended?.error;
    this.#ended = { error: undefined };
    return error ? Promise.reject(error) : Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
