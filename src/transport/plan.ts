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
import { type Context, type Domain } from '../schema/context.ts';
import { type PublicError } from './public-errors.ts';

/** The result of one event for one plan, serialised once. */
export class Executed {
  /** The `payload` of a `next` message, and the brace that closes the message. */
  readonly payload: Buffer;

  constructor(result: ExecutionResult, publicError: PublicError) {
    const { data, errors } = result;
    const shown = errors ? { errors: errors.map((error) => publicError(error).toJSON()), data } : { data };
    this.payload = Buffer.from(`${JSON.stringify(shown)}}`);
  }
}

/** Thrown where a shared execution asks who is looking. */
class ViewerAsked extends Error {}

/**
 * One way of looking at events, shared by every subscriber that looks the same way: an event is executed and
 * serialised once for all of them.
 *
 * It is executed with a context that knows no viewer. A resolver that asks for one spoils the plan: what it made is
 * thrown away, and from then on each subscriber is executed with its own context. So a field that depends on the viewer
 * cannot be shared, whether or not anyone remembered that it does.
 */
export class Plan {
  subscribers = 0;
  readonly key: string;
  readonly #args: ExecutionArgs;
  readonly #publicError: PublicError;
  #isSpoilt = false;
  #last: { event: unknown; executed: Executed | undefined | Promise<Executed | undefined> } | undefined;

  constructor(key: string, args: ExecutionArgs, domain: Domain, publicError: PublicError) {
    this.key = key;
    this.#args = { ...args, contextValue: this.#viewless(domain) };
    this.#publicError = publicError;
  }

  /** The event as this plan shows it; for a spoilt plan, as it shows it to the viewer of `own`. */
  run(event: unknown, own: ExecutionArgs): Executed | Promise<Executed> {
    if (this.#isSpoilt) return this.#execute(event, own);
    if (!this.#last || this.#last.event !== event) this.#last = { event, executed: this.#shared(event) };
    const { executed } = this.#last;
    if (executed instanceof Promise) return executed.then((made) => made ?? this.#execute(event, own));
    return executed ?? this.#execute(event, own);
  }

  /** Undefined, now or later, when it turns out that the result is each subscriber's own. */
  #shared(event: unknown): Executed | undefined | Promise<Executed | undefined> {
    const result = execute({ ...this.#args, rootValue: event });
    // An error names places in the document, and of documents that mean the same each has places of its own.
    const toShared = (settled: ExecutionResult) =>
      this.#isSpoilt || settled.errors ? undefined : new Executed(settled, this.#publicError);
    return result instanceof Promise ? result.then(toShared) : toShared(result);
  }

  #execute(event: unknown, own: ExecutionArgs): Executed | Promise<Executed> {
    const result = execute({ ...own, rootValue: event });
    const toExecuted = (settled: ExecutionResult) => new Executed(settled, this.#publicError);
    return result instanceof Promise ? result.then(toExecuted) : toExecuted(result);
  }

  #viewless(domain: Domain): Context {
    const ask = (): never => {
      this.#isSpoilt = true;
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

/** What of an operation decides how an event looks: its text without the arguments of its root field, and the variables that are left. */
interface Shape {
  text: string;
  variables: string[];
}

/** The plans in use. */
export interface Plans {
  readonly count: number;
  /** The plan of an operation for one project, shared if there is one; to be released once. */
  take(args: ExecutionArgs, projectId: string): Plan;
  release(plan: Plan): void;
}

export function createPlans(domain: Domain, publicError: PublicError): Plans {
  const plans = new Map<string, Plan>();
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
      return plans.size;
    },
    take(args, projectId) {
      const { text, variables } = shapeOf(args.document, args.operationName ?? '');
      // By name: what is absent takes its default, which is not what null does.
      const values = Object.fromEntries(variables.map((name) => [name, args.variableValues?.[name]]));
      const key = JSON.stringify([projectId, text, values]);
      let plan = plans.get(key);
      if (!plan) {
        plan = new Plan(key, args, domain, publicError);
        plans.set(key, plan);
      }
      plan.subscribers++;
      return plan;
    },
    release(plan) {
      plan.subscribers--;
      if (plan.subscribers === 0 && plans.get(plan.key) === plan) plans.delete(plan.key);
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
