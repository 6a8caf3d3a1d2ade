import {
  execute as executeGraphql,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  type GraphQLError,
  OperationTypeNode,
} from 'graphql';
import { unavailable } from '../errors.ts';
import { type Context } from '../schema/context.ts';
import { isCurrent, withCurrentCaller } from '../schema/current-caller.ts';

/** How often a query is executed before it fails, because the rights of its caller changed during each execution. */
const MAX_EXECUTIONS = 5;

/**
 * Executes a query or mutation. A query during which the rights of its caller change is executed again with the new ones: what it
 * was allowed to read first, and what it read then, may be of different moments. `toPublicError` converts each error into one
 * that the caller may see.
 */
export async function execute(
  args: ExecutionArgs,
  toPublicError: (error: unknown) => GraphQLError,
): Promise<ExecutionResult> {
  const context = args.contextValue as Context;
  const changesRows = isMutation(args);
  const { storage } = context.domain;
  const unlocked = storage.untilUnlocked();
  if (unlocked && changesRows) await unlocked;
  try {
    const result = changesRows ? await executeOnce(args) : await executeQuery(args);
    return result.errors ? { ...result, errors: result.errors.map(toPublicError) } : result;
  } catch (error) {
    return { errors: [toPublicError(error)] };
  }
}

/** What a suspended node knows of the caller may be out of date, so it looks first. */
async function executeOnce(args: ExecutionArgs): Promise<ExecutionResult> {
  const context = args.contextValue as Context;
  const live = context.domain.broker.untilLive();
  if (!live) return executeGraphql(args);
  await live;
  return executeGraphql({ ...args, contextValue: await withCurrentCaller(context) });
}

async function executeQuery(args: ExecutionArgs): Promise<ExecutionResult> {
  const context = args.contextValue as Context;
  const { domain, caller } = context;
  let current = isCurrent(context) ? args : undefined;
  for (let count = 1; count <= MAX_EXECUTIONS; count++) {
    const watch = domain.rights.begin(caller);
    try {
      current ??= { ...args, contextValue: await withCurrentCaller(context) };
      const result = await executeOnce(current);
      // The signals of a change that was made while this node was paused are read before its next answer.
      await domain.broker.untilLive();
      if (!watch.hasChanged) return result;
    } finally {
      watch[Symbol.dispose]();
    }
    current = undefined;
  }
  throw unavailable('The rights of the caller changed during each attempt to answer. Try again.');
}

/** A document may have operations of several types, of which one is executed. */
function isMutation({ document, operationName }: ExecutionArgs): boolean {
  return getOperationAST(document, operationName)?.operation === OperationTypeNode.MUTATION;
}
