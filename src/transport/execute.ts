import {
  execute as executeGraphql,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  Kind,
  OperationTypeNode,
} from 'graphql';
import { type Context } from '../schema/context.ts';

/** Executes a query or mutation. `toPublicError` converts each error into one that the caller may see. */
export async function execute(
  args: ExecutionArgs,
  toPublicError: (error: unknown) => GraphQLError,
): Promise<ExecutionResult> {
  const unlocked = (args.contextValue as Context).domain.storage.untilUnlocked();
  if (unlocked && hasMutation(args)) await unlocked;
  const result = await executeGraphql(args);
  return result.errors ? { ...result, errors: result.errors.map(toPublicError) } : result;
}

/** Queries are not delayed while another program holds the write lock of the store. */
function hasMutation({ document }: ExecutionArgs): boolean {
  return document.definitions.some(
    (definition) =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.MUTATION,
  );
}
