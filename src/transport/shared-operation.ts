import {
  execute,
  Kind,
  print,
  visit,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type OperationDefinitionNode,
} from 'graphql';
import { type Batch } from '../batch.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { SerializedResults, ResultCache } from './serialized-results.ts';
import { type PublicError } from './public-errors.ts';

/** Thrown where a shared execution asks who is looking. */
class ViewerAsked extends Error {}

/** Undefined: it turned out that each subscriber is to be shown its own. */
type Shared = SerializedResults | undefined;

/**
 * One way of looking at events, shared by every subscriber that looks the same way: a run of events is executed and
 * serialised once for all of them.
 *
 * It is executed with a context that knows no viewer. A resolver that asks for one spoils the operation: what it made is
 * thrown away, and from then on each subscriber is executed with its own context. So a field that depends on the viewer
 * cannot be shared, whether or not anyone remembered that it does.
 */
export class SharedOperation {
  subscribers = 0;
  readonly key: string;
  readonly #args: ExecutionArgs;
  readonly #publicError: PublicError;
  readonly #recent: ResultCache;
  /** Weakly: a run that nobody else will hear holds what it is about, a connection and its socket for one. */
  readonly #made = new WeakMap<Batch<unknown>, SerializedResults>();
  readonly #self = new WeakRef<SharedOperation>(this);
  #perViewer = false;
  #last: { events: Batch<unknown>; executed: Shared | Promise<Shared> } | undefined;

  constructor(
    { key, args }: { key: string; args: ExecutionArgs },
    { domain, publicError, recent }: SharedOperationDeps & { recent: ResultCache },
  ) {
    this.key = key;
    this.#args = { ...args, contextValue: this.#viewerlessContext(domain) };
    this.#publicError = publicError;
    this.#recent = recent;
  }

  /** The events as this operation shows them; where it is spoilt, as it shows them to the viewer of `own`. */
  execute(events: Batch<unknown>, own: ExecutionArgs): SerializedResults | Promise<SerializedResults> {
    if (this.#perViewer) return this.#executeForViewer(events, own);
    if (this.#last?.events !== events)
      this.#last = { events, executed: this.#made.get(events) ?? this.#share(events) };
    const { executed } = this.#last;
    if (executed instanceof Promise)
      return executed.then((made) => made ?? this.#executeForViewer(events, own));
    return executed ?? this.#executeForViewer(events, own);
  }

  /** Undefined, now or later, when it turns out that the result is each subscriber's own. */
  #share(events: Batch<unknown>): Shared | Promise<Shared> {
    const toShared = (results: ExecutionResult[]): Shared => {
      // An error names places in the document, and of documents that mean the same each has places of its own.
      if (this.#perViewer || results.some(({ errors }) => errors)) return undefined;
      const executed = new SerializedResults(results, this.#publicError);
      this.#made.set(events, executed);
      this.#recent.add(executed.keptBytes, forgetting(this.#self, new WeakRef(events)));
      return executed;
    };
    return andThen(executeEach(events, this.#args), toShared);
  }

  /** There is no room for it any more. */
  forget(events: Batch<unknown>): void {
    this.#made.delete(events);
    if (this.#last?.events === events) this.#last = undefined;
  }

  #executeForViewer(
    events: Batch<unknown>,
    own: ExecutionArgs,
  ): SerializedResults | Promise<SerializedResults> {
    return andThen(executeEach(events, own), (results) => new SerializedResults(results, this.#publicError));
  }

  #viewerlessContext(domain: Domain): Context {
    const ask = (): never => {
      this.#perViewer = true;
      throw new ViewerAsked();
    };
    return {
      domain,
      get caller() {
        return ask();
      },
      get connection() {
        return ask();
      },
      get address() {
        return ask();
      },
      connect: ask,
    };
  }
}

/** Made here, so that it holds neither the operation nor the run. */
function forgetting(operation: WeakRef<SharedOperation>, events: WeakRef<Batch<unknown>>): () => void {
  return () => {
    const run = events.deref();
    if (run) operation.deref()?.forget(run);
  };
}

/** The result of each event; only a promise where one of them is. */
function executeEach(
  events: Batch<unknown>,
  args: ExecutionArgs,
): ExecutionResult[] | Promise<ExecutionResult[]> {
  const results = events.map((event) => execute({ ...args, rootValue: event }));
  return results.some((result) => result instanceof Promise)
    ? Promise.all(results.map((result) => Promise.resolve(result)))
    : (results as ExecutionResult[]);
}

function andThen<A, B>(value: A | Promise<A>, next: (value: A) => B): B | Promise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** What of an operation decides how an event looks: its text without the arguments of its root field, and the variables that are left. */
interface Shape {
  text: string;
  variables: string[];
}

/** The operations in use. */
export interface SharedOperations {
  readonly count: number;
  /** The operation of an operation for one project, shared if there is one; to be released once. */
  take(args: ExecutionArgs, projectId: string): SharedOperation;
  release(operation: SharedOperation): void;
}

export interface SharedOperationDeps {
  domain: Domain;
  publicError: PublicError;
}

/** Of what was executed lately, so much is kept, as far as it is known: frames for ids of a second length are not. */
const RECENT_BYTES = 32 * 1024 * 1024;

export function createSharedOperations(parts: SharedOperationDeps): SharedOperations {
  const recent = new ResultCache(RECENT_BYTES);
  const operations = new Map<string, SharedOperation>();
  const shapes = new WeakMap<DocumentNode, Map<string, Shape>>();

  function shapeOf(document: DocumentNode, operationName: string): Shape {
    const known = shapes.get(document) ?? new Map<string, Shape>();
    shapes.set(document, known);
    let shape = known.get(operationName);
    if (!shape) {
      shape = readShape(document, operationName);
      known.set(operationName, shape);
    }
    return shape;
  }

  return {
    get count() {
      return operations.size;
    },
    take(args, projectId) {
      const { text, variables } = shapeOf(args.document, args.operationName ?? '');
      // By name: what is absent takes its default, which is not what null does.
      const values = Object.fromEntries(variables.map((name) => [name, args.variableValues?.[name]]));
      const key = JSON.stringify([projectId, text, values]);
      let operation = operations.get(key);
      if (!operation) {
        operation = new SharedOperation({ key, args }, { ...parts, recent });
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

function readShape(document: DocumentNode, operationName: string): Shape {
  const rest: string[] = [];
  const variables = new Set<string>();
  for (const node of document.definitions) {
    if (node.kind === Kind.OPERATION_DEFINITION) {
      if (operationName !== '' && node.name?.value !== operationName) continue;
      const bare = withoutRootArguments(node);
      rest.push(print(bare));
      collectVariables(bare, variables);
    } else {
      rest.push(print(node));
      collectVariables(node, variables);
    }
  }
  return { text: rest.join('\n'), variables: [...variables].sort() };
}

/** They act when the subscription is made; how an event looks does not depend on them. */
function withoutRootArguments(operation: OperationDefinitionNode): OperationDefinitionNode {
  const selections = operation.selectionSet.selections.map((node) =>
    node.kind === Kind.FIELD ? { ...node, arguments: [] } : node,
  );
  return { ...operation, selectionSet: { ...operation.selectionSet, selections } };
}

function collectVariables(node: DocumentNode['definitions'][number], into: Set<string>): void {
  visit(node, {
    VariableDefinition: () => false,
    Variable: (variable) => {
      into.add(variable.name.value);
    },
  });
}
