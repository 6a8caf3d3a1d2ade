import {
  execute as executeGraphql,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
} from 'graphql';

/** Executes a query or mutation. `toPublicError` converts each error into one that the caller may see. */
export async function execute(
  args: ExecutionArgs,
  toPublicError: (error: unknown) => GraphQLError,
): Promise<ExecutionResult> {
  const result = await executeGraphql(args);
  return result.errors ? { ...result, errors: result.errors.map(toPublicError) } : result;
}
