/**
 * Delivery: executes a batch of events once for all subscribers with equivalent operations.
 * Before this step: `fan-out`. Next: `serialized-results` serializes the execution results.
 */
import { execute, type DocumentNode, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { type Batch } from '../batch.ts';
import { senderKeyOfCaller } from '../messages/sender.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { computeShape, type OperationShape } from './operation-shape.ts';
import { ResultCache } from './result-cache.ts';
import { SerializedResults } from './serialized-results.ts';
import { type PublicError } from './public-errors.ts';
import { ViewerlessContext } from './viewerless-context.ts';

/** Undefined if the results depend on the viewer, so that each subscriber needs an execution of its own. */
type SharedResults = SerializedResults | undefined;

/**
 * A subscription operation that is executed and serialized once per batch for all its subscribers.
 *
 * The shared execution runs with a viewerless context. If a resolver accesses the viewer, the results are discarded, the
 * operation becomes `perViewer`, and each subscriber is executed with its own context from then on. A field that depends
 * on the viewer therefore cannot be shared, even if its author did not think of sharing.
 *
 * A field that only the sender of a message may read (`Context.isSender`) keeps the operation shared: its results are shared
 * by everyone but the senders in the batch, and each sender shares a second execution with its other connections.
 */
export class SharedOperation {
  subscribers = 0;
  readonly key: string;
  readonly #args: ExecutionArgs;
  readonly #domain: Domain;
  readonly #publicError: PublicError;
  readonly #resultCache: ResultCache;
  /** Weak, because a batch can reference a connection and its socket. */
  readonly #resultsByBatch = new WeakMap<Batch<unknown>, SerializedResults>();
  /** The results of the senders in a batch, beside its shared results. */
  readonly #resultsBySender = new WeakMap<
    SerializedResults,
    Map<string, SharedResults | Promise<SharedResults>>
  >();
  readonly #self = new WeakRef<SharedOperation>(this);
  #perViewer = false;
  #last: { batch: Batch<unknown>; results: SharedResults | Promise<SharedResults> } | undefined;

  constructor(
    { key, args }: { key: string; args: ExecutionArgs },
    { domain, publicError, resultCache }: SharedOperationDeps & { resultCache: ResultCache },
  ) {
    this.key = key;
    this.#args = { ...args, contextValue: undefined };
    this.#domain = domain;
    this.#publicError = publicError;
    this.#resultCache = resultCache;
  }

  /** Whether the results depend on the viewer, as far as they were executed. */
  get isPerViewer(): boolean {
    return this.#perViewer;
  }

  /**
   * The results of a batch of events: shared by all subscribers, or executed for one subscriber if they depend on the
   * viewer.
   *
   * @param viewerArgs the execution arguments of this subscriber, used when the operation is per viewer
   * @param share `countViewerExecution` is called before an execution for this subscriber alone; it may throw to refuse it
   */
  execute(
    batch: Batch<unknown>,
    viewerArgs: ExecutionArgs,
    share?: { countViewerExecution(): void },
  ): SerializedResults | Promise<SerializedResults> {
    if (this.#perViewer) return this.#executeForViewer(batch, viewerArgs, share);
    if (this.#last?.batch !== batch)
      this.#last = { batch, results: this.#resultsByBatch.get(batch) ?? this.#executeShared(batch) };
    const forViewer = (shared: SharedResults) => shared ?? this.#executeForViewer(batch, viewerArgs, share);
    return andThen(this.#last.results, (shared) =>
      shared?.senders ? andThen(this.#ofSender(batch, shared, viewerArgs), forViewer) : forViewer(shared),
    );
  }

  /** The results for this viewer: those of a sender if it sent a message of the batch, otherwise the shared results. */
  #ofSender(
    batch: Batch<unknown>,
    shared: SerializedResults,
    { contextValue }: ExecutionArgs,
  ): SharedResults | Promise<SharedResults> {
    const { connection } = contextValue as Context;
    const sender = connection && senderKeyOfCaller(connection.caller);
    if (sender === undefined || !shared.senders?.has(sender)) return shared;
    const bySender = this.#resultsBySender.get(shared) ?? new Map<string, SharedResults>();
    this.#resultsBySender.set(shared, bySender);
    if (!bySender.has(sender)) bySender.set(sender, this.#executeShared(batch, sender));
    return bySender.get(sender);
  }

  /** @param sender executes for the connections of this sender; see `senderKey` */
  #executeShared(batch: Batch<unknown>, sender?: string): SharedResults | Promise<SharedResults> {
    const contextValue = new ViewerlessContext(this.#domain, sender, () => (this.#perViewer = true));
    const serialize = (results: ExecutionResult[]): SharedResults => {
      // Errors contain locations in the document, which differ between equivalent documents.
      if (this.#perViewer || results.some(({ errors }) => errors)) return undefined;
      const serialized = new SerializedResults(results, this.#publicError, contextValue.senders);
      if (sender === undefined) this.#resultsByBatch.set(batch, serialized);
      const bytes = serialized.estimatedBytes;
      this.#resultCache.add({ bytes, owner: this.#self, batch: new WeakRef(batch) });
      return serialized;
    };
    return andThen(executeBatch(batch, { ...this.#args, contextValue }), serialize);
  }

  /** Drops the results of a batch; they are executed again if another subscriber needs them. */
  evict(batch: Batch<unknown>): void {
    this.#resultsByBatch.delete(batch);
    if (this.#last?.batch === batch) this.#last = undefined;
  }

  #executeForViewer(
    batch: Batch<unknown>,
    viewerArgs: ExecutionArgs,
    share: { countViewerExecution(): void } | undefined,
  ): SerializedResults | Promise<SerializedResults> {
    share?.countViewerExecution();
    return andThen(
      executeBatch(batch, viewerArgs),
      (results) => new SerializedResults(results, this.#publicError),
    );
  }
}

/** The result of each event. A promise only if at least one result is a promise. */
function executeBatch(
  batch: Batch<unknown>,
  args: ExecutionArgs,
): ExecutionResult[] | Promise<ExecutionResult[]> {
  const results = batch.map((event) => execute({ ...args, rootValue: event }));
  return results.some((result) => result instanceof Promise)
    ? Promise.all(results.map((result) => Promise.resolve(result)))
    : (results as ExecutionResult[]);
}

function andThen<A, B>(value: A | Promise<A>, next: (value: A) => B | Promise<B>): B | Promise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** The shared operations that have subscribers. */
export interface SharedOperations {
  readonly count: number;
  /** Finds or creates the shared operation for these arguments. Call `release` once for each `acquire`. */
  acquire(args: ExecutionArgs, projectId: string): SharedOperation;
  release(operation: SharedOperation): void;
}

export interface SharedOperationDeps {
  domain: Domain;
  publicError: PublicError;
}

/** Estimated bytes of recent results that are cached. Frames for ids of a second length are not part of the estimate. */
const RESULT_CACHE_BYTES = 32 * 1024 * 1024;

export function createSharedOperations(deps: SharedOperationDeps): SharedOperations {
  const resultCache = new ResultCache(RESULT_CACHE_BYTES);
  const operations = new Map<string, SharedOperation>();
  const shapes = new WeakMap<DocumentNode, Map<string, OperationShape>>();

  function shapeOf({ document, operationName: name, schema }: ExecutionArgs): OperationShape {
    const operationName = name ?? '';
    const shapesByName = shapes.get(document) ?? new Map<string, OperationShape>();
    shapes.set(document, shapesByName);
    let shape = shapesByName.get(operationName);
    if (!shape) {
      shape = computeShape(document, operationName, schema);
      shapesByName.set(operationName, shape);
    }
    return shape;
  }

  return {
    get count() {
      return operations.size;
    },
    acquire(args, projectId) {
      const { textHash, variables, document } = shapeOf(args);
      // JSON omits undefined properties, so an absent variable (which takes its default) differs from null.
      const values = Object.fromEntries(variables.map((name) => [name, args.variableValues?.[name]]));
      const key = JSON.stringify([projectId, textHash, values]);
      let operation = operations.get(key);
      if (!operation) {
        operation = new SharedOperation({ key, args: { ...args, document } }, { ...deps, resultCache });
        operations.set(key, operation);
      }
      operation.subscribers++;
      return operation;
    },
    release(operation) {
      operation.subscribers--;
      if (operation.subscribers === 0 && operations.get(operation.key) === operation)
        operations.delete(operation.key);
    },
  };
}
